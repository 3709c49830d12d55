"""The download stage: one corpus in its publisher's own format, downloaded or generated."""

import os

from pipeline.modules import corpus_module
from pipeline.provenance.inputs import read_mirror, read_settings
from pipeline.storage.seal import sealing
from pipeline.suite.places import Places


def fetch_corpus(places: Places, corpus: str) -> None:
    """Write the folder of a corpus of a validated suite, and seal it.

    Copies are looked for in the folder that UNROLLED_MIRROR or else params.yaml names.
    """
    entry = read_settings(places, "download", corpus)
    mirror = os.environ.get("UNROLLED_MIRROR") or read_mirror(places)
    module = corpus_module(entry["module"])
    folder = places.data(corpus)
    with sealing(folder):
        module.prepare(module.Settings.model_validate(entry), folder,
                       (places.root / mirror).resolve() if mirror else None)
