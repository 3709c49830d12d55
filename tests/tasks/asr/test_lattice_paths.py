"""The best path of given words through a lattice, against all of its paths one by one."""

from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.decoding.lattice import Lattice
from pipeline.decoding.nbest import n_best
from pipeline.decoding.network import NOTHING, Weights
from pipeline.tasks.asr.shared.lattice_paths import SpokenPath, path_of

PAUSE = 3  # behind the words 0, 1 and 2


def lattice(seed: int) -> Lattice:
    """Two nodes at each of five times, with random words and pauses between them, and an end."""
    random = np.random.default_rng(seed)
    frames = [0, *np.repeat([2, 3, 5, 8], 2).tolist(), 9]
    links = [(source, target, int(label)) for target in range(1, 9) for source in range(target)
             if frames[source] < frames[target]
             for label in random.choice(PAUSE + 1, 2, replace=False)]
    links += [(source, 9, NOTHING) for source in (7, 8)]
    sources, targets, labels = map(np.array, zip(*links, strict=True))
    return Lattice(np.array(frames), sources, targets, labels, random.normal(0, 3, len(links)),
                   random.normal(-2, 1, len(links)), (labels != NOTHING) & (labels != PAUSE))


def paths(of: Lattice, node: int = 0) -> Iterator[list[int]]:
    """All paths from a node to the end, as links."""
    if node == of.nodes - 1:
        yield []
    for link in np.flatnonzero(of.sources == node).tolist():
        for rest in paths(of, int(of.targets[link])):
            yield [link, *rest]


@pytest.mark.parametrize("seed", range(4))
def test_the_best_of_all_paths_with_the_words_is_found(seed: int) -> None:
    found = lattice(seed)
    best: dict[tuple[int, ...], SpokenPath] = {}
    for path in paths(found):
        said = [link for link in path if found.is_word[link]]
        score = float(found.acoustic[path].sum())
        words = tuple(found.labels[said].tolist())
        if words not in best or score > best[words].acoustic:
            best[words] = SpokenPath(tuple(found.frames[found.sources[said]].tolist()),
                                     tuple(found.frames[found.targets[said]].tolist()), score)
    assert len(best) > 50 and () in best
    for words, expected in best.items():
        path = path_of(found, words)
        assert (path.starts, path.ends) == (expected.starts, expected.ends)
        assert path.acoustic == pytest.approx(expected.acoustic)


def test_scores_are_those_of_the_n_best_list_without_language_and_words() -> None:
    # What the language model says of a word depends on the words before, never on times.
    one = lattice(1)
    silent = Lattice(one.frames, one.sources, one.targets, one.labels, one.acoustic,
                     np.zeros(len(one.labels)), one.is_word)
    for other in n_best(silent, Weights(1.0, 2.0, -1.5), 20):
        assert path_of(silent, other.words).acoustic == pytest.approx(
            other.score + 1.5 * len(other.words))


def test_words_that_no_path_says_are_an_error() -> None:
    for words in ([2] * 9, [7]):
        with pytest.raises(ValueError, match="no path that says these words"):
            path_of(lattice(0), words)
