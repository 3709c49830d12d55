"""What a study says of recognisers is what was tried on validation utterances."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jiwer
import pytest
import torch
from statsmodels.stats.proportion import proportion_confint

from pipeline.audio.frames import Frames, write_frames
from pipeline.hmm.phones import Monophones, Topology
from pipeline.storage.files import read_json, write_json
from pipeline.systems.base import Run, System
from pipeline.tasks.asr.shared.grids import Tried
from pipeline.tasks.asr.systems import attention
from pipeline.tasks.asr.systems.bilstm_ctc import BilstmCtc, Settings
from pipeline.tasks.asr.validation import interval, of_variant, validated
from tests.tasks.asr.test_attention import SETTINGS as ATTENTION
from tests.tasks.asr.test_bilstm_ctc import BEAM, SETTINGS
from tests.tasks.asr.weighed import pair

TIED = Monophones.of(Topology.of(["AA", "N"], states=2, silence_states=1))


def system(tried: dict[str, list[Tried]]) -> Any:
    return cast(System, SimpleNamespace(vocabulary=SimpleNamespace(tried=tried),
                                        known=lambda: TIED, test_scores=lambda: None))


def test_scores_are_those_of_the_pair_that_was_chosen() -> None:
    found = validated(system({
        "bigram": [pair(1.0, 0.0, 9, 40), pair(2.0, 0.0, 3, 40), pair(4.0, 0.0, 5, 40)],
        "uniform": [pair(1.0, 0.0, 50, 40)]}))
    assert found is not None
    assert {name: score["value"] for name, score in found.scores.items()} == {
        "bigram": 7.5, "uniform": 125.0}
    assert found.counts == {"tied states": 5, "errors, bigram": 3, "errors, uniform": 50,
                            "words": 40}
    assert (found.scores["bigram"]["low"], found.scores["bigram"]["high"]) == interval(3, 40)


def test_networks_that_write_letters_are_compared_by_their_errors(features: Path) -> None:
    """So a study of their share of the speech shows errors by hours."""
    spec = read_json(features / "fit" / "spec.json")
    grid = [pair(1.0, 0.0, 9, 40), pair(2.0, 0.0, 3, 40)]
    letters = BilstmCtc(Settings.model_validate(SETTINGS), spec)
    speller = attention.AttentionRecogniser(attention.Settings.model_validate(ATTENTION), spec)
    assert validated(letters) is None and validated(speller) is None
    letters.vocabulary.tried, speller.tried = {"words": grid}, {"beam": grid}
    for system, name in ((letters, "words"), (speller, "beam")):
        found = validated(system)
        assert found is not None and {one: score["value"] for one, score in found.scores.items()
                                      } == {name: 7.5}
        assert found.counts == {f"errors, {name}": 3, "words": 40}


def test_a_search_with_other_settings_errs_as_it_would_on_test_data(features: Path,
                                                                    tmp_path: Path) -> None:
    """The same utterances as a test set, with the weights that training would have chosen."""
    fit = features / "fit"
    variants = {"greedy": SETTINGS["variants"]["greedy"], "own": {**BEAM, "beam": 3}}
    settings = Settings.model_validate({
        **SETTINGS, "variants": variants, "training": {**SETTINGS["training"], "epochs": 4}})
    torch.manual_seed(0)
    system = BilstmCtc(settings, read_json(fit / "spec.json"))
    system.fit(fit, Run(seed=1, work=tmp_path / "work"))
    frames, items = Frames(fit, "valid"), read_json(fit / "valid.items.json")
    write_frames(tmp_path, "test", (frames[place] for place in range(len(items))))
    write_json(tmp_path / "test.items.json", items)
    variant = settings.variants["own"]
    answers = list(system.predict(tmp_path, variant))
    references = [item["text"] for item in items]
    wrong = jiwer.process_words(references, [answer["hypothesis"] for answer in answers])
    found = of_variant(system, fit, variant, None)
    assert found is not None and found.seconds is not None and found.seconds > 0
    errors = wrong.substitutions + wrong.deletions + wrong.insertions
    words = sum(len(text.split()) for text in references)
    assert errors > 0 and found.counts == {"errors": errors, "words": words}
    assert found.scores == {"beam, words": {
        "value": pytest.approx(100 * errors / words),
        **dict(zip(("low", "high"), interval(errors, words), strict=True))}}
    part = of_variant(system, fit, variant, 3)
    assert part is not None
    assert part.counts["words"] == sum(len(text.split()) for text in references[:3])
    assert of_variant(system, fit, settings.variants["greedy"], None) is None
    assert of_variant(cast(System, SimpleNamespace()), fit, variant, None) is None


@pytest.mark.parametrize("errors, words", [(0, 534), (1, 534), (15, 534), (20, 20)])
def test_intervals_are_wilsons(errors: int, words: int) -> None:
    low, high = proportion_confint(errors, words, method="wilson")
    assert interval(errors, words) == pytest.approx((100 * low, 100 * high), abs=1e-4)
    assert interval(0, 0) == (0, 100)


def test_a_system_without_dictionary_or_without_words_has_its_loss_alone() -> None:
    assert validated(system({})) is None
    assert validated(cast(System, SimpleNamespace())) is None
