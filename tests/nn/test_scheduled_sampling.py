"""Scheduled sampling: which tokens a decoder reads, and that nothing but the generator decides."""

import pytest
import torch

from pipeline.nn.scheduled_sampling import sampled_inputs

VOCABULARY = 6


class Chain:
    """After token t surely comes t + 1, whatever came before; counts its calls."""

    def __init__(self) -> None:
        self.read: list[list[int]] = []

    def __call__(self, tokens: torch.Tensor) -> torch.Tensor:
        self.read.append(tokens.tolist())
        one_hot = torch.nn.functional.one_hot((tokens + 1) % VOCABULARY, VOCABULARY)
        return one_hot.float().log()


CORRECT = torch.tensor([[1, 5, 5, 5], [2, 5, 5, 5]])


def test_probability_one_is_teacher_forcing_and_draws_nothing():
    chain = Chain()
    before = torch.get_rng_state()
    assert sampled_inputs(CORRECT, 1.0, chain) is CORRECT
    assert chain.read == [] and torch.equal(torch.get_rng_state(), before)


def test_probability_zero_reads_what_was_drawn():
    chain = Chain()
    assert sampled_inputs(CORRECT, 0.0, chain).tolist() == [[1, 2, 3, 4], [2, 3, 4, 5]]
    # The drawn tokens, not the correct ones, are what the next draw depends on.
    assert chain.read == [[1, 2], [2, 3], [3, 4]]
    assert CORRECT.tolist() == [[1, 5, 5, 5], [2, 5, 5, 5]]


@pytest.mark.parametrize("probability", [0.2, 0.7])
def test_tokens_stay_with_the_given_probability(probability):
    correct = torch.full((400, 26), 5)
    never = torch.full((VOCABULARY,), -torch.inf)
    never[3] = 0.0
    torch.manual_seed(0)
    found = sampled_inputs(correct, probability, lambda tokens: never.expand(len(tokens), -1))
    assert torch.equal(found[:, 0], correct[:, 0])
    kept = (found[:, 1:] == 5).float()
    assert float(kept.mean()) == pytest.approx(probability, abs=0.02)
    # Independent: a token's stay says nothing of the next one's.
    both = (kept[:, 1:] * kept[:, :-1]).mean()
    assert float(both) == pytest.approx(probability**2, abs=0.02)


def test_tokens_are_drawn_from_the_distribution_and_the_seed_repeats_them():
    shares = torch.tensor([0.0, 0.1, 0.2, 0.3, 0.4, 0.0])
    correct = torch.full((500, 11), 5)

    def drawn() -> torch.Tensor:
        torch.manual_seed(3)
        return sampled_inputs(correct, 0.0, lambda tokens: shares.log().expand(len(tokens), -1))

    counts = drawn()[:, 1:].flatten().bincount(minlength=VOCABULARY) / 5000
    torch.testing.assert_close(counts, shares, atol=0.025, rtol=0)
    assert torch.equal(drawn(), drawn())
