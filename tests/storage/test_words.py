"""Words of a line, and how any word stands in a file of our own."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.storage.words import escaped, is_blank, trimmed, unescaped, words_in

RESERVED = frozenset({"<s>", "</s>", "<UNK>"})
# Letters of escapes and marks come often, so that words look like them.
words = st.text(st.one_of(st.sampled_from("\\ue0025cdf<s>/UNK \t\n\r\x85\xa0\u2028\ufeff"),
                          st.characters()), max_size=12)


def test_spaces_and_tabs_are_between_words_and_nothing_else() -> None:
    assert words_in(" a \t b\t") == ["a", "b"]
    odd = ["2\xa01/2", "a\u2028b", "\x85", "\r", "\x0b\x0c", "\x1c\x1f", "\u3000", "\ufeff", "\0"]
    assert words_in(" ".join(odd)) == odd
    assert words_in("") == words_in(" \t") == []


def test_what_is_around_a_text_is_spaces_and_tabs() -> None:
    assert trimmed(" \ta b\t ") == "a b"
    assert trimmed("\xa0a\u2028") == "\xa0a\u2028"
    assert [is_blank(line) for line in ("", " \t", "\xa0", "\r", "a")] == [
        True, True, False, False, False]


@pytest.mark.parametrize("word", ["word", "either\\/or", "\\", "caf\xe9", "cafe\u0301", "<unk>",
                                  "\\data\\", "\u65e5\u672c\u8a9e", "\\u00", "u0020", "<eos>"])
def test_ordinary_words_stand_as_they_are(word: str) -> None:
    assert escaped(word, RESERVED) == word


@pytest.mark.parametrize(("word", "written"), [
    (" ", r"\u0020"), ("a\u2028b", r"a\u2028b"), ("<s>", r"\u003cs>"), ("", r"\e"),
    (r"\e", r"\u005ce"), (r"\u0020", r"\u005cu0020"), ("\ud800", r"\ud800")])
def test_others_are_spelt_out(word: str, written: str) -> None:
    assert escaped(word, RESERVED) == written


@pytest.mark.fuzz
@given(st.lists(words, max_size=6))
@example(["", " ", "\\e", "\\u0020", "\\u005cu0020", "<s>", "\\u003cs>", "\ud800"])
def test_any_word_comes_back_and_no_two_are_one(given_words: list[str]) -> None:
    written = [escaped(word, RESERVED) for word in given_words]
    assert [unescaped(text) for text in written] == given_words
    assert len(set(written)) == len(set(given_words))
    assert not RESERVED.intersection(written)
    # Whoever reads the file finds as many words, whatever is white space or a line to them.
    assert " ".join(written).split() == "\n".join(written).splitlines() == written
    "".join(written).encode("utf-8")
