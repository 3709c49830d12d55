"""Charts as Vega-Lite JSON: what it costs to be better, how systems learnt, and what they answer.

A chart holds its own numbers, since a page that opens from disk cannot fetch a file. Colours, fonts
and the width come from the page, which knows whether it is light or dark; a row is told by its
colour, its shape and its dashes at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Spec = dict[str, Any]

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_MOST_POINTS = 80  # of a curve; more are no wider than the line
_WIDE = 20  # times the least value: then an axis is logarithmic
_SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right"]
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3]]
_COLOURS = 8  # that the page has
# A press on a row's name in the legend fades the others.
_BY_LEGEND = {"name": "chosen", "select": {"type": "point", "fields": ["row"]}, "bind": "legend"}
_CHOSEN = {"condition": {"param": "chosen", "value": 1, "empty": True}, "value": 0.08}


def cost(points: Sequence[Mapping[str, Any]], axis: str, score: str, better: str) -> Spec:
    """A mark for each row: `cost` and `value`, and `text` as the board prints the value."""
    rows = [str(point["row"]) for point in points]
    return _spec(points, 300, {
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.9},
        "encoding": {
            "x": _axis("cost", axis, [point["cost"] for point in points]),
            "y": _axis("value", f"{score}, {better}", [point["value"] for point in points]),
            "color": _rows(rows), "shape": _shapes(rows),
            "tooltip": [_told("row", "system"), _told("text", score), _told("spent", axis)]}})


def curves(losses: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Spec:
    """Validation loss over steps of each system; a point may be missing where it is no number."""
    points: list[dict[str, Any]] = [
        {"row": name, "step": steps[place], "loss": values[place]}
        for name, (steps, values) in losses.items() for place in _thinned(len(steps))]
    names = list(losses)
    return _spec(points, 300, {
        "mark": {"type": "line", "strokeWidth": 2, "point": len(points) <= 8},
        "encoding": {
            "x": _axis("step", "steps (batches seen)", []),
            "y": _axis("loss", "validation loss", [point["loss"] for point in points]),
            "color": _rows(names), "strokeDash": _dashes(names),
            "tooltip": [_told("row", "system"), _told("step", "step"), _told("loss", "loss")]}})


def forecasts(lines: Mapping[str, Sequence[float]],
              bands: Mapping[str, tuple[Sequence[float], Sequence[float]]],
              truth: Sequence[float] = (), past: int = 0) -> Spec:
    """What was forecast by each row, with its interval, from time step 1 on.

    `truth` is what came, whose first `past` points were known.
    """
    names = list(lines)
    points: list[dict[str, Any]] = [
        {"row": name, "time": 1 + place, "value": _short(value),
         **({"low": _short(bands[name][0][place]), "high": _short(bands[name][1][place])}
            if name in bands else {})}
        for name, values in lines.items() for place, value in enumerate(values)]
    y = {"type": "quantitative", "scale": {"zero": False}, "title": "value"}
    # The bands' legend and the lines' are one, which would else be as pale as the bands.
    colour = {**_rows(names), "legend": {"symbolType": "stroke", "symbolOpacity": 1,
                                         "symbolFillColor": "transparent"}}
    return _spec(points, 240, {
        "encoding": {"x": {"field": "time", "type": "quantitative", "title": "time step",
                           "scale": {"zero": False, "nice": False}}},
        "layer": [
            *_if_known(points, {
                "mark": {"type": "area", "opacity": 0.12},
                "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"},
                             "color": colour,
                             "fillOpacity": {"condition": {"param": "chosen", "value": 0.13},
                                             "value": 0}}}),
            {"params": [_BY_LEGEND],
             "mark": {"type": "line", "strokeWidth": 1.8},
             "encoding": {"y": {**y, "field": "value"}, "color": colour,
                          "strokeDash": _dashes(names), "opacity": _CHOSEN,
                          "tooltip": [_told("row", "row"), _told("time", "time step"),
                                      _told("value", "value")]}},
            *_truth([{"time": 1 - past + place, "value": _short(value)}
                     for place, value in enumerate(truth)], "time", {**y, "field": "value"})]})


def paths(lines: Mapping[str, Sequence[Sequence[float]]], axes: tuple[str, str],
          truth: Sequence[Sequence[float]] = ()) -> Spec:
    """States of each row that move: a slider says up to which step they are drawn.

    `truth` is the path that they should have taken.
    """
    names = list(lines)
    points: list[dict[str, Any]] = [
        {"row": name, "step": step, "x": _short(state[0]), "y": _short(state[1])}
        for name, states in lines.items() for step, state in enumerate(states)]
    last = max((len(states) for states in lines.values()), default=1) - 1
    right = [{"step": step, "x": _short(state[0]), "y": _short(state[1])}
             for step, state in enumerate(truth)]
    spans = [[min(point[of] for point in [*points, *right]),
              max(point[of] for point in [*points, *right])] for of in ("x", "y")]
    x, y = ({"field": of, "type": "quantitative", "title": title,
             "scale": {"domain": span, "nice": True, "zero": False}}
            for of, title, span in zip(("x", "y"), axes, spans, strict=True))
    return _spec(points, 300, {
        "params": [{"name": "until", "value": last,
                    "bind": {"input": "range", "min": 0, "max": last, "step": 1,
                             "name": "up to step "}}],
        "encoding": {"x": x, "y": y, "color": _rows(names)},
        "layer": [
            *_truth(right, "x", y, "datum.step <= until", {"order": {"field": "step"}}),
            {"params": [_BY_LEGEND],
             "transform": [{"filter": "datum.step <= until"}],
             "mark": {"type": "line", "strokeWidth": 1.6},
             "encoding": {"opacity": _CHOSEN, "order": {"field": "step", "type": "quantitative"},
                          "strokeDash": _dashes(names)}},
            {"transform": [{"filter": "datum.step == until"}],
             "mark": {"type": "point", "filled": True, "size": 80},
             "encoding": {"shape": _shapes(names), "opacity": _CHOSEN,
                          "tooltip": [_told("row", "system"), _told("step", "step")]}}]})


def study(values: Sequence[str], scores: Mapping[str, Sequence[Mapping[str, Any]]], setting: str,
          measure: str) -> Spec:
    """The scores of each way to answer over the values of a setting, with their intervals."""
    points = [{"row": answer, "setting": value, "value": score["value"],
               "low": score["low"], "high": score["high"]}
              for answer, found in scores.items()
              for value, score in zip(values, found, strict=True)]
    names = list(scores)
    y = {"type": "quantitative", "scale": {"zero": False}, "title": f"{measure}, lower is better"}
    return _spec(points, 260, {
        "encoding": {"x": {"field": "setting", "type": "ordinal", "sort": None, "title": setting,
                           "axis": {"labelAngle": 0}},
                     "color": _rows(names)},
        "layer": [*_if_known(points, {
                      "mark": {"type": "rule"},
                      "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}}}),
                  {"mark": {"type": "line", "point": True},
                   "encoding": {"y": {**y, "field": "value"}, "strokeDash": _dashes(names)}}]})


def _spec(points: Sequence[Mapping[str, Any]], height: int, rest: Spec) -> Spec:
    return {"$schema": _SCHEMA, "width": "container", "height": height,
            "autosize": {"type": "fit-x", "contains": "padding"},
            "data": {"values": [*points]}, **rest}


def _truth(points: Sequence[Mapping[str, Any]], x: str, y: Spec, shown: str = "true",
           more: Spec | None = None) -> list[Spec]:
    """A layer with a line in the page's ink, thicker than the rows', as the page styles it."""
    if not points:
        return []
    return [{"data": {"values": [*points]}, "transform": [{"filter": shown}],
             "mark": {"type": "line", "style": "truth"},
             "encoding": {"x": {"field": x, "type": "quantitative"}, "y": y, "color": None,
                          **(more or {})}}]


def _if_known(points: Sequence[Mapping[str, Any]], layer: Spec) -> list[Spec]:
    """A layer of intervals, over the points that have any."""
    known = any(point.get("low") is not None for point in points)
    return [{"transform": [{"filter": "isValid(datum.low)"}], **layer}] if known else []


def _axis(name: str, title: str, values: Sequence[float]) -> Spec:
    """Logarithmic where the values reach over more than a decade or so, never begun at zero."""
    wide = bool(values) and min(values) > 0 and max(values) > _WIDE * min(values)
    return {"field": name, "type": "quantitative", "title": title,
            "scale": {"type": "log", "nice": False} if wide else {"zero": False},
            "axis": {"format": ",.10~g", "tickCount": 6}}


def _rows(names: Sequence[str]) -> Spec:
    """A colour for each row, in the board's order, always the same on a page."""
    return {"field": "row", "type": "nominal", "title": None, "sort": None,
            "scale": {"domain": [*names]}}


def _shapes(names: Sequence[str]) -> Spec:
    return {**_rows(names), "scale": {"domain": [*names], "range": [
        _SHAPES[place % len(_SHAPES)] for place in range(len(names))]}}


def _dashes(names: Sequence[str]) -> Spec:
    return {**_rows(names), "scale": {"domain": [*names], "range": [
        _DASHES[place // _COLOURS % len(_DASHES)] for place in range(len(names))]}}


def _told(name: str, title: str) -> Spec:
    return {"field": name, "title": title}


def _short(value: float) -> float:
    """Six digits, of which a screen shows three."""
    return float(f"{value:.6g}")


def _thinned(count: int) -> list[int]:
    return sorted({int(place) for place in np.linspace(0, count - 1, min(count, _MOST_POINTS))})
