"""The page over all tracks of a suite and its claims, and the summary that ends `make repro`."""

from collections.abc import Sequence

from pipeline.results.boards import Board, Claim, Row
from pipeline.results.claim_pages import claim_sections, how_to_read_claims
from pipeline.results.claims import judge_all
from pipeline.results.divisions import by_division, division_in_words
from pipeline.results.leaderboard import build, metrics_of, own_rows, under_floor
from pipeline.results.markdown import decimal, table
from pipeline.results.tested import record_tests
from pipeline.storage.files import write_json, write_text
from pipeline.suite.schema import Suite


def write_report(suite: Suite) -> None:
    """Write leaderboards/README.md and leaderboards/claims.json below the suite's folder."""
    claims = judge_all(suite)
    boards = [build(suite, track) for track in suite.tracks]
    write_json(suite.places.claims, claims)
    record_tests(suite, boards)
    write_text(suite.places.overview, overview(suite, boards, claims))


def overview(suite: Suite, boards: Sequence[Board], claims: Sequence[Claim]) -> str:
    """Markdown over all tracks: first rows, claims, and what stands behind the figures."""
    sections = [
        f"# Leaderboards of the {suite.name} suite",
        "The two rows with the best scores of each track. Each is the score of one training, and "
        "nothing here says that the first row is better than the second by more than luck: the "
        "ranks on the track's page say that. Published figures stand beside them, not among them, "
        "because this pipeline has not measured them.",
        *_about_divisions(boards),
        _first_rows(suite, boards),
        *_not_run(boards),
        *_stale(boards),
        _floors(suite, boards),
        "## Claims",
        *claim_sections(suite, claims),
        "## How to read this",
        _reading(suite, claims),
    ]
    return "\n\n".join(sections) + "\n"


def summary(suite: Suite) -> str:
    """What `make repro` says at its end."""
    lines = ["", f"Best scores of the {suite.name} suite, of one training each:"]
    for track in suite.tracks:
        board = build(suite, track)
        lines += [f"  {track:24}{_best(suite, board, division, rows)}"
                  for division, rows in _divisions(board)]
        lines += [f"  {'':24}UNDER ITS FLOOR: {row['system']}" for row in under_floor(suite, board)]
    page = suite.places.overview.relative_to(suite.places.root)
    return "\n".join([*lines, f"Leaderboards: {page}, claims included",
                      "Compare all runs in MLflow: make ui"])


def _divisions(board: Board) -> list[tuple[str | None, list[Row]]]:
    """The own rows of each division, best first; all of them where a track has no divisions."""
    return list(by_division(own_rows(board)).items()) or [(None, [])]


def _best(suite: Suite, board: Board, division: str | None, rows: Sequence[Row]) -> str:
    if not rows:
        return "no system has been run"
    where = f", {division_in_words(board['task'])} {division}" if division else ""
    return f"{rows[0]['system']}  {board['metric']} {_score(suite, board, rows[0]['value'])}{where}"


def _about_divisions(boards: Sequence[Board]) -> list[str]:
    found = dict.fromkeys(division_in_words(board["task"]) for board in boards if own_rows(board))
    return [f"Systems that differ in their {words} had different help, so each {words} has a line "
            "of its own; a published figure stands in all lines of its track, whatever help it had."
            for words in found if words]


def _score(suite: Suite, board: Board, value: float | None) -> str:
    metrics = metrics_of(suite, board["track"])
    return decimal(value, metrics[board["metric"]].decimals)


def _first_rows(suite: Suite, boards: Sequence[Board]) -> str:
    header = ["track", "metric", "row with the best score", "score", "95 % interval", "next row",
              "its score", "ceiling", "best published figure listed"]
    return table(header, [_first_cells(suite, board, division, rows)
                          for board in boards for division, rows in _divisions(board)],
                 numbers=["score", "95 % interval", "its score", "ceiling"])


def _first_cells(suite: Suite, board: Board, division: str | None, own: Sequence[Row]
                 ) -> list[str]:
    """A line of the table: the first two of a track's own rows, or of those of one division."""
    # A track of which nothing has been run has no page yet.
    name = f"[{board['track']}]({board['track']}.md)" if own else board["track"]
    cells = [f"{name}, {division_in_words(board['task'])} {division}" if division else name,
             f"{board['metric']}, {board['better']} is better"]
    for place in (0, 1):
        row = own[place] if place < len(own) else None
        cells += [f"`{row['system']}`" if row else "–",
                  _score(suite, board, row["value"] if row else None)]
        if place == 0:
            cells.append(_interval(suite, board, row))
    return [*cells, _score(suite, board, board["ceiling"]), _best_published(suite, board)]


def _interval(suite: Suite, board: Board, row: Row | None) -> str:
    if row is None or row["low"] is None:
        return "–"
    return f"{_score(suite, board, row['low'])} to {_score(suite, board, row['high'])}"


def _best_published(suite: Suite, board: Board) -> str:
    """The best figure that params.yaml lists for a track, whose it is, and where it stands."""
    metric = metrics_of(suite, board["track"])[board["metric"]]
    figures = [(row["system"], row["published"]) for row in board["rows"] if row["published"]]
    if not figures:
        return "–"
    name, best = max(figures, key=lambda figure: metric.gain(figure[1]["value"], 0.0))
    return f"{decimal(best['value'], metric.decimals)}, `{name}` ({best['source']})"


def _not_run(boards: Sequence[Board]) -> list[str]:
    missing = [f"`{key}` ({board['track']})" for board in boards for key in board["not_run"]]
    return [f"Configured and not run yet: {', '.join(missing)}."] if missing else []


def _stale(boards: Sequence[Board]) -> list[str]:
    rows = [f"`{row['system']}`" for board in boards for row in own_rows(board)
            if row["evidence"].get("stale")]
    return [f"Stale, because the code or the settings have changed since, and to be trained again: "
            f"{', '.join(rows)}."] if rows else []


def _floors(suite: Suite, boards: Sequence[Board]) -> str:
    failures = [f"- **{board['track']}**: `{row['system']}` has {board['metric']} "
                f"{_score(suite, board, row['value'])} and is under its floor "
                f"{_score(suite, board, board['floor'])}"
                for board in boards for row in under_floor(suite, board)]
    stated = sum(board["floor"] is not None for board in boards)
    if failures:
        return "\n".join(["Systems under their floor:", *failures])
    if not stated:
        return "No track states a floor, a score that a working system surely reaches."
    return f"Tracks that state a floor: {stated}; every system that must reach one does."


def _reading(suite: Suite, claims: Sequence[Claim]) -> str:
    lines = [
        f"- Intervals of scores are 95 %, from {suite.resamples:,} bootstrap resamples of the test "
        "items, drawn in the groups in which they were produced (a speaker's, a document's, "
        "neighbours in a running text). They are of the one training that the boards show and know "
        "nothing of other seeds.",
        "- The best published figure is the best of those that `params.yaml` lists for a track; "
        "the track's page has all of them and their sources. The literature may have better ones.",
        *how_to_read_claims(claims),
    ]
    if suite.evidence == "ci":
        lines.append("- Scores come from one command, `make repro`, and further seeds from `make "
                     "spread`. `make verify` trains every row again in an empty clone, and one "
                     "further seed of one track, and compares each score.")
    else:
        lines.append("- Every row of ours was run by this project; its page names commit, "
                     "processor and time. The predictions are committed, so anybody who has the "
                     f"corpus can score them again with `unrolled rescore --suite {suite.name}`.")
    return "\n".join(lines)
