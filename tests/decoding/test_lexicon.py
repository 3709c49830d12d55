"""Dictionaries: words and variants in their order, and what is refused."""

import math

import pytest

from pipeline.decoding.lexicon import Lexicon, Pronunciation
from pipeline.errors import UserError

PHONES = ("SIL", "DH", "AH", "IY")


def test_words_stand_once_with_all_their_variants() -> None:
    lexicon = Lexicon.of([("THE", ("DH", "AH")), ("E", ("IY",)), ("THE", ("DH", "IY"))], PHONES,
                         "SIL")
    assert lexicon.words == ("THE", "E")
    assert [[entry.phones for entry in group] for group in lexicon.by_word] == [
        [("DH", "AH"), ("DH", "IY")], [("IY",)]]
    assert [entry.log_probability for entry in lexicon.pronunciations] == [0.0] * 3


@pytest.mark.parametrize(("entries", "message"), [
    ([], r"my.dic has no word"),
    ([("THE", (), 0.0)], r"my.dic, word 'THE': its pronunciation is empty; give it one phone"),
    ([("THE", ("DH", "UH"), 0.0)], r"'THE': the phone 'UH' is none of .*: SIL DH AH IY"),
    ([("THE", ("DH", "SIL"), 0.0)], r"'THE': 'SIL' stands within it"),
    ([("E", ("IY",), 0.0), ("THE", ("DH", "AH"), 0.0), ("THE", ("DH", "AH"), -1.0)],
     r"'THE': the pronunciation DH AH stands there twice; remove one"),
    ([("THE", ("DH", "AH"), 0.5)], r"'THE': 0.5 is no logarithm of a probability"),
    ([("THE", ("DH", "AH"), math.nan)], r"'THE': nan is no logarithm of a probability")])
def test_what_is_no_dictionary_is_refused_by_name(
        entries: list[tuple[str, tuple[str, ...], float]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Lexicon(tuple(Pronunciation(*entry) for entry in entries), PHONES, "SIL", "my.dic")


def test_silence_has_to_be_a_phone() -> None:
    with pytest.raises(UserError, match=r"the silence phone 'PAU' of the dictionary is none of"):
        Lexicon.of([("THE", ("DH", "AH"))], PHONES, "PAU")


def test_one_pronunciation_may_be_of_two_words() -> None:
    assert Lexicon.of([("O", ("IY",)), ("OH", ("IY",))], PHONES, "SIL").words == ("O", "OH")
