"""Leaderboards, claims and overviews, made anew from what is committed and compared whole."""

from pipeline.results.boards import Board
from pipeline.results.claims import judge_all, read_claims, restated_all
from pipeline.results.leaderboard import build, render, restated, with_trainings
from pipeline.results.pictures.gallery import pictures
from pipeline.results.report import overview
from pipeline.results.tested import read_tests, recorded
from pipeline.storage.files import json_text
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings, json_differences
from pipeline.verification.whole_files import (
    NOT_WRITTEN_SO,
    json_file_differences,
    text_differences,
)


def check_pages(suite: Suite, findings: Findings) -> None:
    """Leaderboards, claims and overview must be what follows from metrics, costs and seeds."""
    boards = [build(suite, track) for track in suite.tracks]
    for board in boards:
        path, page = suite.places.board(board["track"]), suite.places.page(board["track"])
        if path.exists() or page.exists():
            findings.note("leaderboards", [f"{suite.suite}leaderboards: {text}"
                                           for text in _board_differences(suite, board)])
        else:
            findings.unchecked.append(
                f"{suite.name}: track {board['track']!r} has no committed leaderboard")
    _check_tests(suite, boards, findings)
    if suite.places.claims.exists():
        _check_overview(suite, boards, findings)


def _board_differences(suite: Suite, board: Board) -> list[str]:
    """Of a leaderboard, its page and, where the statistics of items are committed, its pictures.

    Elsewhere ranks and seeds are taken from the board itself, and are compared with those of a
    reproduction.
    """
    track = board["track"]
    if suite.evidence == "run":
        material = with_trainings(suite, board)
        # Drawing takes longest, and of other figures a picture is another one anyway.
        return (_file_differences(suite, track, material.board)
                or [f"{track}/{name}: is not what is drawn from the committed results"
                    for name, content in pictures(material)
                    if (there := suite.places.pictures(track) / name).exists()
                    and there.read_bytes() != content])
    path = suite.places.board(track)
    return _file_differences(suite, track, restated(board, read_shaped(path, Board))
                               if path.exists() else board)


def _file_differences(suite: Suite, track: str, board: Board) -> list[str]:
    """Of a leaderboard's file and of its page, from what `board` says."""
    return [*json_file_differences(suite.places.board(track), board),
            *text_differences(suite.places.page(track), render(suite, board))]


def _check_tests(suite: Suite, boards: list[Board], findings: Findings) -> None:
    """The record of test scores must hold those of the boards; it may hold more of the past."""
    path = suite.places.tests
    if not path.exists():
        return  # it lacks, which is said once
    known = read_tests(suite)
    lacking = sorted(f"{track}, {row}" for track, rows in recorded(known, boards).items()
                     for row, scores in rows.items() if scores != known.get(track, {}).get(row))
    findings.note("records of tests", [f"{suite.suite}tests.json: the present score of {text} is "
                                       "not in it; 'dvc repro' adds it" for text in lacking] +
                  [f"{suite.suite}{text}" for text in
                   text_differences(path, json_text(known), NOT_WRITTEN_SO)])


def _check_overview(suite: Suite, boards: list[Board], findings: Findings) -> None:
    claims = read_claims(suite)
    # Only a suite that was run once commits the predictions from which p follows.
    again = judge_all(suite) if suite.evidence == "run" else restated_all(suite, claims)
    found = list(json_differences(claims, again, "claims.json"))
    findings.note("claims", [f"{suite.suite}leaderboards: {text}" for text in found],
                  len(suite.claims))
    page = text_differences(suite.places.overview, overview(suite, boards, again))
    findings.note("overviews", [f"{suite.suite}leaderboards: {text}" for text in page])
