"""Recognisers of letters choose weights on validation utterances and answer with them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.audio.frames import Frames
from pipeline.errors import UserError
from pipeline.nn.ctc import prefix_n_best
from pipeline.storage.files import read_json, write_json
from pipeline.systems.base import Run
from pipeline.tasks.asr import figures
from pipeline.tasks.asr.shared.letters import LetterRecogniser
from pipeline.tasks.asr.systems import bilstm_ctc, deep_speech
from tests.tasks.asr.corpus import WORDS
from tests.tasks.asr.test_bilstm_ctc import BEAM
from tests.tasks.asr.test_bilstm_ctc import SETTINGS as BILSTM
from tests.tasks.asr.test_deep_speech import SETTINGS as DEEP_SPEECH
from tests.tasks.asr.weighed import pair

GRID = {name: BEAM[name] for name in ("beam", "least_posterior", "alphas", "betas",
                                      "alternatives")}
VARIANTS = {"greedy": {"search": "greedy", "language_model": "none"}, "beam": BEAM,
            "lexicon": {"search": "lexicon", "language_model": "bigram", **GRID}}
SYSTEMS: list[tuple[Callable[..., LetterRecogniser], Any, dict]] = [
    (bilstm_ctc.BilstmCtc, bilstm_ctc.Settings, BILSTM),
    (deep_speech.DeepSpeech, deep_speech.Settings, DEEP_SPEECH)]


@pytest.fixture(scope="module")
def spelt(features: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The features of the tiny corpus, with a dictionary."""
    folder = tmp_path_factory.mktemp("spelt") / "features"
    shutil.copytree(features, folder)
    write_json(folder / "fit" / "lexicon.json", {word: [["AH"]] for word in WORDS})
    return folder


@pytest.fixture(scope="module", params=SYSTEMS, ids=lambda system: system[0].__name__)
def barely_fitted(request: pytest.FixtureRequest, spelt: Path,
                  tmp_path_factory: pytest.TempPathFactory) -> LetterRecogniser:
    """It has learnt too little to be always right."""
    system, settings, entry = request.param
    torch.manual_seed(0)
    made = system(settings.model_validate({
        **entry, "variants": VARIANTS, "training": {**entry["training"], "epochs": 3}}),
        read_json(spelt / "fit" / "spec.json"))
    made.fit(spelt / "fit", Run(seed=1, work=tmp_path_factory.mktemp("work")))
    return made


def test_a_grid_is_kept_for_each_variant_that_searches(barely_fitted: LetterRecogniser,
                                                       spelt: Path) -> None:
    tried = barely_fitted.vocabulary.tried
    words = sum(len(item["text"].split()) for item in read_json(spelt / "fit/valid.items.json"))
    assert {name: [(one["language"], one["word"]) for one in pairs]
            for name, pairs in tried.items()} == {
        name: [(alpha, beta) for alpha in BEAM["alphas"] for beta in BEAM["betas"]]
        for name in ("beam", "lexicon")}
    assert {one.words for pairs in tried.values() for one in pairs} == {words}


def test_a_dictionary_leaves_nothing_but_its_words(barely_fitted: LetterRecogniser,
                                                   spelt: Path) -> None:
    variants = barely_fitted.settings.variants
    said = {name: {word for answer in barely_fitted.predict(spelt / "test", variants[name])
                   for word in answer["hypothesis"].split()} for name in VARIANTS}
    assert said["lexicon"] and said["lexicon"] <= set(WORDS)
    assert not said["greedy"] <= set(WORDS)


def test_the_chosen_weights_answer(barely_fitted: LetterRecogniser, spelt: Path,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    variant = barely_fitted.settings.variants["beam"]
    search = barely_fitted.vocabulary.search(variant, barely_fitted.spec["symbols"])
    emissions = barely_fitted.emissions([Frames(spelt / "test", "test")[0]])[0]
    answers = []
    for alpha, beta in ((0.0, -9.0), (0.5, 9.0)):
        monkeypatch.setitem(barely_fitted.vocabulary.tried, "beam", [pair(alpha, beta, 0, 1)])
        answer = next(barely_fitted.predict(spelt / "test", variant))
        ((best,),) = prefix_n_best([emissions], search.model.weighted(alpha, beta), 8, 0.001)
        assert answer["alternatives"][0] == {"text": search.text(best.symbols),
                                             "score": round(best.score, 3)}
        answers.append(answer["hypothesis"])
    assert answers[0] != answers[1]


def test_answers_and_grids_survive_saving(barely_fitted: LetterRecogniser, spelt: Path,
                                          tmp_path: Path) -> None:
    barely_fitted.save(tmp_path)
    loaded = type(barely_fitted).load(tmp_path)
    assert loaded.vocabulary == barely_fitted.vocabulary
    for variant in barely_fitted.settings.variants.values():
        answers = list(loaded.predict(spelt / "test", variant))
        assert answers == list(barely_fitted.predict(spelt / "test", variant))
        assert all(len(answer.get("alternatives", [])) <= 3 for answer in answers)


def test_grids_and_alternatives_are_drawn(barely_fitted: LetterRecogniser, spelt: Path,
                                          tmp_path: Path) -> None:
    answers = {name: list(barely_fitted.predict(spelt / "test", variant))
               for name, variant in barely_fitted.settings.variants.items()}
    figures.draw(barely_fitted, answers, spelt / "test", tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "speakers.png", "oracle.png", "spikes.png", "weights.png", "windows.png", "features.png",
        "training.png", "paths.png"}


def test_a_variant_has_weights_under_whatever_name_they_were_tried(
        barely_fitted: LetterRecogniser, spelt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """params.yaml may get variants after a training: one that is as another was, and a new one."""
    settings, variant = barely_fitted.settings, barely_fitted.settings.variants["beam"]
    wider = variant.model_copy(update={"beam": 9})
    monkeypatch.setattr(barely_fitted, "settings", settings.model_copy(update={
        "variants": {"same": variant, **settings.variants, "wider": wider}}))
    named = list(barely_fitted.predict(spelt / "test", variant))
    monkeypatch.undo()
    assert named == list(barely_fitted.predict(spelt / "test", variant))
    monkeypatch.setattr(barely_fitted, "settings", settings.model_copy(update={
        "variants": {**settings.variants, "wider": wider}}))
    with pytest.raises(UserError, match="no weights .* variant wider .* run its train stage"):
        list(barely_fitted.predict(spelt / "test", wider))
