"""Three corpora side by side: each read as by its own reader, and no two of one name."""

from pathlib import Path

import pytest

from pipeline.corpora import aligned_speech, an4, emu_ae, librispeech
from pipeline.errors import UserError

TWIN = {"seed": 1, "drawn": 3000, "vocabulary": 40, "words": [2, 3], "accents": ["en-us"],
        "pitch": [40, 60], "words_per_minute": [170, 230],
        "subsets": {"train-twin": {"utterances": 4, "variants": ["m1", "f1"], "condition": None}},
        "dictionary": {"subsets": ["train-twin"], "share": 0.05}}


@pytest.fixture(scope="module")
def corpus(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aligned")
    aligned_speech.prepare(aligned_speech.Settings.model_validate(
        {"module": "aligned_speech", "twin": TWIN}), folder, mirror)
    return folder


def test_each_subset_is_that_of_its_corpus(corpus: Path) -> None:
    found = {subset: aligned_speech.utterances(corpus, subset)
             for subset in ("an4-train", "an4-valid", "an4-test", "emu", "train-twin")}
    assert found["an4-valid"] == an4.utterances(corpus, "valid")
    assert found["emu"] == emu_ae.utterances(corpus)
    assert found["train-twin"] == librispeech.utterances(corpus, "train-twin")
    assert [len(found[name]) for name in ("an4-test", "emu", "train-twin")] == [130, 7, 4]
    assert not any(item.segments for item in found["an4-train"])
    assert all(item.segments for item in found["emu"] + found["train-twin"])
    everyone = [item for items in found.values() for item in items]
    assert len({item.id for item in everyone}) == len(everyone)
    speakers = [{item.speaker for item in items} for items in found.values()]
    assert len(set.union(*speakers)) == sum(map(len, speakers))


def test_a_word_of_both_dictionaries_is_a_letter_first(corpus: Path) -> None:
    found, letters = aligned_speech.lexicon(corpus), an4.lexicon(corpus)
    twin = librispeech.lexicon(corpus)
    both = letters.keys() & twin.keys()
    assert found.keys() == letters.keys() | twin.keys()
    for word in both:
        assert found[word][: len(letters[word])] == letters[word]
        assert all(way in found[word] for way in twin[word])
    for word in twin.keys() - both:
        assert found[word] == twin[word]


def test_an_unknown_subset_is_named(corpus: Path) -> None:
    with pytest.raises(UserError, match="subsets here: train-twin"):
        aligned_speech.utterances(corpus, "dev-twin")
