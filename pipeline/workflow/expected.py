"""How long a stage is expected to take: what starts first, and how long a run still takes.

A system that has been trained on this machine, or whose cost is committed, is expected to take as
long again. Of others, as in a fresh clone, only the kind is known: the figures below are means over
the embedded suite, two stages side by side on two cores. A run measures by how much they are wrong
on its machine and scales what is left; which stages take longest, and so begin first, they tell.
"""

from typing_extensions import TypedDict

from pipeline.scoring.records import Number
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite


class _Spent(TypedDict):
    seconds: Number


# Seconds to train a network, by task. A task without a figure gets that of the mean network.
_NETWORKS = {"addition": 13.0, "alignment": 20.0, "asr": 110.0, "caption": 155.0,
             "embeddings": 45.0, "forecast": 24.0, "language_model": 60.0, "memory": 31.0,
             "music": 60.0, "sentence": 36.0, "tagging": 24.0, "trajectory": 95.0,
             "translation": 82.0, "words": 35.0}
_NETWORK = 50.0
# Seconds to train what no gradient trains.
_CLASSICAL = {"asr": 49.0, "forecast": 4.5, "sentence": 4.0, "alignment": 4.0, "tagging": 3.0}
_COUNTING = 1.0
# Where answers are searched for, answering takes long; elsewhere this part of training.
_SEARCHING = {("asr", True): 55.0, ("caption", True): 80.0, ("translation", True): 54.0,
              ("asr", False): 127.0}
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
    task, network = suite.task_of(key), "training" in suite.systems[key]
    training = _NETWORKS.get(task, _NETWORK) if network else _CLASSICAL.get(task, _COUNTING)
    if kind == "train":
        return training
    return _SEARCHING.get((task, network), max(_SHORT, _EVALUATING * training))
