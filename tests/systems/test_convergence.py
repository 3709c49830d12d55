"""When a training counts as converged, on curves made by hand."""

import pytest

from pipeline.systems.convergence import converged


@pytest.mark.parametrize(("losses", "patience", "expected"), [
    # The last two of eight are the last quarter: 2.00 falls by 0.2 % of what it ends at, or more.
    ([4.0, 3.0, 2.5, 2.2, 2.1, 2.0, 2.0, 1.9961], 0, True),
    ([4.0, 3.0, 2.5, 2.2, 2.1, 2.0, 1.999, 1.995], 0, False),
    # A rise after the lowest loss is no progress, however far it goes.
    ([1.4, 1.2, 1.3, 1.6, 2.0, 2.4, 2.6, 2.7], 0, True),
    # What was still found, but before the last quarter, does not count.
    ([4.0, 3.5, 3.0, 2.0, 1.5, 1.0, 1.0, 1.0], 0, True),
    # Halved, but by a thousandth of what it fell: nothing is left to learn.
    ([2.0, 0.5, 0.1, 0.01, 0.004, 0.0040, 0.003, 0.0021], 0, True),
    ([2.0, 0.5, 0.1, 0.05, 0.04, 0.0400, 0.03, 0.02], 0, False),
    # Negative losses (densities) have a size, too.
    ([-1.0, -2.0, -2.5, -2.6, -2.65, -2.66, -2.661, -2.662], 0, True),
    ([-1.0, -2.0, -2.5, -2.6, -2.7, -2.8, -2.9, -3.0], 0, False),
    # Nothing learnt at all is flat.
    ([0.1667, 0.1666, 0.1667, 0.1666], 0, True),
    # Too few validations show nothing.
    ([1.0, 1.0, 1.0], 0, False),
    ([], 0, False),
    # Ended by patience: the last two brought nothing, although the last quarter holds progress.
    ([4.0, 3.0, 2.0, 2.1, 2.2], 2, True),
    ([4.0, 3.0, 2.5, 2.0], 2, False),
    ([4.0, 3.0], 2, False),
])
def test_a_training_has_converged_when_its_loss_is_flat_or_its_patience_is_out(
        losses: list[float], patience: int, expected: bool) -> None:
    assert converged(losses, patience) is expected


def test_the_unit_of_the_loss_does_not_matter() -> None:
    for scale in (1e-6, 1.0, 1e6):
        assert converged([scale * loss for loss in (4, 3, 2, 1.997)], 0)
        assert not converged([scale * loss for loss in (4, 3, 2, 1.9)], 0)
