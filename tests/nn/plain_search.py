"""Prefix beam search over dictionaries of strings, a prefix at a time, as it is described."""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.nn.ctc import PrefixModel

String = tuple[int, ...]


class Asked:
    """A model's scores of whole prefixes, asked for one symbol at a time."""

    def __init__(self, model: PrefixModel) -> None:
        self._model = model
        self._known: dict[String, tuple[float, int]] = {(): (0.0, model.start())}

    def score(self, string: String) -> float:
        return self._of(string)[0]

    def finished(self, string: String) -> float:
        score, state = self._of(string)
        return score + float(self._model.finish(np.array([state]))[0])

    def _of(self, string: String) -> tuple[float, int]:
        if string not in self._known:
            score, state = self._of(string[:-1])
            gains, states = self._model.extend(np.array([state]), np.array([string[-1]]))
            self._known[string] = score + float(gains[0]), int(states[0])
        return self._known[string]


def plain_search(emissions: NDArray[np.float64], model: PrefixModel, beam: int, least: float,
                 width: float = math.inf) -> list[tuple[String, float]]:
    """The strings that are left after the last frame and may end, best first, with their scores."""
    asked = Asked(model)
    kept: dict[String, tuple[float, float]] = {(): (0.0, -math.inf)}
    for frame in emissions:
        likely = [symbol for symbol in range(1, len(frame)) if math.exp(frame[symbol]) >= least]
        grown: dict[String, tuple[float, float]] = {}

        def add(string: String, blank: float, symbol: float,
                grown: dict[String, tuple[float, float]] = grown) -> None:
            before = grown.get(string, (-math.inf, -math.inf))
            grown[string] = (np.logaddexp(before[0], blank), np.logaddexp(before[1], symbol))

        for string, (blank, symbol) in kept.items():
            total = np.logaddexp(blank, symbol)
            add(string, total + frame[0], symbol + frame[string[-1]] if string else -math.inf)
            for candidate in likely:
                begin = blank if string[-1:] == (candidate,) else total
                if begin > -math.inf and asked.score((*string, candidate)) > -math.inf:
                    add((*string, candidate), -math.inf, begin + frame[candidate])
        worth = {string: np.logaddexp(*both) + asked.score(string)
                 for string, both in grown.items()}
        best = sorted(grown, key=worth.__getitem__, reverse=True)[:beam]
        kept = {string: grown[string] for string in best if worth[string] >= worth[best[0]] - width}
    scores = {string: np.logaddexp(*both) + asked.finished(string) for string, both in kept.items()}
    return [(string, scores[string]) for string in sorted(scores, key=scores.__getitem__,
                                                          reverse=True)
            if scores[string] > -math.inf]
