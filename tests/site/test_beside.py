"""Figures of single items: they stand beside the item that their task has drawn them of."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.site import beside
from pipeline.site.figures import Figure, Gallery
from pipeline.storage.files import write_json
from pipeline.storage.ragged import write_offsets
from pipeline.storage.seal import seal
from pipeline.suite.schema import Suite, load
from pipeline.tasks.caption import figures as captions
from pipeline.tasks.translation import figures as translations
from tests.conftest import ROOT


def gallery(*names: str) -> Gallery:
    return Gallery({name: [Figure(name, "picture", f"{name}.png")] for name in names}, [], {})


def placed(suite: Suite, track: str, *names: str) -> dict[str, list[str]]:
    found = beside.figures_by_item(suite, track, gallery(*names))
    return {item: [figure.name for figure in figures] for item, figures in found.items()}


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return load(ROOT / "params.yaml").placed(tmp_path)


def test_the_tasks_choose_by_the_same_rules() -> None:
    assert beside.READABLE_PIECES == translations.READABLE_PIECES
    assert beside.TRANSLATION_MAPS == translations.MAPS
    assert beside.CAPTION_MAPS == captions.MAPS


def test_translations_are_the_first_of_readable_length(suite: Suite) -> None:
    test = suite.places.test("translation")
    test.mkdir(parents=True)
    write_offsets(test, "source", [3, 8, 30, 10, 9])
    write_json(test / "items.json", [{"id": f"s{place}"} for place in range(5)])
    seal(test)
    assert placed(suite, "translation", "attention_1", "attention_2", "bleu_by_length") == {
        "s1": ["attention_1"], "s3": ["attention_2"]}


def test_captions_are_of_pictures_from_all_over_the_test_set(suite: Suite) -> None:
    test = suite.places.test("caption")
    test.mkdir(parents=True)
    write_json(test / "items.json", [{"id": f"p{place}"} for place in range(9)])
    seal(test)
    assert placed(suite, "caption", "attention_1", "attention_2", "attention_3", "samples") == {
        "p0": ["attention_1"], "p4": ["attention_2"], "p8": ["attention_3"]}


def test_an_utterance_is_the_one_of_middle_length_that_has_words(suite: Suite) -> None:
    test = suite.places.test("asr")
    test.mkdir(parents=True)
    write_offsets(test, "test", [50, 10, 30, 40])
    texts = ["LONG", "", "SHORT", "MIDDLE"]
    write_json(test / "test.items.json", [
        {"id": f"u{place}", "reference": text} for place, text in enumerate(texts)])
    seal(test)
    assert placed(suite, "asr", "attention", "spikes", "speakers") == {
        "u3": ["attention", "spikes"]}


def test_without_features_and_of_real_items_nothing_is_placed(suite: Suite, tmp_path: Path) -> None:
    assert placed(suite, "translation", "attention_1") == {}
    real = load(ROOT / "real/params.yaml").placed(tmp_path)
    test = real.places.test("translation-en-de")
    test.mkdir(parents=True)
    np.save(test / "source.offsets.npy", np.arange(0, 100, 10))
    assert placed(real, "translation-en-de", "attention_1") == {}
