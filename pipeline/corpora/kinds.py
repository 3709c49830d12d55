"""What readers of corpora give, whatever the publisher's format.

A real corpus and its embedded twin are written in one format and read by one reader, and readers
of one kind of corpus give the same objects, so a task's features stage does not know which corpus
it serves.

What may have been produced together says with which `cluster`: a block of running text, a document,
a story, or its own id where it stands by itself. A speaker is one cluster. Pictures, series,
pieces and what is generated one by one always stand by themselves, and their tasks say so.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sentence:
    """A tokenised sentence of a text corpus; `cluster` is what it was produced together with.

    `marked[i]` says that word i depends on something more than four words back (known for the
    embedded twin only). `log_probability` is the natural log of its exact probability under the
    process that generated it, the end of the sentence included, or None. `place` says in errors
    where it stands.
    """

    id: str
    words: list[str]
    marked: list[bool] | None = None
    log_probability: float | None = None
    place: str = ""
    cluster: str = field(kw_only=True)


@dataclass(frozen=True)
class Line:
    """A line of running text, read as characters; its newline, if it has one, stands at its end.

    `marked` holds the positions of characters that belong to a marked word, and `log_probability`
    is that of the whole line, both as for a `Sentence`.
    """

    id: str
    text: str
    marked: list[int]
    log_probability: float | None = None
    cluster: str = field(kw_only=True)


SENTENCES_OF_A_BLOCK = 50


def block(split: str, number: int) -> str:
    """The cluster of a sentence or line of running text whose documents are not known.

    It is `SENTENCES_OF_A_BLOCK` of them in a row; `number` counts from 1.
    """
    return f"{split}-block-{(number - 1) // SENTENCES_OF_A_BLOCK + 1:04d}"


@dataclass(frozen=True)
class LabelledSentence:
    """A word sequence and its class: a sentence and its sentiment, a question and its answer.

    `group` names a part of the corpus whose accuracy is of interest by itself, or is None.
    `cluster` is what it was produced together with: the story of a question, say. `facts` counts
    those that stand before a question; what is no question has None. `place` says in errors where
    it stands.
    """

    id: str
    words: list[str]
    label: str
    group: str | None = None
    place: str = ""
    facts: int | None = None
    cluster: str = field(kw_only=True)


@dataclass(frozen=True)
class TaggedSentence:
    """A tokenised sentence with one tag a word; `cluster` is its document."""

    id: str
    words: list[str]
    tags: list[str]
    cluster: str = field(kw_only=True)


@dataclass(frozen=True)
class SentencePair:
    """A sentence and its translation, as the publisher writes them (not tokenised).

    `cluster` is its document, or its id where it was translated by itself.

    Known for embedded twins only: `references`, (occupation, pronoun) for each English pronoun that
    refers to one, in their order; `likeliest`, the target of a perfect translator, where the
    source leaves open what the publisher's translation says.
    """

    id: str
    source: str
    target: str
    references: tuple[tuple[str, str], ...] = ()
    likeliest: str | None = None
    cluster: str = field(kw_only=True)


@dataclass(frozen=True)
class Segment:
    """A word or a phone of a recording: heard from `start` to before `end`, in seconds."""

    kind: Literal["word", "phone"]
    label: str
    start: float
    end: float


@dataclass(frozen=True)
class Utterance:
    """A recorded sentence: audio in `path`.

    `segments` say when its words or phones are heard, where the corpus knows that: those of one
    kind in order of time, none beginning before the one before it ends. Between them is silence.
    """

    id: str
    speaker: str
    path: Path
    text: str
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class CaptionedPicture:
    """A picture and the sentences that were written about it, one at least.

    Known for an embedded twin only: `scene`, what is drawn, as values that JSON can hold, and
    `likeliest`, the sentence that its grammar is likeliest to say.
    """

    id: str
    path: Path
    sentences: list[str]
    scene: tuple[tuple[str | int, ...], ...] | None = None
    likeliest: str | None = None


@dataclass(frozen=True)
class Frequency:
    """What a forecasting competition fixes for a frequency: points a season, points to forecast.

    `step` is from a point to the next, as an ISO 8601 duration.
    """

    period: int
    horizon: int
    step: str


@dataclass(frozen=True)
class Series:
    """A time series of a forecasting competition: the past to learn from, the future to forecast.

    `optimal` is the forecast of the process that generated it (embedded twin only), shape [h].
    """

    id: str
    past: NDArray[np.float64]
    future: NDArray[np.float64]
    optimal: NDArray[np.float64] | None = field(default=None)


@dataclass(frozen=True)
class Piece:
    """A piece: the MIDI pitches that sound at each step, ascending.

    `nats` are the negative log-probabilities of the steps from the second on under the process
    that composed it, or None.
    """

    id: str
    steps: list[list[int]]
    nats: list[float] | None = None


@dataclass(frozen=True)
class Analogy:
    """A question "a is to b as c is to what?", whose answer is `d`; `section` is its relation."""

    section: str
    a: str
    b: str
    c: str
    d: str


@dataclass(frozen=True)
class RatedPair:
    """Two words and how similar or related people find them, on the scale of the list."""

    source: str
    words: tuple[str, str]
    rating: float


@dataclass(frozen=True)
class WordTests:
    """What vectors of words are held against.

    `classes` has words by class, a word in several of them where it is ambiguous; words of one
    class can stand for each other wherever the class is meant. A corpus without known classes has
    none.
    """

    classes: dict[str, list[str]]
    analogies: list[Analogy]
    pairs: list[RatedPair]
