"""Every frame of a batch has its own state, however utterances are shuffled."""

from pathlib import Path

import numpy as np

from pipeline.audio.frames import write_frames
from pipeline.tasks.asr.shared.frame_targets import NO_STATE, FrameTargets


def test_states_are_those_of_their_frames_behind_shuffling(tmp_path: Path) -> None:
    lengths = [5, 2, 9, 1, 7, 4]
    # A frame says in its first feature where it stands in the split; its state follows from that.
    places = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
    write_frames(tmp_path, "train",
                 [np.stack([own, own * 0], axis=1).astype(np.float32) for own in places])
    states = (np.arange(sum(lengths)) * 7 + 3) % 11
    states[places[2]] = -5  # an utterance whose transcript has no path
    states[places[4][0]] = -1
    source = FrameTargets(tmp_path, "train", 4, seed=3, states=states)
    orders = []
    for epoch in range(2):
        seen = []
        for description in source.plan(epoch):
            batch = source.load(description)
            assert batch["states"].shape == batch["frames"].shape[:2]
            for row, length in enumerate(batch["lengths"].tolist()):
                own = batch["frames"][row, :length, 0].long().numpy()
                np.testing.assert_array_equal(batch["states"][row, :length],
                                              np.maximum(states[own], NO_STATE))
                assert (batch["states"][row, length:] == NO_STATE).all()
                seen += own.tolist()
        assert sorted(seen) == list(range(sum(lengths)))
        orders.append(seen)
    assert orders[0] != orders[1]
