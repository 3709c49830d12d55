"""Features: text comes back from its pieces, equal input is equal bytes, and nothing leaks."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.corpora.kinds import SentencePair
from pipeline.errors import UserError
from pipeline.storage.files import read_json, sha256
from pipeline.storage.sequences import Sequences
from pipeline.tasks.translation.features import Settings, extract
from pipeline.tasks.translation.shared.batching import PairBatches, cut
from pipeline.tasks.translation.shared.tokenizer import BOS, EOS, UNK, Tokenizer

NOUNS = ["Hund", "Mädchen", "McDonald's", "Straße", "Großmutter", "Café"]
VERBS = ["läuft", "sieht", "isst (3,5 kg)", "sagt: \"ja!\"", "e-mailt"]


def corpus(seed: int, count: int) -> list[SentencePair]:
    generator = np.random.default_rng(seed)
    texts = [" ".join(["Der", generator.choice(NOUNS), generator.choice(VERBS), "und",
                       generator.choice(VERBS)]) + "." for _ in range(count)]
    return [SentencePair(str(n), text, text.upper(), cluster=f"document {n // 2}")
            for n, text in enumerate(texts)]


SPLITS = {"train": corpus(1, 200), "val": corpus(2, 20), "test": corpus(3, 10),
          "long": corpus(4, 5), "empty": []}
SETTINGS = {"source": "de", "target": "xx", "train": "train", "valid": "val",
            "tests": {"test": "test", "long": "long"}, "pieces": "unigram", "vocabulary": 80,
            "joint": False, "generated": True}


def reader(splits: dict[str, list[SentencePair]]) -> SimpleNamespace:
    return SimpleNamespace(pairs=lambda directory, split, source, target: splits[split])


def extracted(directory: Path, splits: dict[str, list[SentencePair]] = SPLITS,
              **changes: object) -> Path:
    extract(Settings.model_validate(SETTINGS | changes), Path("corpus"), reader(splits),
            directory / "fit", directory / "test")
    return directory


def digests(directory: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in sorted(directory.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("pieces", ["unigram", "bpe", "word"])
def test_text_comes_back_from_its_pieces(tmp_path, pieces, joint):
    extracted(tmp_path, pieces=pieces, joint=joint)
    for side, texts in [("source", [p.source for p in SPLITS["test"]]),
                        ("target", [p.target for p in SPLITS["test"]])]:
        tokenizer = Tokenizer(tmp_path / "fit" / "artefacts" / f"{side}.model")
        for text in texts:
            assert tokenizer.decode(tokenizer.encode(text)) == text
        assert tokenizer.decode(tokenizer.encode(f"  {texts[0]} {texts[1]} ")) == (
            f"{texts[0]} {texts[1]}")
        assert tokenizer.encode("") == [EOS]
        assert UNK in tokenizer.encode("語")


def test_the_streams_hold_the_pairs(tmp_path):
    extracted(tmp_path)
    for split, name in [("train", "train"), ("valid", "val")]:
        for side in ("source", "target"):
            sequences = Sequences(tmp_path / "fit", f"{split}.{side}")
            tokenizer = Tokenizer(tmp_path / "fit" / "artefacts" / f"{side}.model")
            assert [tokenizer.decode(sequences[i]) for i in range(len(sequences))] == [
                getattr(pair, side) for pair in SPLITS[name]]
    stream = np.load(tmp_path / "fit" / "train.source.npy", allow_pickle=False)
    assert stream.dtype == np.int32
    spec = read_json(tmp_path / "fit" / "spec.json")
    assert spec == {"joint": False} | {
        f"{side}_vocabulary": len(Tokenizer(tmp_path / "fit" / "artefacts" / f"{side}.model"))
        for side in ("source", "target")}


def test_items_name_their_condition(tmp_path):
    extracted(tmp_path)
    items = read_json(tmp_path / "test" / "items.json")
    assert [item["condition"] for item in items] == ["long"] * 5 + ["test"] * 10
    assert [item["reference"] for item in items if item["condition"] == "test"] == [
        pair.target for pair in SPLITS["test"]]
    assert len({item["id"] for item in items}) == 15
    sources = Sequences(tmp_path / "test", "source")
    tokenizer = Tokenizer(tmp_path / "fit" / "artefacts" / "source.model")
    assert [tokenizer.decode(sources[i]) for i in range(15)] == [i["source"] for i in items]


def test_only_a_generated_corpus_has_a_ceiling(tmp_path):
    extracted(tmp_path / "twin")
    extracted(tmp_path / "real", generated=False)
    assert read_json(tmp_path / "twin" / "test" / "ceiling.json") == {"bleu": 100.0}
    assert read_json(tmp_path / "real" / "test" / "ceiling.json") == {}


def test_the_same_corpus_gives_the_same_bytes(tmp_path):
    first, second = extracted(tmp_path / "1"), extracted(tmp_path / "2")
    for folder in ("fit", "test"):
        assert digests(first / folder) == digests(second / folder)


def test_what_is_learnt_depends_on_the_training_split_alone(tmp_path):
    other = SPLITS | {"val": corpus(8, 30), "test": corpus(9, 30)}
    first, second = extracted(tmp_path / "1"), extracted(tmp_path / "2", other)
    for name in ("source.model", "target.model"):
        assert (sha256(first / "fit" / "artefacts" / name)
                == sha256(second / "fit" / "artefacts" / name))
    changed = {name for name, digest in digests(first / "fit").items()
               if digests(second / "fit")[name] != digest}
    assert {name.split(".")[0] for name in changed} == {"valid"}


def test_bad_settings_and_data_are_named(tmp_path):
    with pytest.raises(UserError, match="split 'empty' of de-xx has no sentence pairs"):
        extracted(tmp_path, valid="empty")
    with pytest.raises(UserError, match="features.vocabulary"):
        extracted(tmp_path, vocabulary=20)
    with pytest.raises(ValidationError, match="tests"):
        Settings.model_validate(SETTINGS | {"tests": {"extra": "test"}})
    with pytest.raises(ValidationError, match="'test'"):
        Settings.model_validate(SETTINGS | {"tests": {"long": "long"}})


def test_damaged_files_are_named(tmp_path):
    extracted(tmp_path)
    for path, read in [
            (tmp_path / "fit" / "artefacts" / "source.model", lambda p: Tokenizer(p)),
            (tmp_path / "fit" / "train.source.npy",
             lambda p: Sequences(p.parent, "train.source"))]:
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(UserError, match=path.name):
            read(path)
        path.unlink()
        with pytest.raises(UserError, match="does not exist"):
            read(path)


def test_an_epoch_has_every_pair_once_within_the_budget(tmp_path):
    batches = PairBatches(extracted(tmp_path) / "fit", "train", tokens=100, seed=4)
    plans = [batches.plan(epoch) for epoch in range(3)]
    for plan in plans:
        assert sorted(np.concatenate([b.items for b in plan]).tolist()) == list(range(200))
        for batch in map(batches.load, plan):
            assert max(batch["source"].numel(), batch["targets"].numel()) <= 100
            assert batch["inputs"].shape == batch["targets"].shape
            assert set(batch["inputs"][:, 0].tolist()) == {BOS}
            assert (batch["targets"] == EOS).sum(dim=1).tolist() == [1] * len(batch["targets"])
    assert len({len(plan) for plan in plans}) == 1
    assert not all(np.array_equal(a.items, b.items) for a, b in zip(*plans[:2], strict=True))
    again = PairBatches(tmp_path / "fit", "train", tokens=100, seed=4).plan(2)
    assert all(np.array_equal(a.items, b.items) for a, b in zip(again, plans[2], strict=True))


def test_a_batch_knows_how_much_training_came_before_it(tmp_path):
    batches = PairBatches(extracted(tmp_path) / "fit", "train", tokens=100, seed=4)
    plan = batches.plan(3)
    assert [round((batch.epochs - 3) * len(plan)) for batch in plan] == list(range(len(plan)))
    assert batches.load(plan[1])["epochs"] == plan[1].epochs


def test_an_item_over_the_budget_is_a_batch_of_its_own():
    lengths = np.array([2, 3, 3, 50, 60])
    assert [(s.start, s.stop) for s in cut(lengths, 9)] == [(0, 3), (3, 4), (4, 5)]
