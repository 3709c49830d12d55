"""Text to pieces and back, whatever the text is."""

from pathlib import Path
from typing import get_args

import pytest

from pipeline.tasks.translation.shared.tokenizer import (
    UNK,
    PieceModel,
    Tokenizer,
    train_tokenizer,
)
from tests.odd_text import ODD

WORDS = [word for word in ODD if word not in "\0\n" and word.strip(" \t")]
SENTENCES = [" ".join(words) for words in (WORDS, WORDS[::-1], ["the", "man", *WORDS[::2]])] * 3


@pytest.mark.parametrize("model", get_args(PieceModel))
def test_every_training_sentence_comes_back(tmp_path: Path, model: PieceModel) -> None:
    train_tokenizer(SENTENCES, tmp_path / "some.model", model, 400)
    tokenizer = Tokenizer(tmp_path / "some.model")
    for sentence in SENTENCES:
        tokens = tokenizer.encode(sentence)
        assert UNK not in tokens
        assert tokenizer.decode(tokens) == " ".join(filter(None, sentence.split(" ")))
        assert len(tokenizer.split(sentence)) == len(tokens) - 1


def test_a_tab_stands_between_words_as_a_space_does(tmp_path: Path) -> None:
    train_tokenizer(["a b", "b\ta"], tmp_path / "some.model", "word", 20)
    tokenizer = Tokenizer(tmp_path / "some.model")
    assert tokenizer.encode("a\tb") == tokenizer.encode(" a  b \t")
    assert tokenizer.decode(tokenizer.encode("a\tb")) == "a b"
    assert tokenizer.encode("a\xa0b")[0] == UNK


def test_an_unknown_word_is_written_as_it_stands(tmp_path: Path) -> None:
    train_tokenizer(["a b"], tmp_path / "some.model", "word", 20)
    tokenizer = Tokenizer(tmp_path / "some.model")
    source = "a c\u2581\u2585\xa0"
    assert tokenizer.decode_with(tokenizer.encode(source)[:-1], tokenizer.split(source)) == source
