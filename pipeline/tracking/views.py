"""What a person sees of a track in MLflow: what it says of itself, and the view that opens.

MLflow by itself shows when and how long each run was, hides all metrics, and draws a picture of
every one of them. It keeps a view that is shared by its address in a tag of the experiment, as
JSON; `state` writes such a one. Its table has the scores in columns, best first, of the runs that
the leaderboard has rows of; its charts are the scores, the learning curves and the settings in
which runs differ, of those that all of them have. The form is that of MLflow 3.17's pages, and a
test looks at them.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pipeline.results.boards import preference
from pipeline.scoring.records import Score
from pipeline.storage.files import read_text
from pipeline.suite.schema import Suite
from pipeline.tracking.champions import ALIAS, model_name
from pipeline.tracking.store import TrackedRun

_SCORES, _CURVES, _SETTINGS = "Scores", "Learning curves", "Settings that differ"
_PICTURES = (".png", ".jpg", ".svg")
_HEIGHT = 360  # pixels of a chart
_AXES: Mapping[str, Any] = {
    "lineSmoothness": 0, "xAxisScaleType": "linear", "scaleType": "linear", "range": {},
    "useGlobalXaxisKey": True, "useGlobalLineSmoothing": True, "selectedXAxisMetricKey": "",
    "yAxisKey": "metric", "yAxisExpressions": []}


def description(suite: Suite, track: str) -> str:
    """Markdown: title, metric and its direction, what is measured, and how to read the table.

    What the leaderboard's page says of corpus and metric is repeated as it stands there.
    """
    entry = suite.tracks[track]
    board, page = suite.places.board(track), suite.places.page(track)
    score = f"test_{entry.metric}"
    direction = f", {preference(board)} is better" if board.exists() else ""
    measured = (read_text(page).split("\n\n")[1:2] if page.exists() else
                [f"Track `{track}`, corpus `{entry.corpus}`, {suite.name} suite."])
    address = page.relative_to(suite.places.root).as_posix()
    return "\n\n".join([
        f"**{entry.title}**: `{score}`{direction}.", *measured, "\n".join([
            "How to read it:", "",
            f"- A row is a trained system. `{score}` is its score on test data, with a 95 % "
            f"interval from `{score}/low` to `{score}/high`; `{score}/<variant>` has all its ways "
            f"to answer, `{score}/ceiling` is what the process that made the corpus would score.",
            "- Clear the search field to see the trainings with further seeds too.",
            "- The chart symbol above the table shows scores, learning curves and the settings "
            "that differ, of the runs whose eye is open. *Compare* sets chosen runs side by side: "
            "*Show diff only* leaves the settings that differ, those that one run alone has among "
            "them, and a metric's name opens its curves.",
            "- A run's description has its pictures, sounds and sample answers.",
            f"- The leaderboard, with ranks and what they mean, is `{address}`. Its first row "
            f"is `models:/{model_name(suite, track)}@{ALIAS}` in the model registry, where its "
            "model is on this machine."])])


def run_description(suite: Suite, track: str, row: str, score: Score, run: TrackedRun,
                    files: Iterable[str]) -> str:
    """Markdown: the score of a system's row, and what there is to see, hear and read of it.

    `files` are names of the run's artifacts. A picture is shown where it is, in the description.
    """
    low, high = score["low"], score["high"]
    interval = "" if low is None or high is None else f" ({low:.6g} to {high:.6g})"
    names = sorted(files)
    pictures = [name for name in names if name.endswith(_PICTURES)]
    links = ", ".join(f"[{name}](#/experiments/{run.experiment}/runs/{run.id}/artifacts/"
                      f"{quote(name)})" for name in names if name not in pictures)
    shown = [f"**{name}**\n\n![{name}](get-artifact?path={quote(name, safe='')}"
             f"&run_uuid={run.id})" for name in pictures]
    said = f"`{row}`: {suite.tracks[track].metric} {score['value']:.6g}{interval}"
    return "\n\n".join(filter(None, [said, links, *shown]))


def state(suite: Suite, track: str) -> dict[str, Any]:
    """The view of a track's runs as MLflow's pages keep it.

    Which scores are best is what the track's leaderboard says; before there is one, the lowest
    stand first.
    """
    score = f"test_{suite.tracks[track].metric}"
    board = suite.places.board(track)
    columns = [f"metrics.`{name}`" for name in (
        score, f"{score}/low", f"{score}/high", "usage/parameters", "usage/train_seconds")]
    return {
        "orderByKey": f"metrics.`{score}`",
        "orderByAsc": not board.exists() or preference(board) == "lower",
        "selectedColumns": columns,
        "columnOrder": [], "columnWidths": {},
        # A parameter, since a run that is still being trained has no tag of its seed.
        "searchFilter": f"params.`run.seed` = '{suite.seed}'",
        **_charts(score),
        "startTime": "ALL", "lifecycleFilter": "Active", "datasetsFilter": [],
        "modelVersionFilter": "All Runs", "viewMaximized": False, "runListHidden": False,
        "runsPinned": [], "runsHidden": [], "runsHiddenMode": "FIRST_20_RUNS", "groupBy": None,
        "groupsExpanded": {}, "useGroupedValuesInCharts": True, "hideEmptyCharts": True,
        "autoRefreshEnabled": False, "runsVisibilityMap": {}}


def _charts(score: str) -> dict[str, Any]:
    """Sections of charts. MLflow adds its own for what they leave out, below and folded."""
    charts = [
        *(_chart(_SCORES, name, "BAR", metricKey=name)
          for name in (score, f"{score}/low", f"{score}/high")),
        *(_chart(_CURVES, name, "LINE", metricKey=f"training/{name}",
                 selectedMetricKeys=[f"training/{name}"], xAxisKey="step", **_AXES)
          for name in ("validation_loss", "loss", "learning_rate")),
        _chart(_SETTINGS, "settings", "DIFFERENCE", compareGroups=["Parameters"],
               chartName=_SETTINGS, showDifferencesOnly=True, showChangeFromBaseline=False,
               baselineColumnUuid="", metricKey=""),
    ]
    shown = [(name, True) for name in (_SCORES, _CURVES, _SETTINGS)]
    folded = [(name, False) for name in (score, "training", "usage", "Model metrics",
                                         "System metrics")]
    sections = [{"uuid": f"section {name}", "name": name, "display": display, "isReordered": True,
                 "deleted": False, "isGenerated": False, "columns": 1 if name == _SETTINGS else 3,
                 "cardHeight": _HEIGHT} for name, display in [*shown, *folded]]
    return {"compareRunCharts": charts, "compareRunSections": sections,
            "isAccordionReordered": True}


def _chart(section: str, name: str, kind: str, **further: Any) -> dict[str, Any]:
    return {"uuid": f"chart {name}", "type": kind, "metricSectionId": f"section {section}",
            "deleted": False, "isGenerated": False, "displayName": name,
            "runsCountToCompare": 20, **further}
