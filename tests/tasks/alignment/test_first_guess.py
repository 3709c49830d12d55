"""First alignments: equal shares, all cuts alike, and what Gaussians find."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pipeline.storage.files import read_json
from pipeline.tasks.alignment.shared import gaussians
from pipeline.tasks.alignment.shared.batching import Utterances
from pipeline.tasks.alignment.shared.first_guess import guessed_starts, random_cuts, uniform


def test_equal_shares_differ_by_a_frame_at_most() -> None:
    starts = uniform(4, 10)
    assert starts[0] == 0
    assert sorted(np.diff([*starts, 10]).tolist()) == [2, 2, 3, 3]
    assert uniform(3, 3).tolist() == [0, 1, 2]


def test_all_cuts_are_equally_probable() -> None:
    random = np.random.default_rng(1)
    drawn = Counter(tuple(random_cuts(3, 5, random).tolist()) for _ in range(6000))
    # Two of the four places behind the first frame.
    assert set(drawn) == {(0, one, other) for one in range(1, 5) for other in range(one + 1, 5)}
    assert max(drawn.values()) < 1.2 * min(drawn.values())


def test_one_seed_draws_the_same_again(features: Path) -> None:
    labels = read_json(features / "fit" / "spec.json")["phones"]
    train = Utterances.of(features / "fit", "train", labels)
    one, again, other = (np.concatenate(guessed_starts("random", train, labels, seed)).tolist()
                         for seed in (1, 1, 2))
    assert one == again != other


def test_a_good_guess_is_nearer_than_equal_shares(features: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    # Tones are heard through fewer filters than speech.
    monkeypatch.setattr(gaussians, "DEFAULT_COEFFICIENTS", 8)
    labels = read_json(features / "fit" / "spec.json")["phones"]
    train = Utterances.of(features / "fit", "train", labels)
    truth = np.concatenate(train.known_starts())

    def wrong(guess: str) -> float:
        found = guessed_starts(guess, train, labels, 1)  # type: ignore[arg-type]
        return float(np.abs(np.concatenate(found) - truth).mean())

    assert wrong("good") < 0.5 * wrong("uniform")
