"""What tells statistics of test items from others, whatever kind of file holds them."""

import hashlib
import json

import numpy as np

from pipeline.scoring.scores import ItemStatistics


def digest_of(statistics: ItemStatistics) -> str:
    """The SHA-256 of ids, clusters and numbers, to the last bit."""
    names = sorted(statistics.columns)
    digest = hashlib.sha256(json.dumps([statistics.ids, statistics.groups, names]).encode("utf-8"))
    for name in names:
        digest.update(np.asarray(statistics.columns[name], "<f8").tobytes())
    return digest.hexdigest()
