"""Multi30k: the counts of its publisher, the twin's splits, every kind of damage."""

import gzip
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.corpora import multi30k
from pipeline.corpora.twins.grammar.verb_final import LEXICON
from pipeline.errors import UserError

OPTIONS = {"seed": 3, "train": 300, "val": 40, "test_2016_flickr": 50, "test_long": 20,
           "test_gender": 2, "names": 0, "min_words": 3, "long_words": 21, "max_words": 32}
SPLITS = ("train", "val", "test_2016_flickr", "test_long", "test_gender")
OCCUPATIONS = LEXICON.occupations.split()
COUNTS = OPTIONS | {"test_gender": 2 * len(OCCUPATIONS)}


def settings(**options: int) -> multi30k.Settings:
    twin = multi30k.TwinSettings(**{**OPTIONS, **options})
    return multi30k.Settings(module="multi30k", twin=twin)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("multi30k")
    multi30k.prepare(settings(), directory, None)
    return directory


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write(tmp_path / "train.en.gz", b"a dog\na cat\n")
    write(tmp_path / "train.de.gz", "ein Hund\neine Kätzchen\n".encode())
    return tmp_path


def write(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content))


def test_the_real_corpus_has_its_published_counts(mirror: Path, tmp_path: Path) -> None:
    multi30k.prepare(multi30k.Settings(module="multi30k", twin=None), tmp_path, mirror)
    counts = {split: len(multi30k.pairs(tmp_path, split, "en", "de"))
              for split in ("train", "val", "test_2016_flickr", "test_2017_flickr")}
    assert counts == {"train": 29_000, "val": 1_014, "test_2016_flickr": 1_000,
                      "test_2017_flickr": 1_000}
    first = multi30k.pairs(tmp_path, "train", "de", "en")[0]
    assert first.source.startswith("Zwei junge weiße Männer")
    assert first.target.startswith("Two young, White males")


def test_pairs_are_read_in_either_direction(corpus: Path) -> None:
    found = multi30k.pairs(corpus, "train", "de", "en")
    assert [(item.id, item.source, item.target) for item in found] == [
        ("train-00001", "ein Hund", "a dog"), ("train-00002", "eine Kätzchen", "a cat")]


def test_the_twin_has_its_splits_and_no_sentence_twice(twin: Path) -> None:
    found = {split: multi30k.pairs(twin, split, "en", "vf") for split in SPLITS}
    assert {split: len(items) for split, items in found.items()} == {
        split: COUNTS[split] for split in SPLITS}
    sources = [item.source for items in found.values() for item in items]
    assert len(set(sources)) == len(sources)


def test_short_sentences_are_in_one_split_too(tmp_path: Path) -> None:
    # Two or three words leave so few sentences that a second drawing meets them again.
    multi30k.prepare(settings(min_words=2, long_words=2, max_words=3, test_long=200,
                              test_gender=0), tmp_path, None)
    sources = [item.source for split in SPLITS[:4]
               for item in multi30k.pairs(tmp_path, split, "en", "vf")]
    assert len(set(sources)) == len(sources) == 590


def test_long_sentences_have_a_test_set_and_are_seen_in_training(twin: Path) -> None:
    lengths = {split: [len(item.source.split()) for item in multi30k.pairs(twin, split, "en", "vf")]
               for split in SPLITS}
    assert all(21 <= length <= 32 for length in lengths["test_long"])
    assert all(3 <= length <= 32 for length in lengths["train"])
    assert sum(length > 20 for length in lengths["train"]) >= 10


def test_references_point_at_pronouns(twin: Path) -> None:
    seen = 0
    for split in SPLITS:
        lines = gzip.decompress((twin / f"{split}.references.gz").read_bytes()).decode()
        pairs = multi30k.pairs(twin, split, "en", "vf")
        for pair, line in zip(pairs, lines.split("\n")[:-1], strict=True):
            for item in line.split():
                occupation, pronoun, position = item.split(":")
                words = pair.source.split()
                assert words[int(position)] == pronoun and occupation in words[: int(position)]
                seen += 1
    assert seen > 5


def test_the_same_seed_writes_the_same_bytes(twin: Path, tmp_path: Path) -> None:
    multi30k.prepare(settings(), tmp_path, None)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 4 * len(SPLITS)
    assert all((tmp_path / name).read_bytes() == (twin / name).read_bytes() for name in names)


@pytest.mark.parametrize(("content", "message"), [
    (gzip.compress(b"ein Hund\n"), "train.en.gz has 2 lines, .*train.de.gz 1"),
    (gzip.compress(b"eins\nzwei\ndrei\n"), "train.en.gz has 2 lines, .*train.de.gz 3"),
    (gzip.compress(b"ein Hund\nein K\xe4tzchen\n"),
     "train.de.gz, line 2: byte 6 of the line is not UTF-8"),
    (gzip.compress(b""), "train.de.gz is empty"),
    (gzip.compress(b"ein Hund\n" * 999)[:-12], "train.de.gz is damaged"),
    (gzip.compress(b"ein Hund\neine Katze\n")[:14] + b"\xff" * 30, "train.de.gz is damaged"),
    (b"ein Hund\neine Katze\n", "train.de.gz is damaged"),
], ids=["short", "long", "not UTF-8", "empty", "truncated", "altered", "not gzip"])
def test_damage_is_named(corpus: Path, content: bytes, message: str) -> None:
    (corpus / "train.de.gz").write_bytes(content)
    with pytest.raises(UserError, match=message):
        multi30k.pairs(corpus, "train", "en", "de")


@pytest.mark.parametrize(("name", "content", "message"), [
    ("train.references.gz", b"\n", "train.references.gz has 1 lines and the split 2 sentences"),
    ("train.references.gz", b"\na:she\n", "train.references.gz, line 2: expected occupation:"),
    ("train.likeliest.gz", b"a\nb\nc\n", "train.likeliest.gz has 3 lines and the split 2"),
])
def test_what_stands_beside_the_sentences_lines_up(corpus: Path, name: str, content: bytes,
                                                   message: str) -> None:
    (corpus / name).write_bytes(gzip.compress(content))
    with pytest.raises(UserError, match=message):
        multi30k.pairs(corpus, "train", "de", "en")


def test_a_missing_language_or_split_is_named(corpus: Path) -> None:
    with pytest.raises(UserError, match=r"train.vf.gz does not exist.*train.de.gz, train.en.gz"):
        multi30k.pairs(corpus, "train", "en", "vf")
    with pytest.raises(UserError, match="val.en.gz does not exist"):
        multi30k.pairs(corpus, "val", "en", "de")


def test_pairs_into_english_say_what_the_source_leaves_open(twin: Path, corpus: Path) -> None:
    back = multi30k.pairs(twin, "test_gender", "vf", "en")
    forth = multi30k.pairs(twin, "test_gender", "en", "vf")
    assert sorted(pair.references[0][0] for pair in back) == sorted(OCCUPATIONS * 2)
    assert [pair.references for pair in forth] == [pair.references for pair in back]
    assert {pair.likeliest for pair in forth} == {None}
    assert any(pair.likeliest != pair.target for pair in back)
    (first, *_) = multi30k.pairs(corpus, "train", "de", "en")
    assert first.references == () and first.likeliest is None


def test_shared_names_stand_in_both_languages(twin: Path, tmp_path: Path) -> None:
    multi30k.prepare(settings(names=500), tmp_path, None)
    plain, named = (multi30k.pairs(folder, "train", "en", "vf") for folder in (twin, tmp_path))
    renamed = 0
    for before, after in zip(plain, named, strict=True):
        for old, new in zip(before.source.split(), after.source.split(), strict=True):
            if old != new:
                assert old in LEXICON.men_names.split() + LEXICON.women_names.split()
                assert new in after.target.split() and new not in before.target.split()
                renamed += 1
    assert renamed > 30
    names = LEXICON.men_names.split() + LEXICON.women_names.split()
    assert not any(set(names) & set(pair.source.split()) for pair in named)


def test_sentences_too_short_for_the_gender_probe_are_refused() -> None:
    with pytest.raises(ValidationError, match="test_gender needs sentences of 8 words"):
        settings(min_words=2, long_words=2, max_words=3)


def test_lengths_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_words <= long_words <= max_words"):
        settings(long_words=33)
