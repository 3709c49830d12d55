"""A captioner says what one's own pictures show.

A picture is brought to what the model has learnt from as those of the corpus are: turned upright as
its camera says, cut to a square around its middle, and made larger or smaller. Of an animation the
first picture counts.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.storage.files import write_json
from pipeline.storage.predictions import Prediction
from pipeline.tasks.caption.shared.pictures import write_pictures
from pipeline.tasks.contract import OwnFile, Record, Trained

TAKES = "a picture of any size, PNG or JPEG"
SUFFIXES = (".png", ".jpg", ".jpeg")
SHOWN = ("file", "sentence")


def prepare(files: Sequence[OwnFile], trained: Trained, folder: Path) -> list[Record]:
    """Write the pictures as test items. Raises UserError naming a file that is no picture."""
    names = [file.name for file in files]
    write_pictures(folder / "test.pictures.npy", [file.path for file in files],
                   trained.spec["side"], names)
    write_json(folder / "items.json", [{"id": str(place)} for place in range(len(files))])
    return [{"file": name} for name in names]


def present(item: Record, prediction: Prediction, trained: Trained) -> Iterator[Record]:
    """The file with the sentence about it."""
    yield item | {"sentence": prediction["sentence"]}
