"""A pronouncing dictionary: the words that a recogniser knows, as sequences of phones.

Variants of a word (`THE` as DH AH and DH IY) are pronunciations of one word, each with a
log-probability; a search takes the best, so variants need not sum to one, and 0 makes them equal
(Jurafsky and Martin, "Speech and Language Processing", chapter on speech recognition). Between
words a speaker may pause: the silence phone is that pause, and belongs to no word.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from pipeline.errors import UserError


@dataclass(frozen=True)
class Pronunciation:
    """One way to say a word; `log_probability` is natural."""

    word: str
    phones: tuple[str, ...]
    log_probability: float = 0.0


@dataclass(frozen=True)
class Lexicon:
    """`pronunciations` in the order of the dictionary; a word's number is its place in `words`.

    `phones` are all that the acoustic model has, `silence` among them. `name` is how errors call
    the dictionary. Raises UserError naming the word for no word at all, an empty pronunciation, an
    unknown phone, silence within a word, a pronunciation that stands there twice and a
    log-probability that is none.
    """

    pronunciations: tuple[Pronunciation, ...]
    phones: tuple[str, ...]
    silence: str
    name: str = "the dictionary"

    def __post_init__(self) -> None:
        if not self.pronunciations:
            raise UserError(f"{self.name} has no word; give it one pronunciation at least")
        if self.silence not in self.phones:
            raise UserError(f"the silence phone {self.silence!r} of {self.name} is none of the "
                            f"acoustic model's: {_listed(self.phones)}")
        seen: set[tuple[str, tuple[str, ...]]] = set()
        for entry in self.pronunciations:
            if (problem := self._problem(entry)) is not None:
                raise UserError(f"{self.name}, word {entry.word!r}: {problem}")
            if (entry.word, entry.phones) in seen:
                raise UserError(f"{self.name}, word {entry.word!r}: the pronunciation "
                                f"{' '.join(entry.phones)} stands there twice; remove one")
            seen.add((entry.word, entry.phones))

    @classmethod
    def of(cls, pronunciations: Iterable[tuple[str, Iterable[str]]], phones: Iterable[str],
           silence: str, name: str = "the dictionary") -> "Lexicon":
        """A dictionary whose variants are equally probable, from pairs of word and phones."""
        return cls(tuple(Pronunciation(word, tuple(said)) for word, said in pronunciations),
                   tuple(phones), silence, name)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Each word once, in the order in which the dictionary first has them."""
        return tuple(dict.fromkeys(entry.word for entry in self.pronunciations))

    @cached_property
    def by_word(self) -> tuple[tuple[Pronunciation, ...], ...]:
        """The pronunciations of each word of `words`."""
        grouped: dict[str, list[Pronunciation]] = {word: [] for word in self.words}
        for entry in self.pronunciations:
            grouped[entry.word].append(entry)
        return tuple(tuple(group) for group in grouped.values())

    def _problem(self, entry: Pronunciation) -> str | None:
        if not entry.phones:
            return "its pronunciation is empty; give it one phone at least"
        if self.silence in entry.phones:
            return (f"{self.silence!r} stands within it, but silence is what may stand between "
                    "words; remove it")
        unknown = [phone for phone in entry.phones if phone not in self.phones]
        if unknown:
            return (f"the phone {unknown[0]!r} is none of the acoustic model's: "
                    f"{_listed(self.phones)}")
        if not entry.log_probability <= 0.0:
            return f"{entry.log_probability} is no logarithm of a probability; it must be 0 at most"
        return None


def _listed(phones: Collection[str]) -> str:
    return " ".join(phones)
