"""Masks: constant over time where they are locked, right in expectation, absent in evaluation."""

import pytest
import torch

from pipeline.nn.dropout import FreshDropout, LockedDropout, embedding_with_dropout


def test_a_mask_is_the_same_at_all_times_and_differs_between_sequences() -> None:
    torch.manual_seed(0)
    dropped = LockedDropout(0.4)(torch.ones(9, 3, 200))
    assert torch.equal(dropped, dropped[:1].expand(9, -1, -1))
    assert not torch.equal(dropped[0, 0], dropped[0, 1])


def test_kept_features_are_scaled_so_that_the_expectation_stays() -> None:
    torch.manual_seed(0)
    dropped = LockedDropout(0.4)(torch.ones(1, 50, 1000))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.6])
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.83])
def test_fresh_masks_drop_each_entry_by_itself(p: float) -> None:
    torch.manual_seed(0)
    kept = FreshDropout(p)(torch.ones(40, 50, 101)) > 0
    deviation = (p * (1 - p)) ** 0.5
    assert kept.float().mean().item() == pytest.approx(1 - p, abs=4 * deviation / 202_000**0.5)
    for dim, neighbours in enumerate((40, 50, 101)):
        first, second = (kept.narrow(dim, start, neighbours - 1) for start in (0, 1))
        both = (first & second).float().mean()
        assert both.item() == pytest.approx((1 - p) ** 2, abs=0.01)


def test_fresh_masks_keep_the_expectation_and_come_from_the_seed() -> None:
    drop = FreshDropout(0.3)
    torch.manual_seed(4)
    first = drop(torch.ones(300, 301))
    assert first.mean().item() == pytest.approx(1, abs=0.01)
    assert not torch.equal(drop(torch.ones(300, 301)), first)
    torch.manual_seed(4)
    assert torch.equal(drop(torch.ones(300, 301)), first)


@pytest.mark.parametrize("kind", [LockedDropout, FreshDropout])
def test_nothing_is_dropped_in_evaluation_or_at_zero(kind: type[torch.nn.Module]) -> None:
    inputs = torch.randn(2, 3, 4)
    assert kind(0.5).eval()(inputs) is inputs
    assert kind(0.0)(inputs) is inputs


def test_a_word_type_is_dropped_wherever_it_stands() -> None:
    torch.manual_seed(0)
    tokens = torch.arange(100).repeat(3, 2)
    embedded = embedding_with_dropout(tokens, torch.ones(100, 5), 0.3)
    by_type = embedded.reshape(6, 100, 5)
    assert torch.equal(by_type, by_type[:1].expand(6, -1, -1))
    whole_words = by_type[0].sum(1)
    assert whole_words.unique().tolist() == pytest.approx([0, 5 / 0.7])
    assert (whole_words == 0).float().mean().item() == pytest.approx(0.3, abs=0.12)


@pytest.mark.parametrize("kind", [LockedDropout, FreshDropout])
def test_an_impossible_probability_is_refused(kind: type[torch.nn.Module]) -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\)"):
        kind(1.0)
