"""Score committed predictions again: `python -m pipeline.rescore real/params.yaml [SYSTEM ...]`.

Predictions are in git and the references are not, so whoever has a corpus can check every score
without training anything. The features of the track must be there; `dvc repro --single-item` of the
track's download and features stages makes them.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline import predictions
from pipeline.comparison import EXACT, Findings, json_differences
from pipeline.config import Suite, load
from pipeline.errors import UserError, run_command
from pipeline.evaluation import metrics_row, score_predictions
from pipeline.files import read_json
from pipeline.leaderboard import read_result
from pipeline.scores import ItemStatistics

ROOT = Path(__file__).resolve().parent.parent


def rescore(suite: Suite, root: Path, key: str) -> list[str]:
    """Differences between a system's committed scores and those that its predictions have.

    Compared are every metric with its interval, the number of items, the scorer's signature, the
    ceiling and the statistics of each item. Raises UserError when the features are not there.
    """
    settings = suite.system(key)
    base = root / suite.directory
    test = base / "features" / settings.track / "test"
    if not test.is_dir():
        raise UserError(f"{test} does not exist; run 'dvc repro --single-item "
                        f"{suite.address('features', settings.track)}' after its download stage")
    result = read_result(suite, root, key)
    found = list(json_differences(result["ceiling"], read_json(test / "ceiling.json"),
                                  f"{key}: ceiling"))
    for variant, row in suite.rows_of(key).items():
        stem = base / "predictions" / settings.track / key / predictions.variant_file(variant)
        statistics = score_predictions(
            settings.task, predictions.read(stem.with_name(f"{stem.name}.jsonl.gz")), test)
        committed = ItemStatistics.read(stem.with_name(f"{stem.name}.items.csv.gz"))
        again = metrics_row(suite, settings.track, statistics)
        found += json_differences(result["variants"][variant], again, row)
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
        findings.note("prediction files scored again", rescore(suite, ROOT, key),
                      len(suite.rows_of(key)))
    print(findings.text())
    raise SystemExit(1 if findings.differences else 0)


if __name__ == "__main__":
    run_command(main)
