"""A leaderboard as a page for people, in the order of a reader's questions.

What is measured, who is better, by how much and how surely; what the further columns mean; and then
what stands behind the rows, what was scored before, whose the published figures are, and how to
make the page again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.modules import task_module
from pipeline.results.boards import Board, Evidence, Row
from pipeline.results.divisions import by_division, division_in_words
from pipeline.results.markdown import counted, decimal, table
from pipeline.results.pictures.gallery import caption, file_name
from pipeline.results.records import Costs, earlier_tests, records
from pipeline.scoring.clusters import FEWEST_CLUSTERS
from pipeline.scoring.scores import Metric
from pipeline.suite.schema import Suite

_ABOUT_COSTS = "Costs are those of the machine that ran a row and are never compared. "


def page(suite: Suite, board: Board, costs: Mapping[str, Costs] | None) -> str:
    """Markdown of a leaderboard; `costs` has each own row's by stage, or is None to show none."""
    return "\n\n".join([f"# {suite.track(board['track']).title}",
                        *passages(suite, board, costs).values()]) + "\n"


def passages(suite: Suite, board: Board, costs: Mapping[str, Costs] | None) -> dict[str, str]:
    """The page's Markdown below its title, by what each passage is about; none is empty."""
    entry = suite.track(board["track"])
    metrics = task_module(entry.task, "scoring").METRICS
    own = [row for row in board["rows"] if row["evidence"]["kind"] != "published"]
    told: dict[str, Iterable[str]] = {
        "measured": [_measured(board, metrics[entry.metric], own, suite.resamples)],
        "board": [_table(board, metrics, own)],
        "ranking": _ranking(board, own),
        "pictures": _pictures(suite, board),
        "further metrics": _further_metrics(board["metric"], metrics, own),
        "floor": _floor(suite, board, metrics[entry.metric]),
        "records": records(suite, board, own, costs),
        "replaced": _replaced(own),
        "evidence": [_evidence(board, own)],
        "not run": _not_run(suite, board),
        "earlier tests": earlier_tests(board, own, metrics),
        "sources": _sources(board, metrics[entry.metric].decimals),
        "signatures": _signatures(own),
        "again": [f"{_ABOUT_COSTS if costs is not None else ''}Reproduce this page with "
                  f"`dvc repro {suite.address('leaderboard', board['track'])}`."],
    }
    return {name: text for name, parts in told.items() if (text := "\n\n".join(parts))}


def _measured(board: Board, metric: Metric, own: Sequence[Row],
              resamples: int) -> str:
    return (f"Track `{board['track']}`, corpus `{board['corpus']}`, {board['suite']} suite.\n"
            f"**{board['metric']}**: {metric.text}; {metric.preference}. {_scored_on(own)} "
            f"{_about_intervals(own, resamples)}")


def _scored_on(own: Sequence[Row]) -> str:
    found = sorted({(row["n_items"] or 0, row["clusters"] or 0) for row in own})
    texts = [counted(items, "test item") if items == clusters else
             f"{counted(items, 'test item')} in {counted(clusters, 'group')} produced together"
             for items, clusters in found]
    return f"Scored on {' or '.join(texts) or 'no test items'}."


def _about_intervals(own: Sequence[Row], resamples: int) -> str:
    without = [row["clusters"] or 0 for row in own if row["low"] is None]
    if not without:
        return (f"The interval is 95 % over {resamples:,} bootstrap resamples of them."
                f"{_about_widths(own)}")
    if min(without) < FEWEST_CLUSTERS:
        return (f"{counted(min(without), 'independent group')} of items "
                f"{'is' if min(without) == 1 else 'are'} too few for an interval; "
                f"{FEWEST_CLUSTERS} are the fewest.")
    return "Where no interval stands, too many bootstrap resamples of them have no score."


def _about_widths(own: Sequence[Row]) -> str:
    if all(row["low"] != row["high"] for row in own):
        return ""
    return (" Where it has no width, all groups have the same score: no resample differs, which "
            "does not mean that no other item would.")


def _table(board: Board, metrics: Mapping[str, Metric], own: Sequence[Row]) -> str:
    primary = board["metric"]
    others = _others(primary, metrics, own)
    names = [primary, "95 % interval", "seeds", *others, "published"]
    division = division_in_words(board["task"])
    header = ["rank", "system", *([division] if division else []), *names, "evidence"]
    decimals = metrics[primary].decimals
    body = []
    if board["ceiling"] is not None:
        body.append(["–", "*ceiling of the corpus*", *(["–"] if division else []),
                     decimal(board["ceiling"], decimals), *["–"] * (len(names) - 1),
                     "known process"])
    for row in board["rows"]:
        values = [decimal(row["metrics"][name]["value"] if name in row["metrics"] else None,
                          metrics[name].decimals) for name in others]
        body.append([decimal(row["rank"], 0), row["system"],
                     *([row.get("division") or "–"] if division else []),
                     decimal(row["value"], decimals), _interval(row, decimals),
                     _seeds(row, decimals), *values, _published(row, decimals),
                     "run, stale" if row["evidence"].get("stale") else row["evidence"]["kind"]])
    return table(header, body, numbers=["rank", *names])


def _seeds(row: Row, decimals: int) -> str:
    """Mean and standard deviation over trainings, and how many there are."""
    seeds = row["seeds"]
    if seeds is None:
        return "–"
    count = len(seeds["scores"])
    return str(count) if seeds["mean"] is None else (
        f"{count}: {decimal(seeds['mean'], decimals)} ± {decimal(seeds['deviation'], decimals)}")


def _ranking(board: Board, own: Sequence[Row]) -> Iterator[str]:
    """How to read ranks and seeds."""
    if board["not_ranked"] is not None:
        yield f"The rows are not ranked: {board['not_ranked']}. They stand in the order of scores."
        return
    division, alone = division_in_words(board["task"]), _alone(own)
    of_one, such = (f" with the same {division}", "such ") if division else ("", "")
    lines = [f"A rank is one more than the number of rows{of_one} that are significantly better "
             f"(two-sided, Holm's correction over all {such}pairs of the track's own rows). It "
             "counts the better rows and no others: rows of different ranks need not differ from "
             "each other, and one whose trainings lie far apart, so that little is known of it, "
             "can stand below rows of a worse rank. Rows stand in the order of their scores."]
    if division:
        lines.append(f"Rows that differ in their {division} had different help and share no rank: "
                     f"each {division} is a division, whose ranks begin at 1.")
    if alone:
        lines.append(f"Alone in a division, so first there without a comparison: "
                     f"{', '.join(f'`{name}`' for name in alone)}.")
    if any(row["rank"] is None for row in board["rows"]):
        lines.append("A published figure stands where its value puts it and has no rank, because "
                     "this pipeline has not measured it.")
    once = [f"`{row['system']}`" for row in own if row["system"] not in alone
            and row["seeds"] and len(row["seeds"]["scores"]) == 1]
    if once:
        lines.append("Trained once, so compared with every other row by test items alone, as if "
                     f"seeds moved neither: {', '.join(once)}. Such ranks say nothing of other "
                     "trainings.")
    if any(row["seeds"] and row["seeds"]["mean"] is not None for row in own):
        lines.append("Seeds: how many trainings there are, their mean score ± its standard "
                     "deviation; the score beside it is that of the suite's own seed.")
    yield " ".join(lines)


def _alone(own: Sequence[Row]) -> list[str]:
    """Rows whose division has no other."""
    return [rows[0]["system"] for division, rows in by_division(own).items()
            if division is not None and len(rows) == 1]


def _pictures(suite: Suite, board: Board) -> Iterator[str]:
    for name in board["pictures"]:
        text = caption(suite, board, name)
        yield f"![{name.replace('-', ' ')}]({board['track']}/{file_name(name)})\n\n{text}"


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
        lines.append("- `ci`: continuous integration trains this row again from an empty clone. On "
                     "the processor that its record in `seeds/` names it must answer in the same "
                     "bytes; elsewhere its score may move by five standard deviations over its "
                     "seeds, or by what one test item is worth, if that is more. How far "
                     "seeds move a row that is trained by gradient from one seed is not known: "
                     "elsewhere its floor alone is checked.")
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
        lines.append("- `published`: a figure that others report or that other software reached, "
                     "not made by this pipeline; its protocol may differ.")
    return "\n".join(["What stands behind a row:", *lines])


def _run_in_words(evidence: Evidence) -> str:
    if evidence["processor"] is None:
        return "run by this project, cost not recorded"
    commit = f"commit {evidence['commit'][:12]}" if evidence["commit"] else "no commit recorded"
    if evidence.get("uncommitted_changes"):
        commit += " with changes that were not committed"
    seconds = evidence["wall_time"]
    took = "seconds not recorded" if seconds is None else f"{seconds:,.0f} s in all"
    return f"run by this project, {commit}, {evidence['processor']}, {took}"


def _sources(board: Board, decimals: int) -> Iterator[str]:
    lines = [f"- `{row['system']}` {decimal(row['published']['value'], decimals)}: "
             f"{row['published']['source']}" for row in board["rows"] if row["published"]]
    if lines:
        yield "\n".join(["Sources of the published figures:", *lines])


def _signatures(own: Sequence[Row]) -> Iterator[str]:
    found = sorted({row["signature"] for row in own if row["signature"]})
    if found:
        yield "Scorer: " + ", ".join(f"`{signature}`" for signature in found)
