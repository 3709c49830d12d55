"""Noise and rooms against values worked out by hand, whatever the company and the padding."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from pipeline.audio.surroundings import (
    Noise,
    Reverberation,
    Surroundings,
    left_after,
    mean_over_time,
    noisy,
    reverberant,
)

LOUD = Noise(probability=1.0, least_snr=0.0, most_snr=0.0)
HALL = Reverberation(probability=1.0, least_seconds=0.6, most_seconds=0.6)


def decibels(ratio: Tensor) -> Tensor:
    return 10 * torch.log10(ratio)


def test_equal_power_adds_three_decibels_and_a_tenth_of_it_less_than_half_a_one() -> None:
    powers = torch.tensor([[[5.0, 0.02]] * 3, [[7.0, 300.0]] * 3])
    found = noisy(powers, torch.tensor([3, 3]), torch.tensor([0.0, 10.0]), torch.ones(2, 3, 2))
    gained = decibels(found / powers)
    torch.testing.assert_close(gained[0], torch.full((3, 2), 3.0103), atol=1e-4, rtol=0)
    torch.testing.assert_close(gained[1], torch.full((3, 2), 0.4139), atol=1e-4, rtol=0)


def test_noise_is_as_strong_as_the_mean_of_its_own_filter_and_as_the_dice_say() -> None:
    powers = torch.tensor([[[1.0, 8.0], [3.0, 0.0]]])  # means 2 and 4
    dice = torch.tensor([[[1.0, 0.5], [2.0, 0.25]]])
    found = noisy(powers, torch.tensor([2]), torch.tensor([0.0]), dice)
    torch.testing.assert_close(found, torch.tensor([[[3.0, 10.0], [7.0, 1.0]]]))


def test_a_tail_is_a_geometric_series() -> None:
    powers = torch.zeros(2, 6, 1)
    powers[:, 1] = 8.0
    powers[1, 2] = 1.0
    found = reverberant(powers, torch.tensor([0.5, 0.25]))[..., 0]
    assert found.tolist() == [[0.0, 8.0, 4.0, 2.0, 1.0, 0.5],
                              [0.0, 8.0, 3.0, 0.75, 0.1875, 0.046875]]


def test_steady_sound_grows_to_the_limit_of_the_series() -> None:
    found = reverberant(torch.ones(1, 200, 3), torch.tensor([0.9]))
    torch.testing.assert_close(found[0, -1], torch.full((3,), 10.0), rtol=1e-4, atol=0)


def test_a_room_decays_by_sixty_decibels_in_its_decay_time() -> None:
    left = left_after(0.01, torch.tensor([0.4, 0.3]))
    torch.testing.assert_close(decibels(left), torch.tensor([-1.5, -2.0]))
    tail = reverberant(torch.eye(41)[:, :1][None].expand(2, -1, -1), left)[..., 0]
    torch.testing.assert_close(decibels(tail[0, 40]), torch.tensor(-60.0))
    torch.testing.assert_close(decibels(tail[1, 30]), torch.tensor(-60.0))


@pytest.mark.parametrize("reverberation", [None, HALL])
@pytest.mark.parametrize("noise", [None, LOUD])
def test_a_mean_that_was_taken_away_changes_nothing(noise: Noise | None,
                                                    reverberation: Reverberation | None) -> None:
    """A microphone adds a constant in each filter, which goes through rooms and noise."""
    frames = torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(1))
    lengths, mean = torch.tensor([9, 6]), torch.tensor([-3.0, 0.0, 1.0, 4.0])
    made = Surroundings(noise, reverberation, 0.01, centred=False)
    torch.manual_seed(5)
    once = made.around(frames, lengths)
    torch.manual_seed(5)
    shifted = made.around(frames + mean, lengths)
    torch.testing.assert_close(shifted, once + mean)
    assert torch.equal(once, frames) == (noise is None and reverberation is None)


def test_centred_frames_keep_the_mean_of_their_utterance_and_others_do_not() -> None:
    frames, lengths = torch.randn(2, 9, 4), torch.tensor([9, 6])
    kept = Surroundings(LOUD, HALL, 0.01, centred=True).around(frames, lengths)
    torch.testing.assert_close(mean_over_time(kept, lengths), mean_over_time(frames, lengths))
    grown = Surroundings(LOUD, HALL, 0.01, centred=False).around(frames, lengths)
    assert (mean_over_time(grown, lengths) > mean_over_time(frames, lengths) + 0.5).all()


def test_company_and_padding_change_nothing() -> None:
    frames = torch.randn(3, 12, 4, generator=torch.Generator().manual_seed(2)).exp()
    lengths, ratios, left = (torch.tensor([12, 7, 5]), torch.tensor([3.0, 9.0, 0.0]),
                             torch.tensor([0.7, 0.5, 0.2]))
    dice = torch.rand(3, 12, 4)
    together = noisy(reverberant(frames, left), lengths, ratios, dice)
    for row, length in enumerate(lengths.tolist()):
        one = slice(row, row + 1)
        alone = noisy(reverberant(frames[one, :length], left[one]), lengths[one], ratios[one],
                      dice[one, :length])
        torch.testing.assert_close(together[one, :length], alone)


def test_what_stands_behind_an_end_stays() -> None:
    frames, lengths = torch.randn(2, 9, 4), torch.tensor([9, 6])
    frames[1, 6:] = 0
    found = Surroundings(LOUD, HALL, 0.01, centred=True).around(frames, lengths)
    assert not found[1, 6:].any() and not torch.isclose(found[1, :6], frames[1, :6]).all()


def test_as_many_utterances_are_changed_as_asked_for_and_the_others_are_the_same() -> None:
    torch.manual_seed(0)
    frames, lengths = torch.randn(4000, 3, 2), torch.full((4000,), 3)
    made = Surroundings(Noise(probability=0.3, least_snr=5.0, most_snr=20.0),
                        Reverberation(probability=0.5, least_seconds=0.2, most_seconds=0.8),
                        0.01, centred=False)
    found = made.around(frames, lengths)
    changed = (found != frames).flatten(1).any(dim=1)
    assert float(changed.float().mean()) == pytest.approx(1 - 0.7 * 0.5, abs=0.03)
    assert torch.equal(found[~changed], frames[~changed])


def test_ratios_are_drawn_from_all_of_their_range() -> None:
    torch.manual_seed(0)
    made = Surroundings(Noise(probability=1.0, least_snr=5.0, most_snr=20.0), None, 0.01,
                        centred=False)
    found = made.around(torch.zeros(4000, 20, 3), torch.full((4000,), 20))
    strength = (found.exp() - 1).mean(dim=(1, 2))
    assert float(strength.mean()) == pytest.approx(  # the mean of 10^-x for x from 0.5 to 2
        (10**-0.5 - 10**-2) / (1.5 * math.log(10)), rel=0.03)
    assert float(strength.median()) == pytest.approx(10**-1.25, rel=0.05)


@pytest.mark.parametrize(("kind", "entry"), [
    (Noise, {"probability": 0.5, "least_snr": 10.0, "most_snr": 5.0}),
    (Noise, {"probability": 0.0, "least_snr": 5.0, "most_snr": 10.0}),
    (Reverberation, {"probability": 0.5, "least_seconds": 0.5, "most_seconds": 0.2}),
    (Reverberation, {"probability": 0.5, "least_seconds": 0.0, "most_seconds": 0.2}),
])
def test_ranges_run_upwards_and_off_is_null(kind: type, entry: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(entry)
