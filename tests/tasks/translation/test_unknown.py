"""Unknown words: copied from where attention is highest, kept, or never said."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline.corpora.kinds import SentencePair
from pipeline.storage.files import read_json
from pipeline.systems.base import Run
from pipeline.tasks.translation.features import Settings, extract
from pipeline.tasks.translation.scoring import METRICS, score
from pipeline.tasks.translation.shared.tokenizer import UNK, Tokenizer
from pipeline.tasks.translation.shared.translator import Variant
from pipeline.tasks.translation.shared.unknown import AnswerWriter, most_attended
from tests.tasks.translation.conftest import DICTIONARY, HYPER_PARAMETERS

LETTERS = list("abcdefghijklmnopqrst")


def pairs(seed: int, count: int) -> list[SentencePair]:
    """Sentences of known words with one name of four letters, the same in both languages."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(count):
        words = generator.choice(list(DICTIONARY), generator.integers(2, 5)).tolist()
        name = "".join(generator.choice(LETTERS, 4))
        place = int(generator.integers(0, len(words)))
        source = [*words[:place], name, *words[place:]]
        found.append(SentencePair(str(number), " ".join(source), " ".join(
            DICTIONARY.get(word, word) for word in source), cluster=str(number)))
    return found


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory):
    """Features with the ten known words in the vocabularies and no name."""
    directory = tmp_path_factory.mktemp("named")
    splits = {"train": pairs(1, 300), "val": pairs(2, 20), "test": pairs(3, 30)}
    settings = Settings(source="en", target="es", train="train", valid="val",
                        tests={"test": "test"}, pieces="word", vocabulary=9, joint=False,
                        generated=True)
    reader = type("Reader", (), {"pairs": staticmethod(lambda corpus, split, *_: splits[split])})
    extract(settings, directory, reader, directory / "fit", directory / "test")
    return directory


def test_the_highest_attention_that_is_on_a_word():
    weights = torch.tensor([[[0.1, 0.6, 0.3, 0.0], [0.2, 0.1, 0.7, 0.0]],
                            [[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]])
    # Three tokens with EOS last, and EOS alone.
    assert most_attended(weights, torch.tensor([3, 1])).tolist() == [[1, 0], [0, 0]]


def test_each_unknown_word_is_the_source_word_it_looked_at(named):
    known = Tokenizer(named / "fit" / "artefacts" / "target.model").encode("uno dos")[:2]

    def attention(source, lengths, targets):
        """Token t of row r looks at the (t + r)-th source word."""
        weights = torch.zeros(len(targets), max(map(len, targets)), source.shape[1])
        for row, target in enumerate(targets):
            for step in range(len(target)):
                weights[row, step, (step + row) % source.shape[1]] = 1
        return weights

    sources = ["one abcd two", "xyz one one", "one two"]
    writer = AnswerWriter(named / "fit" / "artefacts", sources, attention)
    tokens = torch.zeros(3, 4, dtype=torch.int64)
    found = writer.texts(np.array([1, 0, 2]), tokens, torch.tensor([4, 4, 3]),
                         [[UNK, known[0]], [UNK, UNK, known[1]], known])
    assert found == ["xyz uno", "abcd two dos", "uno dos"]
    plain = AnswerWriter(named / "fit" / "artefacts", sources, None)
    assert plain.texts(np.array([0]), tokens[:1], torch.tensor([4]), [[known[1], UNK]]) == [
        "dos <unk>"]


def test_a_network_that_copies_translates_names_that_it_has_never_seen(named, make_system,
                                                                       tmp_path):
    system = make_system("attention", read_json(named / "fit" / "spec.json"), embedding=24,
                         hidden=24, batch_tokens=100,
                         training=HYPER_PARAMETERS["training"] | {"epochs": 9,
                                                                  "learning_rate": 0.02})
    system.artefacts = named / "fit" / "artefacts"
    system.fit(named / "fit", Run(seed=1, work=tmp_path))
    scores = {}
    for rule in ("copy", "keep", "never"):
        variant = Variant(beam=2, length_normalisation=1.0, unknown=rule)
        answers = list(system.predict(named / "test", variant))
        scores[rule] = score(answers, named / "test").score(METRICS["bleu"])
        said = [word for answer in answers for word in answer["hypothesis"].split()]
        assert ("<unk>" in said) is (rule == "keep")
        assert (set(said) <= set(DICTIONARY.values())) is (rule == "never")
    assert scores["copy"] > 80 > 60 > max(scores["keep"], scores["never"])


def test_odd_sources_have_an_answer(make_system, tmp_path):
    """An empty sentence, one of unknown words alone, one of 1,000 words, spaces that are odd."""
    sources = ["", "zzzz yyyy", " ".join(["one", "zzzz"] * 500), "  one   zzzz "]
    settings = Settings(source="en", target="es", train="t", valid="t", tests={"test": "odd"},
                        pieces="word", vocabulary=9, joint=False, generated=False)
    splits = {"t": pairs(1, 30), "odd": [SentencePair(str(n), source, "uno", cluster=str(n))
                                         for n, source in enumerate(sources)]}
    reader = type("Reader", (), {"pairs": staticmethod(lambda corpus, split, *_: splits[split])})
    extract(settings, tmp_path, reader, tmp_path / "fit", tmp_path / "test")
    system = make_system("attention", read_json(tmp_path / "fit" / "spec.json")).eval()
    system.artefacts = tmp_path / "fit" / "artefacts"
    with torch.no_grad():
        system.output_bias[UNK] = 3.0
        system.output_bias[2] = -1.0
    answers = list(system.predict(tmp_path / "test", Variant(beam=1, length_normalisation=0.0,
                                                             unknown="copy")))
    assert [answer["id"] for answer in answers] == [f"test/{n}" for n in range(4)]
    assert score(answers, tmp_path / "test").score(METRICS["bleu"]) >= 0
    assert set(answers[1]["hypothesis"].split()) & {"zzzz", "yyyy"}


def test_without_attention_there_is_nothing_to_copy_by(make_system):
    variants = {"copy": {"beam": 1, "length_normalisation": 0.0, "unknown": "copy"}}
    with pytest.raises(ValidationError, match="copied by attention"):
        make_system("fixed_vector", variants=variants)
