"""Windows against a loop over the text, subsampling against its formula, batches of any size."""

from collections import Counter

import numpy as np
import pytest
import torch

from pipeline.tasks.embeddings.shared.negative_sampling import keep_probabilities
from pipeline.tasks.embeddings.shared.windows import CorruptedWindows, SubsampledWindows

TEXT = np.array([0, 1, 2, 3, 4, -1, 5, -1, 6, 7, 6, -1, -1, 8, 9, -1], np.int32)


def whole(windows, epoch: int = 0) -> list[dict]:
    return [windows.load(description) for description in windows.plan(epoch)]


def pairs(batches: list[dict]) -> Counter:
    found: Counter = Counter()
    for batch in batches:
        centres = torch.repeat_interleave(batch["centres"], batch["sizes"])
        found.update(zip(centres.tolist(), batch["contexts"].tolist(), strict=True))
    return found


def brute_force(text: list[int], reach: list[int]) -> Counter:
    found: Counter = Counter()
    for place, word in enumerate(text):
        for other in range(max(0, place - reach[place]), min(len(text), place + reach[place] + 1)):
            between = text[min(place, other) : max(place, other) + 1]
            if other != place and -1 not in between:
                found[word, text[other]] += 1
    return found


@pytest.mark.parametrize("batch_words", [1, 3, 100])
def test_pairs_are_those_of_a_loop_over_the_text(batch_words: int) -> None:
    windows = SubsampledWindows(TEXT, np.ones(10), 3, batch_words, seed=4, shuffle=True)
    _, _, reach, _ = windows.drawn(0)
    assert set(reach.tolist()) <= {1, 2, 3}
    assert pairs(whole(windows)) == brute_force(TEXT.tolist(), reach.tolist())
    assert len(windows.plan(0)) == -(-11 // batch_words)


def test_dropped_words_make_others_neighbours() -> None:
    keep = np.ones(10)
    keep[[1, 2]] = 0.0
    windows = SubsampledWindows(TEXT, keep, 1, 100, seed=1, shuffle=False)
    found = pairs(whole(windows))
    assert found[0, 3] == 1 and found[3, 0] == 1
    assert not any({1, 2} & set(pair) for pair in found)
    assert all(5 not in pair for pair in found)  # alone in its sentence


def test_words_are_kept_as_often_as_the_formula_says() -> None:
    counts = np.array([9000, 900, 100, 0])
    keep = keep_probabilities(counts, 0.01)
    assert keep == pytest.approx([(0.01 / 0.9) ** 0.5, (0.01 / 0.09) ** 0.5, 1.0, 1.0])
    text = np.repeat(np.arange(3), counts[:3])
    windows = SubsampledWindows(text, keep, 1, 100, seed=1, shuffle=True)
    kept = np.bincount(windows.drawn(3)[0], minlength=3)
    assert kept / counts[:3] == pytest.approx(keep[:3], abs=0.04)


def test_reaches_are_equally_likely_and_epochs_differ() -> None:
    windows = SubsampledWindows(np.zeros(30_000, np.int32), np.ones(1), 4, 100, 1, shuffle=True)
    first, second = windows.drawn(0)[2], windows.drawn(1)[2]
    assert np.bincount(first)[1:] / 30_000 == pytest.approx([0.25] * 4, abs=0.01)
    assert (first != second).any()
    again = SubsampledWindows(np.zeros(30_000, np.int32), np.ones(1), 4, 77, 1, shuffle=True)
    assert (again.drawn(1)[2] == second).all()


@pytest.mark.parametrize("batch_words", [1, 4, 100])
def test_corrupted_windows_keep_order_and_pad_the_ends(batch_words: int) -> None:
    windows = CorruptedWindows(TEXT, 10, 2, batch_words, seed=1, shuffle=False)
    batches = whole(windows)
    contexts = torch.cat([batch["contexts"] for batch in batches]).tolist()
    centres = torch.cat([batch["centres"] for batch in batches]).tolist()
    assert centres == [0, 1, 2, 3, 4, 5, 6, 7, 6, 8, 9]
    assert contexts[0] == [10, 10, 1, 2]
    assert contexts[2] == [0, 1, 3, 4]
    assert contexts[5] == [10, 10, 10, 10]
    assert contexts[7] == [10, 6, 6, 10]
    noise = torch.cat([batch["noise"] for batch in batches]).tolist()
    assert noise == windows.drawn(0)[0][TEXT >= 0].tolist() and set(noise) <= set(range(10))


def test_an_epoch_is_shuffled_and_whole() -> None:
    windows = CorruptedWindows(np.arange(50), 50, 1, 8, seed=1, shuffle=True)
    orders = [torch.cat([batch["centres"] for batch in whole(windows, epoch)]).tolist()
              for epoch in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50))
    assert orders[0] != orders[1] != list(range(50))
