"""Subword tokenisation that can be undone exactly.

SentencePiece (Kudo and Richardson 2018) treats the space as one more character, so the text comes
back from its pieces without any detokenisation rule; only spaces and tabs between two words become
one space. Text is not normalised and not lower-cased, because BLEU compares with references as they
were written. What SentencePiece has for its own use (U+2581, U+2585, control characters, and the
beginning of `<s>` and the like) is given to it as characters for private use and comes back as it
was.
"""

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import sentencepiece

from pipeline.errors import UserError
from pipeline.storage.files import write_bytes
from pipeline.storage.words import words_in

PAD, BOS, EOS, UNK = range(4)
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # how a piece writes the space before it
_PRIVATE = 0xF0000
_STAND_INS = {own: _PRIVATE + own for own in (*range(0x20), ord(SPACE), 0x2585)}
_RESTORED = {_PRIVATE + own: own for own in (*_STAND_INS, ord("<"))}
_MARK = re.compile("<(?=(?:pad|s|/s|unk)>)")
PieceModel = Literal["unigram", "bpe", "word"]
Side = Literal["source", "target"]


def piece_model(artefacts: Path | None, side: Side) -> Path:
    """The model file of a side's pieces in the folder of a system's artefacts."""
    if artefacts is None:
        raise UserError("the system does not know its pieces; load it from the folder of a "
                        "trained system")
    return artefacts / f"{side}.model"


def train_tokenizer(sentences: Iterable[str], path: Path, model: PieceModel,
                    vocabulary: int) -> None:
    """Learn at most `vocabulary` pieces from `sentences` and write the model file.

    One thread and no sampling of the sentences, so that the same text gives the same bytes.
    A small text gives fewer. Raises UserError when its characters alone are more than that.
    """
    content = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=map(_given, sentences), model_writer=content, model_type=model,
            vocab_size=vocabulary, hard_vocab_limit=False,
            character_coverage=1.0, num_threads=1,
            normalization_rule_name="identity", pad_id=PAD, bos_id=BOS, eos_id=EOS, unk_id=UNK,
            max_sentence_length=1 << 20, minloglevel=2)
    except RuntimeError as error:
        raise UserError(f"{path.name}: SentencePiece cannot learn {vocabulary} pieces from this "
                        f"text ({error}); change features.vocabulary of the track") from None
    write_bytes(path, content.getvalue())


class Tokenizer:
    """Text to piece numbers and back."""

    def __init__(self, path: Path) -> None:
        try:
            self._processor = sentencepiece.SentencePieceProcessor(
                model_proto=path.read_bytes())
        except FileNotFoundError:
            raise UserError(f"{path} does not exist; run the features stage") from None
        except RuntimeError as error:
            raise UserError(f"{path} is no SentencePiece model ({error}); remove it and run the "
                            "features stage again") from None

    def __len__(self) -> int:
        return self._processor.vocab_size()

    def encode(self, text: str) -> list[int]:
        """Piece numbers of `text`, ended by EOS: even an empty sentence has one token."""
        return [*self._processor.encode(_given(text)), EOS]

    def decode(self, tokens: list[int]) -> str:
        """The text of piece numbers; PAD, BOS and EOS have none."""
        return _restored(self._processor.decode(tokens))

    def decode_with(self, tokens: list[int], unknown: list[str]) -> str:
        """The same with the i-th of `unknown`, a piece as text, where the i-th token is UNK."""
        text = self._processor.decode([word if token == UNK else self._processor.id_to_piece(token)
                                       for token, word in zip(tokens, unknown, strict=True)])
        return _restored(text.replace(SPACE, " ").strip(" "))

    def split(self, text: str) -> list[str]:
        """`text` as the pieces that `encode` numbers, those without a number too, without EOS."""
        return self._processor.encode(_given(text), out_type=str)

    def pieces(self, tokens: list[int]) -> list[str]:
        """Readable pieces, for figures."""
        return [_restored(self._processor.id_to_piece(token)) for token in tokens]


def _given(text: str) -> str:
    """A text as SentencePiece gets it."""
    text = " ".join(words_in(text)).translate(_STAND_INS)
    return _MARK.sub(chr(_PRIVATE + ord("<")), text)


def _restored(text: str) -> str:
    return text.translate(_RESTORED)
