"""The download stage: one corpus in its publisher's own format, downloaded or generated."""

import os

from pipeline.modules import corpus_module
from pipeline.provenance.inputs import read_settings
from pipeline.storage.files import read_json
from pipeline.suite.places import Places


def fetch_corpus(places: Places, corpus: str) -> None:
    """Write the folder of a corpus of a validated suite.

    Copies are looked for in the folder that UNROLLED_MIRROR or else params.yaml names.
    """
    entry = read_settings(places, "download", corpus)
    mirror = os.environ.get("UNROLLED_MIRROR") or read_json(places.input("mirror"))["mirror"]
    module = corpus_module(entry["module"])
    folder = places.data(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    module.prepare(module.Settings.model_validate(entry), folder,
                   (places.root / mirror).resolve() if mirror else None)
