"""Each adder has the figures that it can have, the same ones on every run."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.storage.files import read_json
from pipeline.tasks.addition.figures import correlations, draw, read_out, true_carry


class Carrier:
    """Its first unit is the carry's sum so far, its second never changes."""

    def states_along(self, pairs: torch.Tensor) -> torch.Tensor:
        return torch.stack([pairs.sum(dim=2).cumsum(dim=1), torch.zeros(pairs.shape[:2])], dim=2)


@pytest.mark.parametrize(("system", "figure"), [(Carrier(), "carry.png"), (None, None)])
def test_figures(system: object, figure: str | None, extracted: Path, tmp_path: Path) -> None:
    answers = [{"id": item["id"], "sum": item["sum"]}
               for item in read_json(extracted / "test/items.json")]
    for folder in ("one", "two"):
        (tmp_path / folder / "row").mkdir(parents=True)
        draw(system, {"plain": answers}, extracted / "test", tmp_path / folder / "row")
    written = {path.name: path.read_bytes() for path in (tmp_path / "one" / "row").iterdir()}
    assert set(written) == {"by_length-plain.txt", *filter(None, [figure])}
    for name, content in written.items():
        assert (tmp_path / "two" / "row" / name).read_bytes() == content
        assert name.endswith(".txt") or content.startswith(b"\x89PNG")
    assert written["by_length-plain.txt"].decode().splitlines()[1:] == [
        "    2      16     100.0          100.0", "    3      64     100.0          100.0",
        "    5      64     100.0          100.0"]


def test_the_true_carry_by_hand() -> None:
    # 0111 + 0011 = 1010, least significant bit first
    assert true_carry(np.array([1, 1, 1, 0]), np.array([1, 1, 0, 0])).tolist() == [1, 1, 1, 0]


def test_correlations_are_those_of_numpy() -> None:
    random = np.random.default_rng(1)
    states, carry = random.normal(size=(30, 4)), random.integers(0, 2, 30)
    expected = [np.corrcoef(states[:, unit], carry)[0, 1] for unit in range(4)]
    assert correlations(states, carry) == pytest.approx(expected)
    assert correlations(np.ones((30, 2)), carry).tolist() == [0, 0]


def test_a_read_out_finds_the_line_that_made_the_carry() -> None:
    states = np.random.default_rng(2).normal(size=(20, 3))
    weights = read_out(states, states @ [0.5, -2.0, 0.0] + 0.25)
    assert weights == pytest.approx([0.5, -2.0, 0.0, 0.25], abs=1e-9)
