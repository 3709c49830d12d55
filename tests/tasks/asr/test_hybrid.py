"""A network in the Gaussians' place: its scores by Bayes' rule, its loss, and what it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.audio.frames import Frames
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.asr.shared.acoustics import Flow, Training, alignment
from pipeline.tasks.asr.shared.cepstra import hear
from pipeline.tasks.asr.systems.hybrid import Hybrid, Settings
from tests.tasks.asr.drawing import drawn_twice
from tests.tasks.asr.spoken import LEXICON, SIZE, SPEC, drawn, errors_of, write_split
from tests.tasks.asr.test_acoustics import DECODING, TRIPHONES

TDNN = {"kind": "tdnn", "hidden": 48, "dilations": [1, 2, 3]}
LSTM = {"kind": "lstm", "hidden": 16, "layers": 2}
SETTINGS = {
    "track": "asr", "model": "hybrid", "acoustics": TRIPHONES, "network": TDNN, "dropout": 0.1,
    "input_noise": 0.1, "time_masks": 1, "time_mask_frames": 3, "feature_masks": 1,
    "feature_mask_width": 1, "batch_utterances": 6,
    "training": {"epochs": 6, "optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine",
                 "warmup_steps": 5, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0},
    "decoding": DECODING.model_dump(),
    "rescoring": {"count": 20, "mixes": [0.25, 0.5],
                  "recurrent": {"embedding": 4, "hidden": 6, "dropout": 0.1, "batch_sentences": 8,
                                "learning_rate": 0.01, "epochs": 3, "patience": 1}},
    "variants": {"any": {"language_model": "uniform"}, "pairs": {"language_model": "bigram"},
                 "rescored": {"language_model": "bigram and recurrent"}},
}


def new(**changes: object) -> Hybrid:
    torch.manual_seed(0)
    return Hybrid(Settings.model_validate({**SETTINGS, **changes}), SPEC)


@pytest.fixture(scope="module")
def fitted(words: Path, tmp_path_factory: pytest.TempPathFactory) -> Hybrid:
    system = new()
    system.curve = system.fit(words / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    return system


@pytest.fixture(scope="module")
def aligned(words: Path) -> dict[str, np.ndarray]:
    """The state of every frame by Gaussians alone."""
    heard = hear(words / "fit", "train", SIZE)
    model = Training(heard, LEXICON, lambda *_: None).through(Flow.model_validate(TRIPHONES))
    found = {split: hear(words / "fit", split, SIZE) for split in ("train", "valid")}
    return {split: alignment(model, one, one.texts, LEXICON) for split, one in found.items()}


def plain(system: Hybrid, test: Path) -> list[dict]:
    """Answers to what the plain voice says: no network is told of the other one."""
    items = read_json(test / "test.items.json")
    return [answer for answer, item in zip(
        system.predict(test, system.settings.variants["any"]), items, strict=True)
        if item["speaker"] == "plain"]


def test_words_are_learnt(fitted: Hybrid, words: Path) -> None:
    references = {item["id"]: item["reference"]
                  for item in read_json(words / "test/test.items.json")}
    found = plain(fitted, words / "test")
    assert sum(answer["hypothesis"] != references[answer["id"]] for answer in found) == 0
    assert fitted.curve[-1]["loss"] < 0.5 * fitted.curve[0]["loss"]


@pytest.mark.parametrize("name", ["pairs", "rescored"])
def test_a_loaded_system_answers_the_same(name: str, fitted: Hybrid, words: Path,
                                          tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = Hybrid.load(tmp_path)
    variant = fitted.settings.variants[name]
    assert (list(loaded.predict(words / "test", variant))
            == list(fitted.predict(words / "test", variant)))
    assert loaded.parameters_count == fitted.parameters_count


def test_two_passes_choose_from_a_grid_of_their_own(fitted: Hybrid, words: Path) -> None:
    assert list(fitted.vocabulary.tried) == ["uniform", "bigram"]
    assert fitted.second is not None
    (trials,) = fitted.second.trials.values()
    assert list(fitted.second.trials) == ["bigram and recurrent"]
    assert [(one["mix"], one["language"], one["word"]) for one in trials] == [
        (mix, language, 0.0) for mix in (0.25, 0.5) for language in (1.0, 2.0)]
    found, other = (list(fitted.predict(words / "test", fitted.settings.variants[name]))
                    for name in ("rescored", "pairs"))
    assert [answer["id"] for answer in found] == [answer["id"] for answer in other]
    assert found != other, "scores are of another language model"
    # The language model counts as part of the system, which does without where no row asks for it.
    alone = new(rescoring=None, variants={"any": {"language_model": "uniform"}})
    assert fitted.parameters_count - alone.parameters_count == (
        fitted.second.recurrent.parameters_count)


def test_a_second_pass_is_drawn_with_the_states(fitted: Hybrid, words: Path,
                                                tmp_path: Path) -> None:
    written = drawn_twice(fitted, words / "test", tmp_path / "a")
    assert {"mixes.png", "states.png", "weights.png", "oracle.png"} <= set(written)


def test_a_seed_gives_the_same_language_model(fitted: Hybrid, words: Path,
                                              tmp_path: Path) -> None:
    again = new(training={**SETTINGS["training"], "epochs": 1})  # type: ignore[dict-item]
    torch.manual_seed(99)
    again.fit(words / "fit", Run(seed=1, work=tmp_path))
    assert again.second is not None and fitted.second is not None
    for one, other in zip(again.second.tensors().values(), fitted.second.tensors().values(),
                          strict=True):
        assert torch.equal(one, other)


def test_two_passes_without_a_second_one_are_refused() -> None:
    with pytest.raises(ValueError, match="two passes needs `rescoring`"):
        new(rescoring=None)


@pytest.mark.parametrize("split", ["train", "valid"])
def test_batches_have_the_states_of_the_alignment_without_fitting(
        split: str, words: Path, aligned: dict[str, np.ndarray]) -> None:
    source = new().batches(words / "fit", split, seed=1)
    heard = hear(words / "fit", split, SIZE)
    seen = 0
    for description in source.plan(0):
        batch = source.load(description)
        for row, item in enumerate(description.items):
            own = aligned[split][heard.offsets[item] : heard.offsets[item + 1]]
            np.testing.assert_array_equal(batch["states"][row, : len(own)], own)
            assert (batch["states"][row, len(own):] == -1).all()
            seen += 1
    assert seen == len(heard.items)


def test_priors_are_frequencies_of_the_alignment(fitted: Hybrid,
                                                 aligned: dict[str, np.ndarray]) -> None:
    counts = np.bincount(aligned["train"], minlength=150)
    assert fitted.priors.shape == (150,)
    priors = np.exp(fitted.priors.numpy())
    np.testing.assert_allclose(priors[counts > 0], (counts / counts.sum())[counts > 0], rtol=1e-5)
    # Phones of no word have states that no frame is in.
    assert (counts == 0).sum() > 50
    np.testing.assert_allclose(priors[counts == 0], 1 / counts.sum(), rtol=1e-5)


def test_scores_are_posteriors_over_priors(fitted: Hybrid, words: Path) -> None:
    frames = Frames(words / "test", "test")[0]
    batch = torch.from_numpy(np.array(frames))[None], torch.tensor([len(frames)])
    with torch.no_grad():
        posteriors = fitted.eval()(*batch)[0].double().exp().numpy()
    np.testing.assert_allclose(posteriors.sum(axis=1), 1, rtol=1e-5)
    (found,) = fitted.alone(fitted.scores, [frames])
    np.testing.assert_allclose(
        found, np.log(posteriors) - fitted.priors.numpy().astype(np.float64), atol=1e-4)


@pytest.mark.parametrize("network", [TDNN, LSTM], ids=["tdnn", "lstm"])
def test_padding_changes_no_posterior(network: dict, words: Path) -> None:
    system = new(network=network).eval()
    source = system.batches(words / "fit", "valid", seed=0)
    batch = source.load(source.plan(0)[0])
    assert len(set(batch["lengths"].tolist())) > 1
    with torch.no_grad():
        together = system(batch["frames"], batch["lengths"])
        for row, length in enumerate(batch["lengths"].tolist()):
            alone = system(batch["frames"][row : row + 1, :length], batch["lengths"][row : row + 1])
            torch.testing.assert_close(together[row, :length], alone[0], atol=1e-5, rtol=1e-5)


def test_loss_is_the_cross_entropy_of_frames_with_a_state(words: Path) -> None:
    system = new().eval()
    source = system.batches(words / "fit", "valid", seed=0)
    batch = source.load(source.plan(0)[0])
    batch["states"][0] = -1  # an utterance without a path
    batch["states"][1, :3] = -1
    with torch.no_grad():
        total, terms = system.loss(batch)
        logs = system(batch["frames"], batch["lengths"])
    each = [-float(logs[row, time, state]) for row, states in enumerate(batch["states"].tolist())
            for time, state in enumerate(states) if state >= 0]
    assert terms == len(each) < int(batch["lengths"].sum())
    assert float(total) == pytest.approx(sum(each), rel=1e-5)
    batch["frames"][0] += 5
    with torch.no_grad():
        assert float(system.loss(batch)[0]) == pytest.approx(float(total), rel=1e-6)


@pytest.mark.parametrize("network", [TDNN, LSTM], ids=["tdnn", "lstm"])
def test_every_parameter_gets_a_gradient(network: dict, words: Path) -> None:
    system = new(network=network).train()
    source = system.batches(words / "fit", "train", seed=0)
    system.loss(source.load(source.plan(0)[0]))[0].backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0
               for parameter in system.parameters())


def test_augmentation_is_for_training_alone(fitted: Hybrid, words: Path) -> None:
    source = fitted.batches(words / "fit", "valid", seed=0)
    batch = source.load(source.plan(0)[0])
    with torch.no_grad():
        assert torch.equal(*(fitted.eval()(batch["frames"], batch["lengths"]) for _ in range(2)))
        assert not torch.equal(*(fitted.train()(batch["frames"], batch["lengths"])
                                 for _ in range(2)))
    fitted.eval()


@pytest.mark.parametrize("network", [TDNN, LSTM], ids=["tdnn", "lstm"])
def test_recordings_of_a_moment_are_answered(network: dict, fitted: Hybrid, words: Path,
                                             tmp_path: Path) -> None:
    system = fitted if network == TDNN else _untrained(network, words)
    random = np.random.default_rng(3)
    silence = drawn("", random)
    write_split(tmp_path, "test", [("a", "", silence), ("b", "NO", silence[:1]),
                                   ("c", "NO", np.zeros((2, SIZE)))])
    found = list(system.predict(tmp_path, system.settings.variants["any"]))
    assert [answer["id"] for answer in found] == ["test0", "test1", "test2"]
    if network == TDNN:
        assert errors_of(found, tmp_path) == 2 and found[0]["hypothesis"] == ""


def _untrained(network: dict, words: Path) -> Hybrid:
    """A system that knows states and words, with a network that has learnt nothing."""
    system = new(network=network)
    source = system.batches(words / "fit", "valid", seed=0)
    assert len(source.plan(0)) > 0
    frames = Frames(words / "fit", "valid")
    texts = [item["text"] for item in read_json(words / "fit/valid.items.json")]
    system.vocabulary.choose("uniform", system.known(), system.settings.decoding,
                             list(system.alone(system.scores, frames)), texts)
    return system


def test_fewer_states_asked_for_than_phones_have_still_fit_the_network(words: Path) -> None:
    triphones = {**TRIPHONES["triphones"], "states": 20}  # type: ignore[dict-item]
    system = new(acoustics={**TRIPHONES, "triphones": triphones})
    source = system.batches(words / "fit", "valid", seed=0)
    total, terms = system.loss(source.load(source.plan(0)[0]))
    assert np.isfinite(float(total.detach())) and terms > 0
    assert len(system.priors) == 120
