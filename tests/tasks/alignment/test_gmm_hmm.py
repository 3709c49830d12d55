"""Gaussians on tones: forced alignment, a loop of phones, and what does not fit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.audio.frames import Frames
from pipeline.errors import UserError
from pipeline.hmm.training import STAY_RANGE
from pipeline.storage.files import read_json, write_json
from pipeline.systems.base import Run
from pipeline.tasks.alignment.systems.gmm_hmm import GmmHmm, Settings
from tests.tasks.alignment.test_networks import errors

SETTINGS = {"track": "alignment", "model": "gmm_hmm", "coefficients": 8,
            "monophones": {"passes": 8, "gaussians": 30},
            "variants": {name: {"search": name} for name in ("constrained", "order-synchronous")}}


def new(fit: Path) -> GmmHmm:
    return GmmHmm(Settings.model_validate(SETTINGS), read_json(fit / "spec.json"))


@pytest.fixture(scope="module")
def fitted(features: Path, tmp_path_factory: pytest.TempPathFactory) -> GmmHmm:
    system = new(features / "fit")
    curve = system.fit(features / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    assert len(curve) == 8 and curve[-1]["validation_loss"] < curve[0]["validation_loss"]
    return system


def test_tones_are_found_where_they_are(fitted: GmmHmm, features: Path) -> None:
    assert np.median(np.abs(errors(fitted, features / "test", "constrained"))) <= 15


def test_a_loop_of_phones_finds_what_was_said(fitted: GmmHmm, features: Path) -> None:
    gold = read_json(features / "test" / "gold.json")
    answers = list(fitted.predict(features / "test", fitted.settings.variants["order-synchronous"]))
    said = [[label for label, _, _ in gold[answer["id"]]["phones"]] for answer in answers]
    right = sum(answer["phones"] == phones for answer, phones in zip(answers, said, strict=True))
    assert right > len(answers) / 2
    for answer in answers:
        # Three states, and so three frames, are the least of a phone.
        assert min(np.diff(answer["begins"][1:]), default=1) > 0.0299


def test_a_phone_may_follow_itself(fitted: GmmHmm, features: Path) -> None:
    """Two recordings of one tone with a jump between them."""
    labels = fitted.spec["phones"]
    frames = np.array(Frames(features / "test", "test")[0])
    item = read_json(features / "test" / "test.items.json")[0]
    symbols = np.array([labels.index(phone) for phone in item["phones"]])
    starts = fitted.aligner.constrained(frames, symbols)
    tone = frames[starts[1] : starts[2]]
    twice = fitted.aligner.constrained(np.concatenate([frames[: starts[1]], tone, tone]),
                                       np.array([0, symbols[1], symbols[1]]))
    assert len(twice) == 3 and (np.diff(twice) >= 3).all()


def test_more_states_than_frames_have_equal_shares(fitted: GmmHmm) -> None:
    frames = np.zeros((8, 12))
    assert fitted.aligner.constrained(frames, np.array([0, 1, 2])).tolist() == [0, 2, 5]
    assert fitted.aligner.constrained(frames, np.zeros(0, np.int64)).tolist() == []
    silence = fitted.aligner.free(frames[:2])
    assert (silence.symbols.tolist(), silence.starts.tolist()) == ([0], [0])


def test_a_saved_model_answers_as_before(fitted: GmmHmm, features: Path, tmp_path: Path) -> None:
    fitted.save(tmp_path, features / "fit" / "artefacts")
    loaded = GmmHmm.load(tmp_path)
    for variant in fitted.settings.variants.values():
        assert list(loaded.predict(features / "test", variant)) == list(
            fitted.predict(features / "test", variant))
    assert loaded.parameters_count == fitted.parameters_count
    stay = torch.from_numpy(loaded.aligner.model.tied.stay).exp()
    assert (stay >= STAY_RANGE[0] - 1e-9).all() and (stay <= STAY_RANGE[1] + 1e-9).all()


def test_phones_that_fit_nowhere_are_named(features: Path, tmp_path: Path) -> None:
    fit = shutil.copytree(features / "fit", tmp_path / "fit")
    write_json(fit / "train.items.json", [
        {**item, "phones": ["SIL", "N"] * 60} for item in read_json(fit / "train.items.json")])
    with pytest.raises(UserError, match="no acoustic model can be trained"):
        new(fit).fit(fit, Run(seed=1, work=tmp_path / "work"))
