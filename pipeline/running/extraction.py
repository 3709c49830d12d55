"""The features stage: a corpus becomes what training reads and what evaluation reads.

The two folders are separate outputs, so training cannot see test data and does not depend on it.
Each is sealed at the end, as the corpus was (`pipeline.running.sealed`).
"""

from pipeline.modules import corpus_module, task_module
from pipeline.provenance.inputs import read_settings
from pipeline.running.sealed import checked_corpus
from pipeline.storage.seal import sealing
from pipeline.suite.places import Places


def extract_features(places: Places, track: str) -> None:
    """Write the `fit` and the `test` folder of a track of a validated suite."""
    entry = read_settings(places, "features", track)
    corpus = checked_corpus(places, entry["corpus"])
    fit, test = places.fit(track), places.test(track)
    features = task_module(entry["task"], "features")
    with sealing(fit, test):
        features.extract(features.Settings.model_validate(entry["features"]), corpus,
                         corpus_module(entry["reader"]), fit, test)
