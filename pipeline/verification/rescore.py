"""Score committed predictions again: `unrolled rescore --suite real [SYSTEM ...]`.

Predictions are in git and the references are not, so whoever has a corpus can check every score
without training anything. The features of the track must be there; `dvc repro --single-item` of the
track's download and features stages makes them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.provenance.inputs import stage_settings
from pipeline.results.leaderboard import read_result, systems_run
from pipeline.running.evaluation import Scorer
from pipeline.running.sealed import checked_test
from pipeline.running.trained import key_of
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage import predictions
from pipeline.storage.files import read_json
from pipeline.suite.schema import Suite, load
from pipeline.verification.comparison import Findings, json_differences

# Where two machines' last digits in double lie to both sides of a half, single precision differs.
_LAST_DIGIT = float(np.finfo(np.float32).eps)


def rescore(suite: Suite, key: str) -> list[str]:
    """Differences between a system's committed scores and those that its predictions have.

    Compared are every metric with its interval, the number of items, the scorer's signature, the
    ceiling and the statistics of each item. Raises UserError when the features are not there.
    """
    track = suite.track_of(key)
    test = suite.places.test(track)
    scorer = Scorer.of(stage_settings(suite, "evaluate", key))
    if not test.is_dir():
        raise UserError(f"{test} does not exist; run 'dvc repro --single-item "
                        f"{suite.address('features', track)}' after its download stage")
    checked_test(suite.places, track)
    result = read_result(suite, key)
    found = list(json_differences(result["ceiling"], read_json(test / "ceiling.json"),
                                  f"{key}: ceiling"))
    for variant, row in suite.rows_of(key).items():
        answers = predictions.read(suite.places.answers(track, key, variant))
        statistics = scorer.statistics(answers, test)
        committed = ItemStatistics.read(suite.places.items(track, key, variant))
        found += json_differences(result["variants"][variant], scorer.row(statistics), row)
        found += _item_differences(committed, statistics, row)
    return found


def item_scores(suite: Suite, key: str) -> list[str]:
    """Differences between a system's committed scores and those of its committed item statistics.

    Needs no corpus; that the statistics are those of the predictions is for `rescore` to say.
    """
    scorer, result = Scorer.of(stage_settings(suite, "evaluate", key)), read_result(suite, key)
    return [text for variant, row in suite.rows_of(key).items()
            for text in json_differences(
                result["variants"][variant],
                scorer.row(ItemStatistics.read(
                    suite.places.items(suite.track_of(key), key, variant))), row)]


def _item_differences(committed: ItemStatistics, found: ItemStatistics,
                      row: str) -> Iterator[str]:
    if (committed.ids, committed.groups) != (found.ids, found.groups) or \
            set(committed.columns) != set(found.columns):
        yield (f"{row}: the committed statistics are about other items or groups, or have other "
               "columns")
        return
    for name, column in committed.columns.items():
        same = np.isclose(column, found.columns[name], rtol=_LAST_DIGIT, atol=1e-12, equal_nan=True)
        if not same.all():
            first = committed.ids[int(np.argmin(same))]
            yield (f"{row}: {name} of {np.count_nonzero(~same)} items is not what their "
                   f"predictions give, for example of {first!r}")


def rescore_suite(params: Path, systems: Sequence[str]) -> int:
    """Rescore `systems`, or all that were run, and print what was found; 1 when anything differs.

    Raises UserError when a system is unknown, and at the end, when all others have been scored,
    where one could not be: the features of its track are not here, or a file is damaged.
    """
    suite = load(params)
    keys = [key_of(suite, name)[0] for name in systems] or [
        key for track in suite.tracks for key in systems_run(suite, track)]
    findings, failures = Findings(), list[str]()
    for key in keys:
        print(f"scoring the predictions of {key}", flush=True)
        try:
            findings.note("prediction files scored again", rescore(suite, key),
                          len(suite.rows_of(key)))
        except UserError as error:  # the others can be scored all the same
            failures.append(str(error))
            findings.unchecked.append(f"{key}: its predictions could not be scored")
    print(findings.text())
    if failures:
        raise UserError(f"{len(failures)} of {len(keys)} systems could not be scored; "
                        + "; ".join(dict.fromkeys(failures)))
    return 1 if findings.differences else 0
