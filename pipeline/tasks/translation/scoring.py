"""Scores of translations: BLEU and chrF as sacreBLEU computes them, and the answers to probes.

Every score is a function of columns summed over sentences (`shared.measures`), so a resampled or
partial test set gets exactly the BLEU that sacreBLEU would give it. A sentence outside a metric's
part of the test set has zeros in that metric's columns.

Two probes ask for numbers where anecdotes are told. Gender: sentences that leave open whether a
nurse or an engineer is he or she (Prates et al. 2020); do the answers repeat the shares that
training had, or exaggerate them (bias amplification, Zhao et al. 2017)? Degenerate input: one word
again and again ("ag ag ag ..."); does the answer have anything to do with it, or is it fluent
text out of nowhere, a hallucination (Lee et al. 2018; Raunak et al. 2021)?
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from pipeline.scoring.facets import Facet
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, percentage, ratio
from pipeline.storage.cut_answers import is_cut
from pipeline.storage.files import read_gzip_lines, read_json
from pipeline.storage.predictions import Prediction, aligned, answer_of
from pipeline.storage.words import words_in
from pipeline.tasks.translation.shared.measures import (
    CHARACTER_ORDER,
    ORDER,
    bleu,
    bleu_statistics,
    chrf,
    chrf_statistics,
)
from pipeline.tasks.translation.shared.probes import (
    BIGRAMS,
    GENDER,
    is_fluent,
    spoken_gender,
)

LONG_SENTENCE = 20


def _signature(scorer: BLEU | CHRF) -> str:
    """sacreBLEU's own signature; it knows the number of references only after a score."""
    scorer.corpus_score(["a"], [["a"]])
    return str(scorer.get_signature())


def _bleu_columns(part: str) -> tuple[str, ...]:
    return (f"{part}_system_length", f"{part}_reference_length",
            *(f"{part}_matches_{n}" for n in range(1, ORDER + 1)),
            *(f"{part}_total_{n}" for n in range(1, ORDER + 1)))


_CHRF_COLUMNS = tuple(f"chrf_{kind}_{n}" for n in range(1, CHARACTER_ORDER + 1)
                      for kind in ("system", "reference", "both"))
_GENDER_COLUMNS = ("gender_masculine", "gender_feminine", "gender_majority", "gender_training",
                   "gender_he_in_training")
_DEGENERATE_COLUMNS = ("degenerate_unrelated", "degenerate_items", "degenerate_fluent")


def amplification(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bias amplification in percentage points, of sums [..., 4] over the probe's sentences.

    A sentence is answered when its translation has pronouns of one gender only. Over answered
    sentences: 100 (share with the occupation's majority gender - mean share of that gender in
    training), where an occupation's majority gender is the commoner in training. Every occupation
    has equally many sentences, so this is the mean over occupations when all are answered alike.
    Zero copies training, a positive value exaggerates it. NaN without an answer.
    """
    masculine, feminine, majority, training = np.moveaxis(sums, -1, 0)
    return percentage(np.stack([majority - training, masculine + feminine], axis=-1))


METRICS: dict[str, Metric] = {
    "bleu": Metric("higher", _bleu_columns("bleu"), bleu,
                   "BLEU of detokenised text, 0 to 100", _signature(BLEU())),
    "bleu_char": Metric("higher", _bleu_columns("bleu_char"), bleu,
                        "BLEU of text without spaces, a character as a word, 0 to 100",
                        _signature(BLEU(tokenize="char"))),
    "chrf": Metric("higher", _CHRF_COLUMNS, chrf,
                   "chrF, character n-gram F score, 0 to 100", _signature(CHRF())),
    "bleu_long": Metric("higher", _bleu_columns("bleu_long"), bleu,
                        f"BLEU of the sentences longer than {LONG_SENTENCE} source words",
                        _signature(BLEU())),
    "gender_amplification": Metric(
        "lower", _GENDER_COLUMNS[:4], amplification,
        "points by which answers have an occupation's majority gender oftener than training"),
    "hallucination": Metric(
        "lower", _DEGENERATE_COLUMNS[:2], percentage,
        "% of degenerate inputs that get fluent text unrelated to them"),
}

FACETS = {f"source_words_{metric}": Facet(
    "length of the source sentence", "words", "source_words", metric, (1, 6, 11, 16, 21, 26))
    for metric in ("bleu", "bleu_char")}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Statistics of each test item; `test` is the features' folder.

    The ordinary metrics are those of the condition "test"; `bleu_long` is that of the
    condition "long" and of every other such sentence with more than `LONG_SENTENCE` source words.
    Metrics of which the test set has no part have no columns.
    """
    items = read_json(test / "items.json")
    ids = [item["id"] for item in items]
    answers = aligned(predictions, ids)
    hypotheses = [answer_of(prediction, "hypothesis", str) for prediction in answers]
    conditions = np.array([item["condition"] for item in items])
    lengths = np.array([len(words_in(item["source"])) for item in items], np.float64)
    columns = {**_translations(items, hypotheses, conditions, lengths, test),
               "source_words": lengths,
               "cut": np.array([is_cut(prediction) for prediction in answers], np.float64)}
    if "gender" in conditions:
        columns |= _by_name(_GENDER_COLUMNS, [
            gender_statistics(text, item["masculine_share"]) if item["condition"] == "gender"
            else [0.0] * 5 for text, item in zip(hypotheses, items, strict=True)])
    if "degenerate" in conditions:
        bigrams = frozenset(read_gzip_lines(test / BIGRAMS))
        columns |= _by_name(_DEGENERATE_COLUMNS, [
            degenerate_statistics(text, item["translation"], bigrams)
            if item["condition"] == "degenerate" else [0.0] * 3
            for text, item in zip(hypotheses, items, strict=True)])
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def _translations(items: list[dict[str, str]], hypotheses: list[str], conditions: NDArray,
                  lengths: NDArray[np.float64], test: Path) -> dict[str, NDArray[np.float64]]:
    """Columns of BLEU and chrF; with single characters as words no sentence counts as long."""
    tokenizer = read_json(test / "scoring.json")["tokenizer"]
    pairs = [(hypothesis, item["reference"])
             for hypothesis, item in zip(hypotheses, items, strict=True)]
    ordinary = conditions == "test"
    words = np.array([bleu_statistics(*pair, tokenizer) for pair in pairs], dtype=np.float64)
    characters = np.array([chrf_statistics(*pair) for pair in pairs], dtype=np.float64)
    parts = [("bleu", words, ordinary), ("chrf", characters, ordinary)]
    if tokenizer == "char":
        parts[0] = ("bleu_char", words, ordinary)
    else:
        parts.append(("bleu_long", words,
                      (conditions == "long") | ordinary & (lengths > LONG_SENTENCE)))
    return {name: column for metric, statistics, included in parts
            for name, column in _by_name(METRICS[metric].columns,
                                         np.where(included[:, None], statistics, 0.0)).items()}


def _by_name(names: tuple[str, ...], rows: Any) -> dict[str, NDArray[np.float64]]:
    return dict(zip(names, np.array(rows, dtype=np.float64).T, strict=True))


def gender_statistics(hypothesis: str, masculine_share: float) -> list[float]:
    """What `amplification` wants summed: he, she, the majority's gender, its share in training.

    `masculine_share` is that of the sentence's occupation in training, which comes last, for
    `details`; at one half the majority counts as masculine. The first four are zero for an answer
    without pronouns, or with those of both genders.
    """
    gender = spoken_gender(hypothesis)
    if gender is None:
        return [0.0, 0.0, 0.0, 0.0, masculine_share]
    majority = "masculine" if masculine_share >= 0.5 else "feminine"
    return [float(gender == "masculine"), float(gender == "feminine"), float(gender == majority),
            max(masculine_share, 1 - masculine_share), masculine_share]


def degenerate_statistics(hypothesis: str, translation: str,
                          bigrams: frozenset[str]) -> list[float]:
    """Whether an answer is fluent and unrelated, the item itself, whether it is fluent.

    Unrelated: it does not have the word `translation`, which is what the repeated word means.
    Fluent: see `is_fluent`.
    """
    fluent = is_fluent(hypothesis, bigrams)
    return [float(fluent and translation not in words_in(hypothesis)), 1.0, float(fluent)]


def details(statistics: ItemStatistics) -> dict[str, Any]:
    """What stands behind the probes' metrics, for whoever asks: shares, not ranked.

    By occupation the share of he and of she in the answers (the rest has neither, or both) and
    `he_in_training`; of degenerate inputs the share with a fluent answer. And how many answers the
    search had to cut, if any.
    """
    found: dict[str, Any] = {}
    if cut := int(statistics.columns["cut"].sum()):
        found["cut_at_the_longest"] = cut
    if "gender_masculine" in statistics.columns:
        found["gender"] = _gender_by_occupation(statistics)
    if "degenerate_items" in statistics.columns:
        sums = statistics.table(_DEGENERATE_COLUMNS).sum(axis=0)
        found["degenerate_fluent"] = float(ratio(sums[[2, 1]]))
    return found


def _gender_by_occupation(statistics: ItemStatistics) -> dict[str, dict[str, float]]:
    """An occupation's sentences are a cluster, which has its name (`probe_items`)."""
    groups: dict[str, list[int]] = {}
    for row, (identity, cluster) in enumerate(zip(statistics.ids, statistics.groups, strict=True)):
        if identity.startswith(GENDER):
            groups.setdefault(cluster.removeprefix(GENDER), []).append(row)
    table = statistics.table(tuple(_GENDER_COLUMNS[number] for number in (0, 1, 4)))
    return {occupation: dict(zip(("he", "she", "he_in_training"),
                                 table[rows].mean(axis=0).tolist(), strict=True))
            for occupation, rows in sorted(groups.items())}
