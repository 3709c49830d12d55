"""A leaderboard as a page for people: the table, what it measures, and how to check it."""

from collections.abc import Iterator, Mapping, Sequence

from pipeline.modules import task_module
from pipeline.results.boards import Board, Evidence, Row
from pipeline.results.markdown import decimal, table
from pipeline.scoring.records import Cost
from pipeline.scoring.scores import Metric
from pipeline.suite.schema import Suite

Costs = Mapping[str, Cost]

_COST_NAMES = ["train s", "test s", "peak MB"]
_ABOUT_COSTS = "Costs are those of the machine that ran a row and are never compared. "


def page(suite: Suite, board: Board, costs: Mapping[str, Costs] | None) -> str:
    """Markdown of a leaderboard; `costs` has each own row's by stage, or is None to show none."""
    entry = suite.track(board["track"])
    metrics = task_module(entry.task, "scoring").METRICS
    own = [row for row in board["rows"] if row["evidence"]["kind"] != "published"]
    sections = [
        f"# {entry.title}",
        _measured(board, metrics[entry.metric], own, suite.resamples),
        _table(board, metrics, own, costs),
        *_further_metrics(board["metric"], metrics, own),
        *_floor(suite, board, metrics[entry.metric]),
        *_replaced(own),
        _evidence(board, own),
        *_not_run(suite, board),
        *_sources(board, metrics[entry.metric].decimals),
        *_signatures(own),
        f"{_ABOUT_COSTS if costs is not None else ''}Reproduce this page with "
        f"`dvc repro {suite.address('leaderboard', board['track'])}`.",
    ]
    return "\n\n".join(sections) + "\n"


def _measured(board: Board, metric: Metric, own: Sequence[Row],
              resamples: int) -> str:
    counts = sorted({row["n_items"] for row in own if row["n_items"] is not None})
    items = " or ".join(f"{count:,}" for count in counts) or "no"
    return (f"Track `{board['track']}`, corpus `{board['corpus']}`, {board['suite']} suite.\n"
            f"**{board['metric']}**: {metric.text}; {metric.preference}. Scored on {items} "
            f"test items; the interval is 95 % over {resamples:,} bootstrap resamples of them.")


def _table(board: Board, metrics: Mapping[str, Metric], own: Sequence[Row],
           costs: Mapping[str, Costs] | None) -> str:
    primary = board["metric"]
    others = _others(primary, metrics, own)
    names = [primary, "95 % interval", *others, "published", "parameters", "settings tried",
             *(_COST_NAMES if costs is not None else [])]
    header = ["rank", "system", *names, "evidence"]
    decimals = metrics[primary].decimals
    body = []
    if board["ceiling"] is not None:
        body.append(["–", "*ceiling of the corpus*", decimal(board["ceiling"], decimals),
                     *["–"] * (len(names) - 1), "known process"])
    for number, row in enumerate(board["rows"], start=1):
        values = [decimal(row["metrics"][name]["value"] if name in row["metrics"] else None,
                          metrics[name].decimals) for name in others]
        body.append([str(number), row["system"], decimal(row["value"], decimals),
                     _interval(row, decimals), *values, _published(row, decimals),
                     decimal(row["parameters"], 0), decimal(row["settings_tried"], 0),
                     *([] if costs is None else _cost_cells(costs.get(row["system"], {}))),
                     "run, stale" if row["evidence"].get("stale") else row["evidence"]["kind"]])
    return table(header, body, numbers=["rank", *names])


def _others(primary: str, metrics: Mapping[str, Metric], own: Sequence[Row]) -> list[str]:
    """The further metrics that any row has, in the order in which the task names them."""
    return [name for name in metrics
            if name != primary and any(name in row["metrics"] for row in own)]


def _interval(row: Row, decimals: int) -> str:
    if row["low"] is None:
        return "–"
    return f"{decimal(row['low'], decimals)} to {decimal(row['high'], decimals)}"


def _published(row: Row, decimals: int) -> str:
    return decimal(row["published"]["value"], decimals) if row["published"] else "–"


def _cost_cells(costs: Costs) -> list[str]:
    """Seconds and memory, as far as they were recorded."""
    seconds = [costs[stage]["seconds"] if stage in costs else None
               for stage in ("train", "evaluate")]
    peak = max((cost["peak_memory_bytes"] / 2**20 for cost in costs.values()), default=None)
    return [*(decimal(value, 1) for value in seconds), decimal(peak, 0)]


def _further_metrics(primary: str, metrics: Mapping[str, Metric],
                     own: Sequence[Row]) -> Iterator[str]:
    lines = [f"- **{name}**: {metrics[name].text}; {metrics[name].preference}."
             for name in _others(primary, metrics, own)]
    if lines:
        yield "\n".join(lines)


def _floor(suite: Suite, board: Board, metric: Metric) -> Iterator[str]:
    floor = suite.track(board["track"]).floor
    if floor is None:
        return
    bound = "at most" if metric.better == "lower" else "at least"
    found = [f"`{row['system']}` {'reaches it' if reached else '**DOES NOT reach it**'}"
             for row in board["rows"] if row["system"] in floor.rows
             for reached in [metric.gain(row["value"], board["floor"]) >= 0]]
    yield (f"Floor, fixed {floor.fixed}: {board['metric']} {bound} "
           f"{decimal(board['floor'], metric.decimals)}. {', '.join(found)}.")


def _replaced(own: Sequence[Row]) -> Iterator[str]:
    lines = [f"- `{row['system']}`: " + ", ".join(
        f"{count:,} of {decimal(row['n_items'], 0)} by {method}"
        for method, count in row["replaced"].items())
        for row in own if row.get("replaced")]
    if lines:
        yield "\n".join(["Test items that another method than the row's own has answered, where "
                         "that is not defined or cannot be estimated:", *lines])


def _not_run(suite: Suite, board: Board) -> Iterator[str]:
    if board["not_run"]:
        names = ", ".join(f"`{key}`" for key in board["not_run"])
        yield (f"Configured and not run yet: {names}. Run one with "
               f"`dvc repro {suite.address('evaluate', board['not_run'][0])}`.")


def _evidence(board: Board, own: Sequence[Row]) -> str:
    kinds = {row["evidence"]["kind"] for row in board["rows"]}
    lines = []
    if "ci" in kinds:
        allowed = ("and lists a score that moves, because how far it may was not measured yet"
                   if board["tolerance"] is None else
                   f"and must come within {board['tolerance']:g} of its {board['metric']}")
        lines.append("- `ci`: continuous integration trains this row again from an empty clone "
                     f"{allowed}.")
    runs: dict[str, list[str]] = {}
    for row in own:
        if row["evidence"]["kind"] == "run":
            runs.setdefault(_run_in_words(row["evidence"]), []).append(f"`{row['system']}`")
    lines += [f"- `run`: {', '.join(rows)}: {words}." for words, rows in runs.items()]
    stale = [f"`{row['system']}`" for row in own if row["evidence"].get("stale")]
    if stale:
        lines.append(f"- Stale: {', '.join(stale)}. The code or the settings have changed since; "
                     "what stands here is of the earlier version, until it is trained again.")
    if "published" in kinds:
        lines.append("- `published`: a figure from the literature, not run here; it is ranked by "
                     "its value, and its protocol may differ.")
    return "\n".join(["What stands behind a row:", *lines])


def _run_in_words(evidence: Evidence) -> str:
    if evidence["processor"] is None:
        return "trained and tested once by this project, cost not recorded"
    commit = f"commit {evidence['commit'][:12]}" if evidence["commit"] else "no commit recorded"
    if evidence.get("uncommitted_changes"):
        commit += " with changes that were not committed"
    seconds = evidence["wall_time"]
    took = "seconds not recorded" if seconds is None else f"{seconds:,.0f} s in all"
    precision = f"precision {evidence['precision']}, " if evidence.get("precision") else ""
    return (f"trained and tested once by this project, {commit}, {evidence['processor']}, "
            f"{precision}{took}")


def _sources(board: Board, decimals: int) -> Iterator[str]:
    lines = [f"- `{row['system']}` {decimal(row['published']['value'], decimals)}: "
             f"{row['published']['source']}" for row in board["rows"] if row["published"]]
    if lines:
        yield "\n".join(["Sources of the published figures:", *lines])


def _signatures(own: Sequence[Row]) -> Iterator[str]:
    found = sorted({row["signature"] for row in own if row["signature"]})
    if found:
        yield "Scorer: " + ", ".join(f"`{signature}`" for signature in found)
