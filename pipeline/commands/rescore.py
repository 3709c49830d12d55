"""Score committed predictions again: `python -m pipeline.commands.rescore real/params.yaml [SYSTEM ...]`.

Predictions are in git and the references are not, so whoever has a corpus can check every score
without training anything. The features of the track must be there; `dvc repro --single-item` of the
track's download and features stages makes them.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.commands.comparison import EXACT, Findings, json_differences
from pipeline.errors import UserError, run_command
from pipeline.provenance.inputs import stage_settings
from pipeline.results.leaderboard import read_result
from pipeline.running.evaluation import Scorer
from pipeline.scoring.scores import ItemStatistics
from pipeline.storage import predictions
from pipeline.storage.files import read_json
from pipeline.suite.schema import Suite, load


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


def _item_differences(committed: ItemStatistics, found: ItemStatistics,
                      row: str) -> Iterator[str]:
    if committed.ids != found.ids or set(committed.columns) != set(found.columns):
        yield f"{row}: the committed statistics are about other items or have other columns"
        return
    for name, column in committed.columns.items():
        same = np.isclose(column, found.columns[name], rtol=EXACT, atol=1e-12, equal_nan=True)
        if not same.all():
            first = committed.ids[int(np.argmin(same))]
            yield (f"{row}: {name} of {np.count_nonzero(~same)} items is not what their "
                   f"predictions give, for example of {first!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("params", type=Path, help="the suite's params.yaml")
    parser.add_argument("systems", nargs="*", help="only these")
    arguments = parser.parse_args()
    suite = load(arguments.params)
    findings = Findings()
    for key in arguments.systems or suite.systems:
        suite.system(key)
        print(f"scoring the predictions of {key}", flush=True)
        findings.note("prediction files scored again", rescore(suite, key),
                      len(suite.rows_of(key)))
    print(findings.text())
    raise SystemExit(1 if findings.differences else 0)


if __name__ == "__main__":
    run_command(main)
