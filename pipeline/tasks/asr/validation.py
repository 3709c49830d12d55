"""What a recogniser gets wrong of the validation utterances: as training found it, or anew.

The weights of each language model were chosen on these utterances, so the errors are those of the
best pair of the grid: comparable between settings of one system, and no estimate of a test score.
A network that writes letters can be asked how wide a beam has to be: it is searched with other
settings of a variant, whose weights are chosen as they were in training.
Their intervals are Wilson's of a share, as if words were misheard independently of each other;
errors of a sentence come together, so the truth is wider (Wilson 1927, "Probable Inference, the Law
of Succession, and Statistical Inference").
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.audio.frames import Frames
from pipeline.decoding.oracle import fewest_errors
from pipeline.scoring.records import Score
from pipeline.storage.files import read_json
from pipeline.storage.words import words_in
from pipeline.systems.base import System
from pipeline.tasks.asr.shared.grids import Tried, best_of
from pipeline.tasks.asr.shared.letter_search import Beam, Lexicon
from pipeline.tasks.asr.shared.letters import LetterRecogniser
from pipeline.tasks.asr.shared.state_pictures import KnowsStates
from pipeline.tasks.asr.systems.attention import AttentionRecogniser
from pipeline.tasks.asr.systems.ensemble import RecogniserEnsemble
from pipeline.tasks.contract import Validated

MEASURE = "word error rate on validation data (%)"


def validated(system: System) -> Validated | None:
    """The word error rate with each grid of weights; None of a system that has tried none."""
    grids = _grids(system)
    if not grids:
        return None
    scores: dict[str, Score] = {}
    counts = {"tied states": len(system.known().stay)} if isinstance(system, KnowsStates) else {}
    for name, pairs in grids.items():
        chosen = best_of(pairs)
        scores[name] = _score(chosen.errors, chosen.words)
        counts[f"errors, {name}"], counts["words"] = chosen.errors, chosen.words
    return Validated(MEASURE, scores, counts)


def _grids(system: System) -> Mapping[str, Sequence[Tried]]:
    """By what they weigh: language models, or variants of networks that write letters."""
    if isinstance(system, AttentionRecogniser | RecogniserEnsemble):
        return system.tried
    if isinstance(system, KnowsStates | LetterRecogniser):
        return system.vocabulary.tried
    return {}


def of_variant(system: System, data: Path, variant: Any, items: int | None) -> Validated | None:
    """The word error rate of a search of letters; None of other systems, and without a search.

    Weights are chosen from the variant's grid first, on the same utterances. The seconds are those
    of the search alone, with the chosen weights, over all utterances.
    """
    if not isinstance(system, LetterRecogniser) or not isinstance(variant, Beam | Lexicon):
        return None
    known = read_json(data / "valid.items.json")[:items]
    frames, texts = Frames(data, "valid"), [item["text"] for item in known]
    heard = list(system.alone(lambda place: system.emissions([frames[place]])[0],
                              range(len(known))))
    search = system.vocabulary.search(variant, system.spec["symbols"])
    chosen = best_of(search.tried(heard, texts))
    model = search.model.weighted(chosen["language"], chosen["word"])
    began = time.perf_counter()
    answers = list(search.answers(heard, model))
    seconds = time.perf_counter() - began
    wanted = [words_in(text) for text in texts]
    errors = sum(fewest_errors(words, [words_in(answer["hypothesis"])])[0]
                 for words, answer in zip(wanted, answers, strict=True))
    words = sum(map(len, wanted))
    way = f"{variant.search}, {variant.language_model}"
    return Validated(MEASURE, {way: _score(errors, words)}, {"errors": errors, "words": words},
                     seconds)


def _score(errors: int, words: int) -> Score:
    low, high = interval(errors, words)
    return Score(value=100 * errors / max(words, 1), low=low, high=high)


def interval(errors: int, words: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an error rate, in percent; more errors than words count as all."""
    from scipy.stats import binomtest

    if words == 0:
        return 0.0, 100.0
    found = binomtest(min(errors, words), words).proportion_ci(method="wilson")
    return 100 * float(found.low), 100 * float(found.high)
