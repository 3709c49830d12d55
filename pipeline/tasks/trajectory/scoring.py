"""Error of generated paths: root mean square over paths, times and coordinates.

A prediction is `{"id", "path": [[coordinate, ...], ...]}`, the states behind the start. Errors are
in units of each coordinate's standard deviation over the training paths: 1 is about the error of
who answers with the mean, always.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.scoring.item_clusters import clusters_of
from pipeline.scoring.scores import ItemStatistics, Metric, ratio
from pipeline.storage.arrays import read_array
from pipeline.storage.files import read_json
from pipeline.storage.predictions import Number, Prediction, aligned, answer_of


def _root(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(ratio(sums))


METRICS = {
    "nrmse": Metric("lower", ("squares", "paths"), _root,
                    "root mean square error of the whole path, in standard deviations of each "
                    "coordinate", decimals=4),
    "nrmse_early": Metric("lower", ("squares_early", "paths"), _root,
                          "the same over the first quarter of the path", decimals=4),
    "nrmse_late": Metric("lower", ("squares_late", "paths"), _root,
                         "the same over the last quarter of the path", decimals=4),
}


def score(predictions: list[Prediction], test: Path) -> ItemStatistics:
    """Mean squared errors of each path. Raises UserError when predictions do not fit the paths."""
    ids = read_json(test / "items.json")["ids"]
    squares = squared_errors(predictions, test)
    quarter = -(-squares.shape[1] // 4)
    columns = {
        "squares": squares.mean(axis=1), "squares_early": squares[:, :quarter].mean(axis=1),
        "squares_late": squares[:, -quarter:].mean(axis=1), "paths": np.ones(len(ids))}
    return ItemStatistics(ids, columns, clusters_of(test, ids))


def squared_errors(predictions: list[Prediction], test: Path) -> NDArray[np.float64]:
    """Of each path and time behind the start, [paths, steps], mean over coordinates."""
    scale = np.array(read_json(test / "items.json")["scale"])
    errors = (answered(predictions, test) - read_array(test / "test.npy")[:, 1:]) / scale
    return (errors**2).mean(axis=2)


def answered(predictions: list[Prediction], test: Path) -> NDArray[np.float64]:
    """The generated paths [paths, steps, coordinates] in the order of the test items."""
    items = read_json(test / "items.json")
    shape = (len(items["times"]) - 1, len(items["coordinates"]))
    found = [_path(prediction, shape) for prediction in aligned(predictions, items["ids"])]
    return np.stack(found)


def _path(prediction: Prediction, shape: tuple[int, int]) -> NDArray[np.float64]:
    states = answer_of(prediction, "path", list[list[Number]])
    if (len(states), *{len(state) for state in states}) != shape:
        raise UserError(f"prediction {prediction['id']!r} has no 'path' of {shape[0]} states with "
                        f"{shape[1]} coordinates; evaluate the system again")
    return np.array(states, np.float64)
