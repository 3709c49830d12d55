"""Gaussians recognise, adapt to a voice, and answer the same once they are saved."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json
from pipeline.systems.base import Run
from pipeline.tasks.asr.scoring import METRICS, score
from pipeline.tasks.asr.systems.gmm_hmm import GmmHmm, Settings
from tests.tasks.asr.spoken import (
    SIZE,
    SPEC,
    WORDS,
    drawn,
    turned,
    write_split,
)
from tests.tasks.asr.test_acoustics import ALL, DECODING, MONOPHONES

SPEAKERS = {"rounds": 1, "passes": 2, "gaussians": 160, "silence_weight": 0.5,
            "least_frames": 50, "answers": 2}
SETTINGS = {
    "track": "asr", "model": "gmm_hmm", "acoustics": ALL, "speakers": SPEAKERS,
    "decoding": DECODING.model_dump(),
    "variants": {"any": {"language_model": "uniform"}, "pairs": {"language_model": "bigram"}},
}


def fitted(words: Path, work: Path, **changes: object) -> GmmHmm:
    system = GmmHmm(Settings.model_validate({**SETTINGS, **changes}), SPEC)
    system.curve = system.fit(words / "fit", Run(seed=1, work=work))
    return system


def answers(system: GmmHmm, test: Path, variant: str = "any") -> list[dict]:
    return list(system.predict(test, system.settings.variants[variant]))


@pytest.fixture(scope="module")
def adaptive(words: Path, tmp_path_factory: pytest.TempPathFactory) -> GmmHmm:
    return fitted(words, tmp_path_factory.mktemp("work"))


def test_another_voice_is_recognised_once_it_is_adapted_to(adaptive: GmmHmm, words: Path,
                                                           tmp_path: Path) -> None:
    plain = fitted(words, tmp_path, speakers=None)
    items = read_json(words / "test" / "test.items.json")
    strange = [item["speaker"] == "turned" for item in items]
    before, after = (np.array([answer["hypothesis"] != item["reference"] for answer, item
                               in zip(answers(system, words / "test"), items, strict=True)])
                     for system in (plain, adaptive))
    assert not before[np.logical_not(strange)].any() and not after[np.logical_not(strange)].any()
    assert before[strange].sum() >= 3
    assert after[strange].sum() <= 1
    # The round moves training and validation speakers closer to the model.
    assert len(adaptive.curve) == len(plain.curve) + 1
    for name in ("loss", "validation_loss"):
        assert adaptive.curve[-1][name] < plain.curve[-1][name]
    assert adaptive.parameters_count > plain.parameters_count


def test_a_second_training_gives_the_same_system(adaptive: GmmHmm, words: Path,
                                                 tmp_path: Path) -> None:
    again = fitted(words, tmp_path)
    assert again.curve == adaptive.curve and again.texts() == adaptive.texts()
    assert set(again.tensors()) == set(adaptive.tensors())
    for name, tensor in adaptive.tensors().items():
        assert torch.equal(tensor, again.tensors()[name]), name


@pytest.mark.parametrize("variant", ["any", "pairs"])
def test_a_loaded_system_answers_the_same(adaptive: GmmHmm, words: Path, tmp_path: Path,
                                          variant: str) -> None:
    adaptive.save(tmp_path)
    loaded = GmmHmm.load(tmp_path)
    assert answers(loaded, words / "test", variant) == answers(adaptive, words / "test", variant)
    assert loaded.parameters_count == adaptive.parameters_count


def test_a_speakers_answers_depend_on_no_other_speaker(adaptive: GmmHmm, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    texts = [" ".join(random.choice(WORDS, 3)) for _ in range(6)]
    cepstra = [drawn(text, random) for text in texts]
    strange = [("t", text, turned(frames)) for text, frames in zip(texts, cepstra, strict=True)]
    plain = [("p", text, frames) for text, frames in zip(texts, cepstra, strict=True)]
    mixed = [item for pair in zip(plain, strange, strict=True) for item in pair]
    for name, items in (("alone", strange), ("mixed", mixed)):
        write_split(tmp_path / name, "test", items)
    alone, together = (answers(adaptive, tmp_path / name) for name in ("alone", "mixed"))
    for one, other in zip(alone, together[1::2], strict=True):
        assert one["hypothesis"] == other["hypothesis"]
        assert len(one["words"]) == len(other["words"])
        for word, same in zip(one["words"], other["words"], strict=True):
            assert (word["word"], word["begin"], word["end"]) == (
                same["word"], same["begin"], same["end"])
            assert word["confidence"] == pytest.approx(same["confidence"], abs=2e-3)


def test_weights_of_every_language_model_are_chosen_on_validation(adaptive: GmmHmm,
                                                                  words: Path) -> None:
    said = sum(len(item["text"].split()) for item in read_json(words / "fit/valid.items.json"))
    assert set(adaptive.vocabulary.tried) == {"uniform", "bigram"}
    for pairs in adaptive.vocabulary.tried.values():
        assert [(pair["language"], pair["word"], pair.words) for pair in pairs] == [
            (1.0, 0.0, said), (2.0, 0.0, said)]


def test_recordings_without_speech_and_of_a_moment_are_answered(adaptive: GmmHmm,
                                                                tmp_path: Path) -> None:
    """By speakers of whom nothing else is known, and beside one who speaks."""
    random = np.random.default_rng(3)
    silence = drawn("", random)
    write_split(tmp_path, "test", [
        ("quiet", "", np.tile(silence, (4, 1))), ("moment", "NO", silence[:1]),
        ("short", "NO", silence[:2]), ("flat", "NO", np.zeros((30, SIZE))),
        ("speaks", "NO TEN", drawn("NO TEN", random)), ("speaks", "NO", silence[:1])])
    found = answers(adaptive, tmp_path)
    assert [answer["hypothesis"] for answer in found[1:3]] == ["", ""]
    assert found[4]["hypothesis"] == "NO TEN" and found[5]["hypothesis"] == ""
    for answer in found:
        assert answer["alternatives"][0]["text"] == answer["hypothesis"]
        assert all(0 <= word["confidence"] <= 1 for word in answer["words"])


def test_a_word_of_a_test_transcript_that_nobody_knows_is_an_error(adaptive: GmmHmm,
                                                                   tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    write_split(tmp_path, "test", [("p", "TEN ZEBRA NO", drawn("TEN ONE NO", random)),
                                   ("p", "SIX", drawn("SIX TWO", random))])
    write_json(tmp_path / "clusters.json", {"test0": "p", "test1": "p"})
    found = score(answers(adaptive, tmp_path), tmp_path)
    assert found.columns["substitutions"].tolist() == [1, 0]
    assert found.columns["insertions"].tolist() == [0, 1]
    assert found.score(METRICS["wer"]) == pytest.approx(100 * 2 / 4)


def test_features_without_a_dictionary_are_refused(words: Path, tmp_path: Path) -> None:
    system = GmmHmm(Settings.model_validate({**SETTINGS, "acoustics": MONOPHONES}), SPEC)
    with pytest.raises(UserError, match="features.dictionary of its track to true"):
        system.fit(words / "test", Run(seed=1, work=tmp_path))
