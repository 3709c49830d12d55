"""The Penn Treebank's language-model text (Mikolov et al. 2010), and its embedded twin.

`pipeline.corpora.twins.penn_text` has the format of both and reads them.
"""

from itertools import accumulate
from pathlib import Path

from pipeline.corpora.kinds import Line, Sentence
from pipeline.corpora.twins import penn_text
from pipeline.corpora.twins.penn_text import FILES, Split, TwinSettings, ceiling, sentences
from pipeline.entries import CorpusSettings

__all__ = ["FILES", "Settings", "TwinSettings", "ceiling", "lines", "prepare", "sentences"]


class Settings(CorpusSettings):
    """Downloaded (`twin: null`) or generated."""

    twin: TwinSettings | None


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the three files, and the twin's files beside them, into `directory`."""
    penn_text.prepare(settings.twin, directory, mirror)


def lines(directory: Path, split: Split) -> list[Line]:
    """The same sentences as characters: each word with a space behind it, then the newline.

    <unk> is five characters. A line of the file begins with a space, too, which is left out: it
    follows on every newline, costs nothing to predict and is not among the 446,184 symbols of test
    text that published results of this preparation are means over. Other preparations differ:
    Mikolov's drops both outer spaces, others spell the newline out as <eos>.
    """
    return [_line(sentence) for sentence in sentences(directory, split)]


def _line(sentence: Sentence) -> Line:
    starts = list(accumulate((len(word) + 1 for word in sentence.words), initial=0))
    marked = [place for start, word, mark in zip(starts, sentence.words, sentence.marked or [],
                                                 strict=False)
              for place in range(start, start + len(word)) if mark]
    text = "".join(f"{word} " for word in sentence.words)
    return Line(sentence.id, f"{text}\n", marked, sentence.log_probability,
                cluster=sentence.cluster)
