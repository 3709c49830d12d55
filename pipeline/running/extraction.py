"""The features stage: a corpus becomes what training reads and what evaluation reads.

The two folders are separate outputs, so training cannot see test data and does not depend on it.
"""

from pipeline.modules import corpus_module, task_module
from pipeline.provenance.inputs import read_settings
from pipeline.suite.places import Places


def extract_features(places: Places, track: str) -> None:
    """Write the `fit` and the `test` folder of a track of a validated suite."""
    entry = read_settings(places, "features", track)
    fit, test = places.fit(track), places.test(track)
    fit.mkdir(parents=True, exist_ok=True)
    test.mkdir(parents=True, exist_ok=True)
    features = task_module(entry["task"], "features")
    features.extract(features.Settings.model_validate(entry["features"]),
                     places.data(entry["corpus"]), corpus_module(entry["reader"]), fit, test)
