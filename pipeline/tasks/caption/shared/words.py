"""Sentences as the field scores them: words in lower case, without punctuation marks."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
PAD, BOS, EOS, UNK = range(len(SPECIAL))

_WORD = re.compile(r"\w+(?:['-]\w+)*")


def words_of(text: str) -> list[str]:
    """The words of a sentence; "It's a T-shirt." has three."""
    return _WORD.findall(text.lower())


def vocabulary(sentences: Iterable[Sequence[str]], min_count: int) -> list[str]:
    """`SPECIAL` and the words seen `min_count` times or more, by falling frequency, then spelling.

    A word's place is its number.
    """
    counts = Counter(word for words in sentences for word in words)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [*SPECIAL, *(word for word, count in ranked if count >= min_count)]
