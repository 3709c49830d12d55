"""Networks that learn from given times, from guesses and by CTC, on tones whose times are known."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.audio.frames import Frames, write_frames
from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json
from pipeline.systems.base import Run
from pipeline.tasks.alignment.shared.aligner import Aligner
from pipeline.tasks.alignment.systems.ctc import Ctc, found_in
from pipeline.tasks.alignment.systems.ctc import Settings as CtcSettings
from pipeline.tasks.alignment.systems.given import Given
from pipeline.tasks.alignment.systems.given import Settings as GivenSettings
from pipeline.tasks.alignment.systems.guessed import Guessed
from pipeline.tasks.alignment.systems.guessed import Settings as GuessedSettings

TRAINING = {"epochs": 14, "optimizer": "adam", "learning_rate": 0.02, "schedule": "cosine",
            "warmup_steps": 5, "weight_decay": 0.0, "gradient_clip": 1.0, "patience": 0}
NETWORK = {
    "track": "alignment", "hidden": 24, "layers": 1, "dropout": 0.1, "input_noise": 0.2,
    "batch_utterances": 5, "training": TRAINING}
SEARCHES = {name: {"search": name} for name in (
    "constrained", "blocked", "time-synchronous", "order-synchronous", "dictionary")}
GIVEN = {**NETWORK, "model": "given", "divergence": "all-frames", "prior_scale": 0.0,
         "variants": SEARCHES}
GUESSED = {**NETWORK, "model": "guessed", "first_guess": "uniform", "re_estimate": "passes",
           "guess_epochs": 2, "pass_epochs": 3, "prior_scale": 0.5, "variants": SEARCHES}
CTC = {**NETWORK, "model": "ctc", "training": {**TRAINING, "epochs": 40}, "variants": {
    name: {"search": name, "boundary": "midpoint"}
    for name in ("constrained", "blocked", "time-synchronous", "order-synchronous")}}


def new(kind: type, entry: dict[str, Any], fit: Path, **changes: Any) -> Any:
    settings = {Given: GivenSettings, Guessed: GuessedSettings, Ctc: CtcSettings}[kind]
    torch.manual_seed(0)
    system = kind(settings.model_validate({**entry, **changes}), read_json(fit / "spec.json"))
    system.artefacts = fit / "artefacts"
    return system


def errors(system: Any, test: Path, search: str) -> np.ndarray:
    """Errors in ms of the boundaries of answers with the phones that were said."""
    gold = read_json(test / "gold.json")
    found: list[float] = []
    for answer in system.predict(test, system.settings.variants[search]):
        known = gold[answer["id"]]["phones"]
        assert answer["phones"] == [label for label, _, _ in known]
        found += [1000 * (begin - time) for begin, (_, time, _) in zip(
            answer["begins"][1:], known[1:], strict=True)]
    return np.array(found)


@pytest.fixture(scope="module", params=["given", "guessed", "ctc"])
def trained(request: pytest.FixtureRequest, features: Path,
            tmp_path_factory: pytest.TempPathFactory) -> Any:
    kind, entry = {"given": (Given, GIVEN), "guessed": (Guessed, GUESSED),
                   "ctc": (Ctc, CTC)}[request.param]
    system = new(kind, entry, features / "fit")
    system.fit(features / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    return system


def test_tones_are_found_where_they_are(trained: Any, features: Path) -> None:
    found = np.abs(errors(trained, features / "test", "constrained"))
    allowed = {Given: 10.0, Guessed: 25.0, Ctc: 25.0}[type(trained)]
    assert np.median(found) <= allowed


def test_free_answers_name_tones(trained: Any, features: Path) -> None:
    gold = read_json(features / "test" / "gold.json")
    for name in set(trained.settings.variants) - {"constrained"}:
        right = total = 0
        for answer in trained.predict(features / "test", trained.settings.variants[name]):
            said = {label for label, _, _ in gold[answer["id"]]["phones"]}
            right += len(said & set(answer["phones"]))
            total += len(said | set(answer["phones"]))
            assert answer["begins"][0] == 0.0 and (np.diff(answer["begins"]) > 0).all()
        assert right > 0.7 * total, name


def test_a_saved_network_answers_as_before(trained: Any, features: Path, tmp_path: Path) -> None:
    trained.save(tmp_path, features / "fit" / "artefacts")
    loaded = type(trained).load(tmp_path)
    for variant in trained.settings.variants.values():
        assert json.dumps(list(loaded.predict(features / "test", variant))) == json.dumps(
            list(trained.predict(features / "test", variant)))


def some_of(test: Path, folder: Path, places: list[int]) -> Path:
    """A test folder of some items in another order."""
    frames, items = Frames(test, "test"), read_json(test / "test.items.json")
    write_frames(folder, "test", (frames[place] for place in places))
    write_json(folder / "test.items.json", [items[place] for place in places])
    return folder


def test_an_answer_knows_its_item_alone(trained: Any, features: Path, tmp_path: Path) -> None:
    for variant in trained.settings.variants.values():
        whole = list(trained.predict(features / "test", variant))
        for name, places in (("some", [7, 2, 5]), ("one", [2]), ("twice", [2, 2, 0, 9, 2])):
            (tmp_path / name).mkdir(exist_ok=True)
            found = trained.predict(some_of(features / "test", tmp_path / name, places), variant)
            assert list(found) == [whole[place] for place in places]


def batches_of(system: Any, fit: Path) -> Iterator[dict[str, Any]]:
    source = system.batches(fit, "train", 1)
    return (source.load(description) for description in source.plan(0))


@pytest.mark.parametrize("divergence", ["all-frames", "last-frame"])
def test_targets_are_those_of_the_times(features: Path, divergence: str) -> None:
    fit = features / "fit"
    items = read_json(fit / "train.items.json")
    system = new(Given, GIVEN, fit, divergence=divergence)
    for batch in batches_of(system, fit):
        terms = 0
        for row, target, length in zip(batch["rows"], batch["targets"], batch["lengths"],
                                       strict=True):
            phones = [system.spec["phones"].index(phone) for phone in items[row]["phones"]]
            starts = [*items[row]["starts"], int(length)]
            wanted = [-1] * len(target)
            for phone, start, end in zip(phones, starts, starts[1:], strict=False):
                first = start if divergence == "all-frames" else end - 1
                wanted[first:end] = [phone] * (end - first)
            assert target.tolist() == wanted
            terms += sum(symbol >= 0 for symbol in wanted)
        assert system.loss(batch)[1] == terms


def test_priors_and_durations_are_counted(features: Path) -> None:
    fit = features / "fit"
    system = new(Given, GIVEN, fit)
    system.batches(fit, "train", 1)
    frames, phones = (dict.fromkeys(system.spec["phones"], 0) for _ in range(2))
    for item, length in zip(read_json(fit / "train.items.json"), Frames(fit, "train").lengths,
                            strict=True):
        ends = [*item["starts"][1:], int(length)]
        for phone, start, end in zip(item["phones"], item["starts"], ends, strict=True):
            frames[phone] += end - start
            phones[phone] += 1
    total = sum(frames.values())
    for number, name in enumerate(system.spec["phones"]):
        assert float(system.priors[number].exp()) == pytest.approx(frames[name] / total, rel=1e-5)
        assert float(system.stays[number].exp()) == pytest.approx(
            1 - phones[name] / frames[name], rel=1e-5)


def test_scores_are_divided_by_a_power_of_priors(features: Path) -> None:
    plain, half = (new(Given, GIVEN, features / "fit", prior_scale=scale) for scale in (0.0, 0.5))
    for system in (plain, half):
        system.batches(features / "fit", "train", 1)
    differences = plain.test_scores(features / "test", 0) - half.test_scores(features / "test", 0)
    wanted = 0.5 * half.priors.numpy()
    assert differences == pytest.approx(np.tile(wanted, (len(differences), 1)), abs=1e-5)
    assert np.exp(plain.test_scores(features / "test", 0)).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_times_that_nobody_knows_are_not_learnt_from(features: Path, tmp_path: Path) -> None:
    fit = shutil.copytree(features / "fit", tmp_path / "fit")
    write_json(fit / "train.items.json", [{**item, "starts": None} for item
                                          in read_json(fit / "train.items.json")])
    with pytest.raises(UserError, match="train with a system that guesses"):
        new(Given, GIVEN, fit).batches(fit, "train", 1)
    assert new(Guessed, GUESSED, fit).batches(fit, "train", 1)


def starts_by_epoch(system: Guessed, fit: Path, epochs: int) -> list[list[int]]:
    """The alignment in which each epoch leaves the training data, by gradient steps of 0.05."""
    source = system.batches(fit, "train", 1)
    optimizer = torch.optim.SGD(system.parameters(), 0.05)
    found = []
    for epoch in range(epochs):
        system.train().begin_epoch(training=True)
        for description in source.plan(epoch):
            total, terms = system.loss(source.load(description))
            optimizer.zero_grad()
            (total / terms).backward()
            optimizer.step()
        found.append(np.concatenate(system._starts).tolist())
    return found


def test_passes_align_again_when_one_is_over(features: Path) -> None:
    found = starts_by_epoch(new(Guessed, GUESSED, features / "fit"), features / "fit", 6)
    # Two epochs on the first guess, then passes of three.
    assert found[0] == found[1] != found[2]
    assert found[2] == found[3] == found[4] != found[5]


def test_steps_align_in_every_epoch_behind_the_first_guess(features: Path) -> None:
    system = new(Guessed, GUESSED, features / "fit", re_estimate="steps")
    found = starts_by_epoch(system, features / "fit", 4)
    assert found[0] == found[1] != found[2] != found[3]


def test_a_step_learns_from_the_alignment_of_its_own_network(features: Path) -> None:
    fit = features / "fit"
    system: Guessed = new(Guessed, GUESSED, fit, re_estimate="steps", dropout=0.0,
                          input_noise=0.0, guess_epochs=1)
    source = system.batches(fit, "train", 1)
    batch = source.load(source.plan(1)[0])
    total, _ = system.loss(batch)
    scores = system(batch["frames"], batch["lengths"]).detach()
    # The best of all alignments has the least divergence but for the priors.
    worth = 0.0
    for row, table, length in zip(batch["rows"], scores, batch["lengths"].tolist(),
                                  strict=True):
        symbols = source.utterances.symbols[row]
        own = np.repeat(symbols, np.diff(system._starts[row], append=length))
        worth -= float(table[range(length), own].sum())
    assert float(total.detach()) == pytest.approx(worth, rel=1e-5)


def test_rounds_are_kept(features: Path, tmp_path: Path) -> None:
    fit = features / "fit"
    system: Guessed = new(Guessed, GUESSED, fit)
    system.fit(fit, Run(seed=1, work=tmp_path / "work"))
    assert [one["epoch"] for one in system.rounds] == list(range(1, 15))
    assert [one["round"] for one in system.rounds] == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert system.rounds[-1]["divergence"] < 0.5 * system.rounds[0]["divergence"]
    assert max(one["within_20"] for one in system.rounds) > 50
    system.save(tmp_path / "model")
    assert Guessed.load(tmp_path / "model").rounds == system.rounds
    # What was over already when it was asked for has the same rounds.
    again: Guessed = new(Guessed, GUESSED, fit)
    again.fit(fit, Run(seed=1, work=tmp_path / "work"))
    assert again.rounds == system.rounds


def test_validation_sees_no_times(features: Path, tmp_path: Path) -> None:
    """Other times of validation utterances change what is recorded, and nothing that is learnt."""
    fit = shutil.copytree(features / "fit", tmp_path / "fit")
    write_json(fit / "valid.items.json", [{**item, "starts": list(range(len(item["starts"])))}
                                          for item in read_json(fit / "valid.items.json")])
    short = {**TRAINING, "epochs": 4}
    one, other = (new(Guessed, GUESSED, folder, training=short)
                  for folder in (features / "fit", fit))
    for name, system, folder in (("a", one, features / "fit"), ("b", other, fit)):
        system.fit(folder, Run(seed=1, work=tmp_path / name))
    assert all(torch.equal(tensor, other.tensors()[name]) for name, tensor in one.tensors().items())
    assert one.rounds[-1]["median_ms"] != other.rounds[-1]["median_ms"]


def test_a_recording_of_nothing_is_a_silence(features: Path) -> None:
    system: Ctc = new(Ctc, CTC, features / "fit")
    with torch.no_grad():
        system.network.output.bias[0] = 100.0
    for name in ("time-synchronous", "order-synchronous", "blocked"):
        answers = system.predict(features / "test", system.settings.variants[name])
        assert {tuple(answer["phones"]) for answer in answers} == {("SIL",)}


def test_phones_that_ctc_cannot_fit_have_equal_shares() -> None:
    emissions = np.log(np.full((4, 3), 1 / 3))
    variant = CtcSettings.model_validate(CTC).variants["constrained"]
    # Three equal phones need two blanks between them.
    found = found_in(emissions, variant, np.array([1, 1, 1]))
    assert (found.symbols.tolist(), found.starts.tolist()) == ([1, 1, 1], [0, 1, 2])
    assert found_in(emissions, variant, np.zeros(0, np.int64)).starts.tolist() == []


def test_noise_is_added_in_training_alone(features: Path) -> None:
    system: Aligner = new(Given, GIVEN, features / "fit", dropout=0.0)
    frames = torch.from_numpy(np.array(Frames(features / "test", "test")[0]))[None]
    lengths = torch.tensor([frames.shape[1]])
    system.train()
    assert not torch.equal(system(frames, lengths), system(frames, lengths))
    system.eval()
    assert torch.equal(system(frames, lengths), system(frames, lengths))


def test_known_times_are_kept_where_that_is_wanted(features: Path, tmp_path: Path) -> None:
    """Of every other utterance the times are known."""
    fit = shutil.copytree(features / "fit", tmp_path / "fit")
    items = read_json(fit / "train.items.json")
    write_json(fit / "train.items.json", [
        item if place % 2 else {**item, "starts": None} for place, item in enumerate(items)])
    system: Guessed = new(Guessed, GUESSED, fit, keep_known=True, guess_epochs=1, pass_epochs=1)
    system.batches(fit, "train", 1)
    guessed = [starts.tolist() for starts in system._starts]
    starts_by_epoch(system, fit, 2)
    for place, (item, guess, starts) in enumerate(zip(items, guessed, system._starts,
                                                      strict=True)):
        assert (starts.tolist() == item["starts"]) is bool(place % 2)
        assert (guess == item["starts"]) is bool(place % 2)
