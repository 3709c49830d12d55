"""How long a stage is expected to take: what starts first, and how long a run still takes.

A system that has been trained on this machine, or whose cost is committed, is expected to take as
long again. Of others only the kind is known: the figures below are medians over the embedded suite
on one core. A run measures by how much they are wrong on its machine and scales what is left.
"""

from typing_extensions import TypedDict

from pipeline.scoring.records import Number
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite


class _Spent(TypedDict):
    seconds: Number


# Seconds to train a network, by task. A task without a figure gets that of the median network.
_NETWORKS = {"addition": 6.0, "asr": 60.0, "caption": 20.0, "language_model": 34.0, "memory": 6.5,
             "sentence": 9.0, "translation": 29.0}
_NETWORK = 11.0
_CLASSICAL = 1.0
# Answering takes as long as this part of training.
_EVALUATING = 0.06
_OTHERS = {"validate": 4.0, "report": 9.0}
_SHORT = 1.0


def expected_seconds(suite: Suite, address: str) -> float:
    """Seconds that a stage of the suite takes, from its last cost or else from its kind."""
    kind, _, key = address.rpartition(":")[2].partition("@")
    if kind not in ("train", "evaluate") or key not in suite.systems:
        return _OTHERS.get(kind, _SHORT)
    cost = suite.places.cost(suite.track_of(key), key, kind)
    if cost.exists():
        return read_shaped(cost, _Spent)["seconds"]
    network = "training" in suite.systems[key]
    training = _NETWORKS.get(suite.task_of(key), _NETWORK) if network else _CLASSICAL
    return training if kind == "train" else max(_SHORT, _EVALUATING * training)
