"""Boards and claims as they are committed, which have to be about what params.yaml says now.

A page sets what both say side by side, so one of another track, row or metric is refused before
anything is shown.
"""

from collections.abc import Mapping

from pipeline.errors import UserError
from pipeline.results.boards import Board, Claim, own
from pipeline.results.claims import read_claims
from pipeline.results.leaderboard import metrics_of
from pipeline.results.pictures.gallery import facets_of
from pipeline.results.trainings import rows_named
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import ClaimSettings, Suite

# Pictures that every board may have; any other is over a facet of its task.
OF_EVERY_BOARD = ("intervals", "cost", "curves")
_AGAIN = "take the committed file back, or run 'unrolled repro', which writes it again"


def read_board(suite: Suite, track: str) -> Board | None:
    """A leaderboard; None before there is one.

    Raises UserError for a file of another shape, and for one that is not of the track as
    params.yaml has it now.
    """
    path = suite.places.board(track)
    if not path.is_file():
        return None
    board = read_shaped(path, Board, _AGAIN)
    rows = [row["system"] for row in own(board["rows"])]
    known = {row for key in suite.systems_of(track) for row in suite.rows_of(key).values()}
    task = suite.track(track).task
    _refuse_first({
        "track": board["track"] != track, "task": board["task"] != task,
        "metric": board["metric"] not in metrics_of(suite, track),
        "rows": bool(set(rows) - known) or len(set(rows)) < len(rows)
        or any((row["low"] is None) != (row["high"] is None) for row in board["rows"]),
        "pictures": bool(set(board["pictures"]) - {*OF_EVERY_BOARD, *facets_of(task)}),
    }, str(path), f"not of the track {track!r} as params.yaml has it; {_AGAIN}")
    return board


def judged_claims(suite: Suite) -> Mapping[str, Claim]:
    """The claims that were judged, by id; none before any was.

    Raises UserError for claims of another shape, and for one that params.yaml states otherwise.
    """
    if not suite.places.claims.is_file():
        return {}
    judged = {claim["id"]: claim for claim in read_claims(suite)}
    for stated in suite.claims:
        if stated.id in judged:
            _refuse_first(_differences(stated, judged[stated.id]),
                          f"{suite.places.claims}, claim {stated.id!r}", "not what params.yaml "
                          "states; run 'unrolled repro', which judges it again")
    return judged


def _differences(stated: ClaimSettings, claim: Claim) -> dict[str, bool]:
    """Of each part of a claim that was judged, whether it is not what is stated."""
    contrast = stated.contrast and stated.contrast.model_dump()
    return {"track": claim["track"] != stated.track, "metric": claim["metric"] != stated.metric,
            "better": claim["better"] != stated.better,
            "worse": claim["worse"] not in stated.worse,
            "contrast": claim["contrast"] != contrast,
            "values": not set(rows_named(stated)) <= claim["values"].keys(),
            "high": (claim["low"] is None) != (claim["high"] is None)}


def _refuse_first(differs: Mapping[str, bool], place: str, told: str) -> None:
    """Raise UserError naming the first part that differs, if any does."""
    for name, wrong in differs.items():
        if wrong:
            raise UserError(f"{place}, {name}: {told}")
