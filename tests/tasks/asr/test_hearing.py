"""What is heard in training: rooms and noise where they are asked for, and else what ever was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.systems.base import NeuralSystem
from pipeline.tasks.asr.shared.hearing import Hearing
from pipeline.tasks.asr.systems import attention, bilstm_ctc, deep_speech
from tests.tasks.asr.test_attention import SETTINGS as ATTENTION
from tests.tasks.asr.test_bilstm_ctc import SETTINGS as BILSTM
from tests.tasks.asr.test_deep_speech import SETTINGS as DEEP_SPEECH

NOISE = {"probability": 1.0, "least_snr": 5.0, "most_snr": 20.0}
ROOM = {"probability": 1.0, "least_seconds": 0.2, "most_seconds": 0.8}
SPEC: dict[str, Any] = {"dimension": 3, "symbols": [" ", "A"], "mean": [0.5, -1.0, 2.0],
                        "deviation": [2.0, 0.5, 1.0], "normalise": "speaker",
                        "front_end": {"kind": "log-mel", "deltas": 0, "hop_ms": 10.0}}
SYSTEMS: list[tuple[Callable[..., NeuralSystem], Any, dict]] = [
    (bilstm_ctc.BilstmCtc, bilstm_ctc.Settings, BILSTM),
    (deep_speech.DeepSpeech, deep_speech.Settings, DEEP_SPEECH),
    (attention.AttentionRecogniser, attention.Settings, ATTENTION)]
PLAIN = {"input_noise": 0.0, "time_masks": 0, "feature_masks": 0}


def hearing(spec: dict[str, Any] | None = None, **changes: Any) -> Hearing:
    return Hearing(bilstm_ctc.Settings.model_validate(BILSTM | PLAIN | changes),
                   spec or SPEC).train()


def test_without_rooms_and_noise_numbers_are_drawn_for_what_was_there_before() -> None:
    """Standardised by hand, and as many numbers drawn as the noise of features takes."""
    frames, lengths = torch.randn(2, 7, 3), torch.tensor([7, 5])
    standardised = (frames - torch.tensor(SPEC["mean"])) / torch.tensor(SPEC["deviation"])
    torch.manual_seed(3)
    found = hearing(input_noise=0.5, noise=None, reverberation=None)(frames, lengths)
    after = torch.random.get_rng_state()
    torch.manual_seed(3)
    assert torch.equal(found, standardised + 0.5 * torch.randn(2, 7, 3))
    assert torch.equal(after, torch.random.get_rng_state())


@pytest.mark.parametrize("changes", [{"noise": NOISE}, {"reverberation": ROOM},
                                     {"noise": NOISE, "reverberation": ROOM}])
def test_rooms_and_noise_are_heard_in_training_alone(changes: dict) -> None:
    frames, lengths = torch.randn(2, 7, 3), torch.tensor([7, 5])
    plain, changed = hearing(), hearing(**changes)
    heard = changed(frames, lengths)
    assert not torch.isclose(heard[0], plain(frames, lengths)[0]).all()
    # Frames of which a mean was taken away keep it: the noise is in how they differ.
    torch.testing.assert_close(heard[1, :5].mean(dim=0), plain(frames, lengths)[1, :5].mean(dim=0))
    assert torch.equal(changed.eval()(frames, lengths), plain(frames, lengths))


def test_frames_of_which_no_mean_was_taken_away_grow() -> None:
    frames, lengths = torch.randn(1, 9, 3), torch.tensor([9])
    found = hearing(SPEC | {"normalise": "none"}, noise=NOISE)(frames, lengths)
    assert (found > hearing()(frames, lengths)).all()


@pytest.mark.parametrize(("wrong", "told"), [
    ({"front_end": {"kind": "mfcc", "deltas": 0, "hop_ms": 10.0}}, "this one is mfcc"),
    ({"front_end": {"kind": "log-mel", "deltas": 2, "hop_ms": 10.0}}, "with deltas 2"),
    ({"normalise": "utterance"}, "normalised by utterance"),
])
@pytest.mark.parametrize("changes", [{"noise": NOISE}, {"reverberation": ROOM}])
def test_what_are_no_powers_is_refused(wrong: dict, told: str, changes: dict) -> None:
    with pytest.raises(UserError, match=f"track asr: noise and reverberation .*{told}.* to null"):
        hearing(SPEC | wrong, **changes)
    hearing(SPEC | wrong)


@pytest.mark.parametrize(("system", "kind", "entry"), SYSTEMS)
def test_a_network_learns_from_its_share_and_is_validated_on_all(
        features: Path, system: Callable[..., NeuralSystem], kind: Any, entry: dict) -> None:
    made = system(kind.model_validate(entry | {"training_share": 0.25}),
                  read_json(features / "fit" / "spec.json"))
    for epoch in range(3):
        batches = made.batches(features / "fit", "train", seed=0)
        loaded = [batches.load(one) for one in batches.plan(epoch)]
        assert sum(len(batch["lengths"]) for batch in loaded) == 15  # of 60, of one speaker
    valid = made.batches(features / "fit", "valid", seed=0)
    assert sum(len(valid.load(one)["lengths"]) for one in valid.plan(0)) == 8


@pytest.mark.parametrize(("system", "kind", "entry"), SYSTEMS)
def test_a_loss_in_rooms_and_noise_is_another_and_has_gradients(
        features: Path, system: Callable[..., NeuralSystem], kind: Any, entry: dict) -> None:
    losses = []
    for changes in ({}, {"noise": NOISE, "reverberation": ROOM}):
        torch.manual_seed(0)
        made = system(kind.model_validate(entry | PLAIN | {"dropout": 0.0} | changes),
                      read_json(features / "fit" / "spec.json")).train()
        batches = made.batches(features / "fit", "train", seed=0)
        total, _ = made.loss(batches.load(batches.plan(0)[0]))
        total.backward()
        assert all(one.grad is not None and one.grad.isfinite().all() for one in made.parameters())
        losses.append(float(total.detach()))
    assert losses[0] != pytest.approx(losses[1], rel=1e-4)
