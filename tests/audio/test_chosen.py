"""A share of utterances is spread over every speaker, and read as if there were no others."""

from collections import Counter
from pathlib import Path

import numpy as np

from pipeline.audio.chosen import ChosenFrames, share_of_each
from pipeline.audio.frames import Frames, write_frames


def test_a_share_is_taken_evenly_from_every_speaker() -> None:
    speakers = ["ann", "bob"] * 6 + ["ann"] * 3 + ["eve"]  # ann 9, bob 6, eve 1
    places = share_of_each(speakers, 1 / 3)
    assert Counter(speakers[place] for place in places) == {"ann": 3, "bob": 2, "eve": 1}
    assert places.tolist() == [0, 1, 6, 7, 12, 15]  # ann's first, fourth, seventh; bob's 1st, 4th
    assert share_of_each(speakers, 1.0).tolist() == list(range(16))
    assert share_of_each(speakers, 0.001).tolist() == [0, 1, 15]


def test_chosen_frames_are_those_of_their_places(tmp_path: Path) -> None:
    write_frames(tmp_path, "train", [np.full((length, 2), length, np.float32)
                                     for length in (4, 1, 3, 2)])
    found = ChosenFrames(Frames(tmp_path, "train"), np.array([2, 0]))
    assert len(found) == 2 and found.lengths.tolist() == [3, 4]
    assert [frames.tolist() for frames in found] == [[[3.0, 3.0]] * 3, [[4.0, 4.0]] * 4]
