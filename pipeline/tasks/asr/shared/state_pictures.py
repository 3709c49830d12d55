"""A picture of hidden states: which state of which phone each frame of an utterance is in.

The states are those of the best path along the words that the system itself answered (forced
alignment), under its own scores of frames; so the picture shows what the system takes to be where,
also where it misheard.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.style import BLUE, GREEN, LIGHT, YELLOW
from pipeline.hmm.gmm import Floats
from pipeline.hmm.graphs import best_paths
from pipeline.hmm.phones import SIL, TiedStates
from pipeline.hmm.transcripts import Node, spoken
from pipeline.storage.words import words_in
from pipeline.tasks.asr.shared.timed_pictures import SHOWN, panels, points_a_frame
from pipeline.tasks.asr.shared.vocabulary import Vocabulary

_LARGEST, _SMALLEST = 9.0, 5.0  # points
_STATES = (BLUE, YELLOW, GREEN)
_SILENCE = LIGHT


@runtime_checkable
class KnowsStates(Protocol):
    """A recogniser whose words are phones of tied states."""

    vocabulary: Vocabulary

    def known(self) -> TiedStates:
        """The tied states."""

    def test_scores(self, data: Path, utterance: int) -> Floats:
        """log p(frame | tied state) of a test item but for a constant of the frame, [T, states]."""


class Part(NamedTuple):
    """A phone or a word from frame `start` to before `end`."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Followed:
    """The states of each frame along `words`: `path` [T] are places in `nodes`."""

    words: list[str]
    nodes: tuple[Node, ...]
    path: NDArray[np.int64]

    def states(self) -> Iterator[tuple[Node, int, int]]:
        """Each state that is passed through, with its first frame and that behind its last."""
        return self._cut(np.diff(self.path, prepend=-1) != 0)

    def phones(self) -> list[Part]:
        """Phones and silences in order of time; they fill the utterance."""
        return [Part(node.phone, start, end) for node, start, end in self._cut(self._enters())]

    def words_said(self) -> list[Part]:
        """The words in order of time, without the silences between them."""
        parts: list[Part] = []
        last = -1
        for node, start, end in self._cut(self._enters()):
            if node.word >= 0 and node.word == last:
                parts[-1] = parts[-1]._replace(end=end)
            elif node.word >= 0:
                parts.append(Part(self.words[node.word], start, end))
            last = node.word
        return parts

    def _enters(self) -> NDArray[np.bool_]:
        """Whether a phone begins at a frame: its first state does, which a path enters once."""
        first = np.array([node.position == 0 for node in self.nodes])[self.path]
        return first & (np.diff(self.path, prepend=-1) != 0)

    def _cut(self, begins: NDArray[np.bool_]) -> Iterator[tuple[Node, int, int]]:
        for start, end in pairwise([*np.flatnonzero(begins).tolist(), len(self.path)]):
            yield self.nodes[self.path[start]], start, end


def followed(scores: Floats, text: str, lexicon: dict[str, list[list[str]]],
             tied: TiedStates) -> Followed | None:
    """The best path of frames with `scores` [T, states] along `text`; None where none fits.

    Raises ValueError for a word that `lexicon` lacks.
    """
    words = words_in(text)
    transcript = spoken(words, lexicon, tied)
    found = best_paths(transcript.graph, tied.stay, scores[:, transcript.graph.emits],
                       np.array([len(scores)]))
    if found.scores[0] == -np.inf:
        return None
    return Followed(words, transcript.nodes, found.nodes[0])


def states(found: Followed, frames: NDArray[np.float32], frame_seconds: float,
           title: str) -> Figure:
    """Features [T, D] above, below them the states, phones and words of their frames."""
    figure, (above, middle, below) = panels(frames, frame_seconds, title, (1.2, 0.9))
    shown = min(len(frames), SHOWN)
    _draw_states(middle, found, frame_seconds)
    scale = points_a_frame(shown)
    for part in found.phones():
        _name(below, part, shown, frame_seconds, 0.75, scale)
    for part in found.words_said():
        _name(below, part, shown, frame_seconds, 0.25, scale)
        for axes in (above, middle, below):
            for edge in (part.start, part.end):
                axes.axvline(edge * frame_seconds, color="black" if axes is not above else "white",
                             linewidth=0.9)
    below.set(ylim=(0, 1), ylabel="said")
    below.set_yticks([0.25, 0.75], ["word", "phone"])
    return figure


def _draw_states(axes: Axes, found: Followed, frame_seconds: float) -> None:
    highest = 1
    for node, start, end in found.states():
        colour = _SILENCE if node.phone == SIL else _STATES[node.position % len(_STATES)]
        axes.broken_barh([(start * frame_seconds, (end - start) * frame_seconds)],
                         (node.position + 0.55, 0.9), color=colour, linewidth=0)
        highest = max(highest, node.position + 1)
    axes.set_yticks(range(1, highest + 1))
    axes.set(ylabel="state of\nthe phone", ylim=(0.4, highest + 0.6))


def _name(axes: Axes, part: Part, shown: int, frame_seconds: float, height: float,
          scale: float) -> None:
    """Write a name where it is said, as large as there is room; nothing where there is none."""
    end = min(part.end, shown)
    size = min(_LARGEST, (end - part.start) * scale / (0.72 * len(part.name)))
    if end > part.start and size >= _SMALLEST:
        axes.text((part.start + end) / 2 * frame_seconds, height, part.name, ha="center",
                  va="center", fontsize=size)
