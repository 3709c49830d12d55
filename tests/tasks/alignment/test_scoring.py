"""Errors of boundaries counted by hand, and medians against numpy's."""

from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import write_clusters
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage.files import write_json
from pipeline.tasks.alignment.scoring import EDGES, METRICS, score, share_below

PHONES = [("SIL", 0.0, 0.1), ("N", 0.1, 0.2), ("OW", 0.2, 0.3), ("S", 0.3, 0.4),
          ("IY", 0.4, 0.5), ("SIL", 0.5, 0.7)]
WORDS = [("NO", 0.1, 0.3), ("SEE", 0.3, 0.5)]
LABELS = [label for label, _, _ in PHONES]
BEGINS = [begin for _, begin, _ in PHONES]
Phones = list[tuple[str, Any, Any]]


def scored(folder: Path, *answers: tuple[str, list[str], list[float]], phones: Phones = PHONES,
           words: Any = WORDS, spans: Any = (("NO", 1, 2), ("SEE", 3, 2)),
           told: list[str] = LABELS) -> ItemStatistics:
    """Statistics of (id, phones, begins) answers to as many items of the same sentence."""
    ids = [identity for identity, _, _ in answers]
    write_json(folder / "test.items.json", [
        {"id": identity, "phones": told, "words": spans, "seconds": 0.7} for identity in ids])
    write_json(folder / "gold.json",
               {identity: {"phones": phones, "words": words} for identity in ids})
    write_clusters(folder, {identity: identity.rpartition("/")[2] for identity in ids})
    return score([{"id": identity, "phones": labels, "begins": begins}
                  for identity, labels, begins in answers], folder)


def of(statistics: ItemStatistics, metric: str) -> float:
    return statistics.score(METRICS[metric])


def test_boundaries_are_inner_ones_and_20_ms_are_within(tmp_path: Path) -> None:
    # Errors in ms: 0, 20, 21, 0, 100.
    found = scored(tmp_path, ("clean/a", LABELS, [0.0, 0.1, 0.22, 0.321, 0.4, 0.6]))
    assert found.columns["boundaries"].tolist() == [5]
    assert of(found, "within_20") == pytest.approx(60.0)
    # The third of 0, 0, 20, 21, 100 lies in the bin from 20 to 21, half of it below.
    assert of(found, "median_ms") == pytest.approx(20.5)
    assert of(found, "per") == 0.0


def test_edges_between_words_count_as_an_end_and_as_a_beginning(tmp_path: Path) -> None:
    found = scored(tmp_path, ("clean/a", LABELS, [0.0, 0.0, 0.2, 0.33, 0.4, 0.7]))
    assert found.columns["word_edges"].tolist() == [2]
    assert of(found, "word_within_20") == 0.0 and 30 <= of(found, "word_median_ms") <= 31
    # An answer with a pause between the words is wrong by 15 and by 30 ms.
    paused = [*LABELS[:3], "SIL", *LABELS[3:]]
    found = scored(tmp_path, ("clean/a", paused, [0.0, 0.1, 0.2, 0.285, 0.33, 0.4, 0.5]))
    assert of(found, "word_within_20") == pytest.approx(50.0)


def test_words_between_which_somebody_pauses_have_no_edge_in_common(tmp_path: Path) -> None:
    found = scored(tmp_path, ("clean/a", LABELS, BEGINS),
                   words=[("NO", 0.1, 0.29), ("SEE", 0.3, 0.5)])
    assert found.columns["word_edges"].tolist() == [0]
    assert np.isnan(of(found, "word_median_ms"))


def test_words_are_found_where_their_own_phones_were_asked_for(tmp_path: Path) -> None:
    """People hear phones that the dictionary, which the system was told, does not say."""
    heard: Phones = [("SIL", 0.0, 0.1), ("N", 0.1, 0.2), ("AH", 0.2, 0.25), ("W", 0.25, 0.3),
                     ("S", 0.3, 0.4), ("IY", 0.4, 0.5), ("SIL", 0.5, 0.7)]
    found = scored(tmp_path, ("clean/a", LABELS, [0.0, 0.1, 0.2, 0.31, 0.4, 0.5]), phones=heard)
    assert of(found, "word_within_20") == 100.0
    # N, one of AH and W, S, IY and the last silence have counterparts; one of six boundaries none.
    assert found.columns["boundaries"].tolist() == [6]
    assert of(found, "p95_ms") == 500.0
    assert found.columns["phone_errors"].tolist() == [2]


def test_what_an_answer_lacks_is_lost_and_not_within(tmp_path: Path) -> None:
    found = scored(tmp_path, ("clean/a", ["SIL", "N", "OW", "IY", "SIL"],
                              [0.0, 0.1, 0.2, 0.4, 0.5]))
    assert of(found, "within_20") == pytest.approx(80.0)
    assert found.columns["error_from_500"].tolist() == [1]
    # The edge between the words: "OW" ends where "IY" begins, and "S" is not there.
    assert of(found, "word_within_20") == 0.0
    assert of(found, "per") == pytest.approx(25.0)


def test_a_boundary_inside_phones_that_run_into_each_other_does_not_count(tmp_path: Path) -> None:
    fused: Phones = [*PHONES[:3], ("S", 0.3, None), ("IY", None, 0.5), PHONES[5]]
    found = scored(tmp_path, ("clean/a", LABELS, [0.0, 0.1, 0.2, 0.3, 0.49, 0.5]), phones=fused)
    assert found.columns["boundaries"].tolist() == [4]
    assert of(found, "within_20") == 100.0


def test_conditions_are_kept_apart_and_speakers_are_clusters(tmp_path: Path) -> None:
    late = [0.0, *(begin + 0.05 for begin in BEGINS[1:])]
    found = scored(tmp_path, ("clean/a", LABELS, BEGINS), ("clean/b", LABELS, late),
                   ("other/a", LABELS[:-1], late[:-1]))
    assert of(found, "within_20") == 50.0 and of(found, "within_20_other") == 0.0
    assert of(found, "per_other") == 0.0
    assert found.groups == ["a", "b", "a"]
    # Only clean items are in the histogram.
    assert sum(found.columns[f"error_from_{edge:03d}"].sum() for edge in EDGES) == 10
    assert found.columns["reference_phones"].tolist() == [4, 4, 4]


def test_phone_errors_are_those_of_another_library(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for _ in range(10):
        labels = ["SIL", *random.choice(["N", "OW", "S", "IY", "SIL"], 6).tolist()]
        found = scored(tmp_path, ("clean/a", labels, np.linspace(0, 0.6, 7).tolist()))
        spoken = [[phone for phone in side if phone != "SIL"] for side in (LABELS, labels)]
        assert of(found, "per") == pytest.approx(
            100 * jiwer.wer(" ".join(spoken[0]), " ".join(spoken[1])))


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_share_of_binned_errors_is_numpys_within_a_bin(share: float) -> None:
    random = np.random.default_rng(1)
    widths = np.diff([*EDGES, 520])
    for scale in (3.0, 15.0, 60.0):
        drawn = random.exponential(scale, 5000)
        counts = np.histogram(drawn, bins=[*EDGES, np.inf])[0]
        exact = np.quantile(drawn, share)
        place = np.searchsorted(EDGES, exact, side="right") - 1
        assert abs(share_below(counts.astype(float), share) - exact) < widths[place]


def test_shares_are_of_each_row_and_of_nothing_there_is_none() -> None:
    rows = np.zeros((3, len(EDGES)))
    rows[0, 4], rows[1, -1] = 7, 3
    found = share_below(rows, 0.5)
    assert found[:2].tolist() == [4.5, 500.0] and np.isnan(found[2])


@pytest.mark.parametrize(("labels", "begins"), [
    (LABELS, BEGINS[:-1]), ([], []), (LABELS, [0.1, *BEGINS[1:]]),
    (LABELS, [0.0, 0.1, 0.3, 0.2, 0.4, 0.5])])
def test_answers_without_times_in_order_are_refused(labels: list[str], begins: list[float],
                                                    tmp_path: Path) -> None:
    with pytest.raises(UserError, match="prediction 'clean/a': expected a beginning"):
        scored(tmp_path, ("clean/a", labels, begins))
