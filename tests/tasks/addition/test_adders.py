"""The adders: what each reads, that the carry is learnt, and what more examples change."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.entries import TrainingSettings
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.addition.figures import read_out, true_carry
from pipeline.tasks.addition.shared.adder import Adder
from pipeline.tasks.addition.shared.batching import PairBatches
from pipeline.tasks.addition.shared.storage import Pairs
from pipeline.tasks.addition.systems import feed_forward, recurrent

OWN = {"recurrent": {"cell": "elman", "hidden": 10, "layers": 1},
       "feed_forward": {"hidden": 64, "layers": 2}}
MODULES = {"recurrent": (recurrent.Settings, recurrent.RecurrentAdder),
           "feed_forward": (feed_forward.Settings, feed_forward.FeedForwardAdder)}


def new(model: str, **changes: object) -> Adder:
    training = TrainingSettings(
        epochs=4, optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_steps=0,
        weight_decay=0.0, gradient_clip=1.0, patience=0)
    kind, system = MODULES[model]
    torch.manual_seed(1)
    return system(kind.model_validate({
        "track": "t", "model": model, "examples": 1000, "updates": 100,
        "batch_pairs": 16, "training": training, **OWN[model], **changes}),
        {"bits": 6, "trained": 3})


def exact(system: Adder, extracted: Path, bits: int) -> float:
    sums = {item["id"]: item["sum"] for item in read_json(extracted / "test/items.json")
            if len(item["first"]) == bits}
    right = [found["sum"] == sums[found["id"]]
             for found in system.predict(extracted / "test", None) if found["id"] in sums]
    assert len(right) == len(sums)
    return float(np.mean(right))


def test_an_elman_network_learns_to_carry_and_adds_longer_numbers(extracted: Path,
                                                                  tmp_path: Path) -> None:
    system = new("recurrent")
    system.fit(extracted / "fit", Run(seed=1, work=tmp_path))
    assert exact(system, extracted, 3) == exact(system, extracted, 5) == 1
    bits = np.random.default_rng(2).integers(0, 2, (200, 2))
    states = system.states_along(torch.from_numpy(bits[None]).float())[0].numpy()
    carry = true_carry(bits[:, 0], bits[:, 1])
    *weights, constant = read_out(states[:100], carry[:100])
    assert np.mean((states[100:] @ weights + constant > 0.5) == carry[100:]) > 0.95


def test_a_feed_forward_network_adds_what_it_has_seen_and_no_more(extracted: Path,
                                                                  tmp_path: Path) -> None:
    system = new("feed_forward")
    before = system.output.weight[4:].clone()
    system.fit(extracted / "fit", Run(seed=1, work=tmp_path))
    assert exact(system, extracted, 3) > 0.9
    assert exact(system, extracted, 5) < 0.5
    # Outputs of places that no training sum has were never asked for.
    assert torch.equal(system.output.weight[4:], before)


@pytest.mark.parametrize("model", MODULES)
def test_an_answer_does_not_depend_on_longer_pairs_beside_it(model: str, extracted: Path) -> None:
    system = new(model).eval()
    pairs = torch.randint(0, 2, (3, 5, 2), generator=torch.Generator().manual_seed(4)).float()
    alone = torch.cat([pairs, torch.zeros(3, 2, 2)], dim=1)
    torch.testing.assert_close(system.logits(alone)[:, :5], system.logits(pairs))


@torch.no_grad()
def test_the_loss_is_that_of_the_sums_own_bits(extracted: Path) -> None:
    system = new("recurrent").eval()
    pairs = torch.tensor([[[1, 1], [1, 0], [0, 0]], [[1, 0], [0, 0], [0, 0]]]).float()
    sums = torch.tensor([[0, 0, 1], [1, 0, 0]]).float()
    total, terms = system.loss({"pairs": pairs, "sums": sums, "lengths": torch.tensor([2, 1])})
    ones = torch.sigmoid(system.logits(pairs)).double()
    expected = -(torch.log(1 - ones[0, 0]) + torch.log(1 - ones[0, 1]) + torch.log(ones[0, 2])
                 + torch.log(ones[1, 0]) + torch.log(1 - ones[1, 1]))
    assert float(total) == pytest.approx(float(expected), rel=1e-5)
    assert terms == 5


def test_answers_are_written_most_significant_bit_first(extracted: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    system = new("recurrent")
    monkeypatch.setattr(system, "logits", lambda pairs: pairs[..., 0] - 0.5)  # the first number
    items = {item["id"]: item for item in read_json(extracted / "test/items.json")}
    for found in system.predict(extracted / "test", None):
        assert found["sum"] == "0" + items[found["id"]]["first"]


@pytest.mark.parametrize("examples", [7, 1000])
def test_an_epoch_has_as_many_batches_however_few_the_examples(examples: int,
                                                               extracted: Path) -> None:
    batches = PairBatches(extracted / "fit", "train", batch=16, seed=1, examples=examples,
                          updates=11)
    plans = [batches.plan(epoch) for epoch in range(2)]
    known = min(examples, 84)
    for plan in plans:
        assert [len(items) for items in plan] == [16] * 11
        used = np.concatenate(plan)
        assert set(used) == set(range(known))
        counts = np.bincount(used)
        assert counts.max() - counts.min() <= 1
    assert not np.array_equal(np.concatenate(plans[0]), np.concatenate(plans[1]))


def test_validation_uses_every_pair_once(extracted: Path) -> None:
    batches = new("recurrent", examples=5).batches(extracted / "fit", "valid", 1)
    assert np.concatenate(batches.plan(3)).tolist() == list(range(64))
    assert len(Pairs.read(extracted / "fit", "valid").lengths) == 64
