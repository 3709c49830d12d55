"""How words are said: a corpus's dictionary first, then CMU's, then nobody knows."""

import pytest

from pipeline.audio.pronouncing import completed, ways_to_say
from pipeline.errors import UserError

OWN = {"READ": [["R", "EH", "D"]], "A": [["EY"]], "a": [["AH"]]}


def test_the_corpus_knows_best_and_cmu_the_rest() -> None:
    found = completed(OWN, [("READ", "x"), ("THE", "x")], "corpus")
    assert found["READ"] == [["R", "EH", "D"]]
    # The first three of CMU's for "the": DH AH0, DH AH1 and DH IY0.
    assert found["THE"] == [["DH", "AH"], ["DH", "IY"]]
    assert set(found) == {"READ", "A", "a", "THE"}


def test_letter_case_counts_where_the_corpus_has_several() -> None:
    assert ways_to_say("A", OWN) == [["EY"]] and ways_to_say("a", OWN) == [["AH"]]
    assert ways_to_say("Read", OWN) == [["R", "EH", "D"]]
    assert ways_to_say("i'll", {}) == ways_to_say("I'LL", {})
    assert ways_to_say("i'll", {})[0] == ["AY", "L"]
    assert ways_to_say("xyzzyx", OWN) == []


def test_an_unknown_word_is_named_with_its_place() -> None:
    with pytest.raises(UserError, match=r"u\.wav: its transcript has the word 'XYZZYX'"):
        completed(OWN, [("READ", "t.wav"), ("XYZZYX", "u.wav")], "corpus")


def test_a_phone_that_is_none_is_named() -> None:
    with pytest.raises(UserError, match=r"dictionary of corpus has the phone 'Q'.*'BAD'"):
        completed({"BAD": [["B", "Q"]]}, [], "corpus")
