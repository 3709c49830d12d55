"""Leaderboards and their pictures before and after a reproduction.

Ranks, seeds and pictures follow from the statistics of every test item. Where all scores and
bounds of a track came out equal, so must they, to the byte; where some moved, within tolerance, a
rank at the edge may move with them and no picture is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pipeline.results.boards import Board
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite
from pipeline.verification.comparison import Findings, json_differences


@dataclass(frozen=True)
class Standing:
    """A track's leaderboard and its pictures, by file name."""

    board: Board
    pictures: Mapping[str, bytes]

    @classmethod
    def of(cls, suite: Suite, track: str) -> Self:
        """As it lies there now."""
        folder = suite.places.pictures(track)
        return cls(read_shaped(suite.places.board(track), Board),
                   {path.name: path.read_bytes() for path in sorted(folder.glob("*"))})


def compare_standings(suite: Suite, track: str, committed: Standing, reproduced: Standing,
                      findings: Findings) -> None:
    """Hold a track's leaderboard and pictures against the reproduced ones."""
    place = suite.places.pictures(track).relative_to(suite.places.root).as_posix()
    if any(json_differences(_scores(committed.board), _scores(reproduced.board), "")):
        findings.unchecked.append(f"{place}: ranks and pictures, because scores of this track came "
                                  "out otherwise than committed, and were compared")
        return
    findings.note("leaderboards reproduced", list(json_differences(
        committed.board, reproduced.board, f"{place}.json")))
    names = sorted(committed.pictures.keys() | reproduced.pictures.keys())
    findings.note("pictures", [f"{place}/{name} did not come out as committed" for name in names
                               if committed.pictures.get(name) != reproduced.pictures.get(name)],
                  len(names))


def _scores(board: Board) -> dict[str, object]:
    return {row["system"]: row["metrics"] for row in board["rows"]}
