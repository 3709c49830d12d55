"""What a page tells of how its rows came about: tuning, training, tests of the past, cost."""

from collections.abc import Iterator, Mapping, Sequence

from pipeline.results.boards import Board, KnownScore, Row
from pipeline.results.markdown import decimal, table
from pipeline.results.tested import same
from pipeline.scoring.records import Cost
from pipeline.scoring.scores import Metric
from pipeline.suite.schema import Suite
from pipeline.systems.convergence import OF_ITS_FALL, OF_ITSELF

Costs = Mapping[str, Cost]

_COST_NAMES = ["train s", "test s", "peak MB"]
# Lightning's names of them, in the words of params.yaml.
_PRECISIONS = {"32-true": "fp32", "bf16-mixed": "bf16"}
_UNKNOWN = "not recorded"


def records(suite: Suite, board: Board, own: Sequence[Row],
            costs: Mapping[str, Costs] | None) -> Iterator[str]:
    """A table of how each own row was made, and how to read it."""
    if not own:
        return
    trained = {row: "training" in suite.systems[key] for key in suite.systems_of(board["track"])
               for row in suite.rows_of(key).values()}
    numbers = ["parameters", "settings tried", "times tested",
               *(_COST_NAMES if costs is not None else [])]
    header = ["system", *numbers[:3], "converged", "precision", *numbers[3:]]
    body = [[row["system"], decimal(row["parameters"], 0), decimal(row["settings_tried"], 0),
             _tested(row), _converged(row, trained[row["system"]]),
             _precision(row, trained[row["system"]]),
             *([] if costs is None else _cost_cells(costs.get(row["system"], {})))]
            for row in own]
    yield "How the rows came about:\n\n" + table(header, body, numbers=numbers)
    yield _reading(suite, own, trained)


def earlier_tests(board: Board, own: Sequence[Row],
                  metrics: Mapping[str, Metric]) -> Iterator[str]:
    """The scores that rows once had, which somebody has seen before something was changed."""
    lines = []
    for row in own:
        now: KnownScore = {"metric": board["metric"], "value": row["value"], "version": ""}
        earlier = [one for one in row["tests"]
                   if not same(one, now, metrics[board["metric"]].decimals)]
        if earlier:
            told = ", ".join(
                f"{one['metric']} {decimal(one['value'], _decimals(metrics, one['metric']))} "
                f"({one['version'] or 'version not recorded'})" for one in earlier)
            lines.append(f"- `{row['system']}`: {told}")
    if lines:
        yield "\n".join(["Other scores that rows had on this test set, in the order in which they "
                         "came; what was changed in between could be chosen by them:", *lines])


def _decimals(metrics: Mapping[str, Metric], name: str) -> int:
    return metrics[name].decimals if name in metrics else 3


def _tested(row: Row) -> str:
    """How many scores are known, and of how many versions where these are not one."""
    versions = len({one["version"] for one in row["tests"]})
    times = str(len(row["tests"]))
    return times if versions == 1 else f"{times}, as {versions} versions"


def _converged(row: Row, trained: bool) -> str:
    if not trained:
        return "–"
    return {None: _UNKNOWN, True: "yes", False: "no, its budget ended it"}[row["converged"]]


def _precision(row: Row, trained: bool) -> str:
    if row["precision"] is None:
        return _UNKNOWN if trained else "–"
    return _PRECISIONS.get(row["precision"], row["precision"])


def _reading(suite: Suite, own: Sequence[Row], trained: Mapping[str, bool]) -> str:
    lines = ["Settings tried: how many were compared on validation data before these were taken; a "
             "row that uses the settings of another says how many were compared for that one. "
             "What studies compared afterwards does not count, where the settings stayed. Times "
             "tested: how many different scores it has had on its test set."]
    if any(row["converged"] is not None for row in own):
        lines.append("Converged: over the last quarter of the validations the lowest validation "
                     f"loss fell by no more than {100 * OF_ITSELF:g} % of itself or "
                     f"{100 * OF_ITS_FALL:g} % of its fall in all, or patience ended the "
                     "training. It is said of the training whose score stands in the table; "
                     "other seeds may have ended otherwise.")
        schedules = {suite.systems[key]["training"].get("schedule") for key in suite.systems
                     if any(trained.get(row) for row in suite.rows_of(key).values())}
        if "cosine" in schedules:
            lines.append("The learning rate falls to zero along a cosine, which flattens every "
                         "curve, so a row that converged may still gain from a longer schedule.")
    return " ".join(lines)


def _cost_cells(costs: Costs) -> list[str]:
    """Seconds and memory, as far as they were recorded."""
    seconds = [costs[stage]["seconds"] if stage in costs else None
               for stage in ("train", "evaluate")]
    peak = max((cost["peak_memory_bytes"] / 2**20 for cost in costs.values()), default=None)
    return [*(decimal(value, 1) for value in seconds), decimal(peak, 0)]
