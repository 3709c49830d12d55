"""COCO captions of 2014: photographs with five sentences or a few more each.

Chen et al. 2015, "Microsoft COCO Captions: Data Collection and Evaluation Server". A folder of
pictures and a JSON file `annotations/captions_<folder>.json` for each of train2014 and val2014,
with `images` (id, file_name) and `annotations` (image_id, caption). The sentences about the test
pictures are not published, so val2014 is divided: in the order of their numbers its first half is
the split `valid`, its second half `test`. These are not the parts of Karpathy and Fei-Fei 2015.
"""

from pathlib import Path
from typing import Any, Literal

from pipeline.corpora.fetching.files import RemoteFile, obtain, unpack
from pipeline.corpora.kinds import CaptionedPicture
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.json_text import read_foreign_json
from pipeline.storage.names import file_in
from pipeline.storage.words import words_in

Split = Literal["train", "valid", "test"]

_SOURCE = "http://images.cocodataset.org"


def _published(folder: str, name: str, size: int, sha256: str) -> RemoteFile:
    return RemoteFile(name, f"coco/{name}", f"{_SOURCE}/{folder}/{name}", sha256=sha256, size=size)


FILES = [
    _published("annotations", "annotations_trainval2014.zip", 252_872_794,
               "031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009"),
    _published("zips", "train2014.zip", 13_510_573_713,
               "ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775"),
    _published("zips", "val2014.zip", 6_645_013_297,
               "fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0"),
]


class Settings(CorpusSettings):
    """COCO has no options."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Unpack annotations and pictures (20 GB) into `directory`."""
    for file in FILES:
        unpack(obtain(file, mirror), directory, file.unpacked)


def captioned(directory: Path, split: Split) -> list[CaptionedPicture]:
    """The pictures of a split in the order of their numbers, each with its sentences.

    Raises UserError naming the file without the publisher's lists, an annotation that is not as
    expected or is about no picture, and a picture without a sentence or without a file.
    """
    folder = "train2014" if split == "train" else "val2014"
    path = directory / "annotations" / f"captions_{folder}.json"
    names = _names(path)
    sentences: dict[int, list[str]] = {number: [] for number in names}
    for record in _records(path, "annotations"):
        about = _field(path, record, "image_id", int)
        if about not in sentences:
            raise UserError(f"{path}: a sentence about picture {about}, which is not among the "
                            "images; fetch the corpus again")
        # Some sentences hold line breaks.
        text = _field(path, record, "caption", str).replace("\r", " ").replace("\n", " ")
        sentences[about].append(" ".join(words_in(text)))
    numbers = sorted(names)
    half = len(numbers) // 2
    part = {"train": slice(None), "valid": slice(half), "test": slice(half, None)}[split]
    return [_captioned(path, directory / folder, names[number], number, sentences[number])
            for number in numbers[part]]


def _names(path: Path) -> dict[int, str]:
    """The file of each picture by its number; no number and no file stands there twice."""
    names: dict[int, str] = {}
    stems: dict[str, int] = {}
    for record in _records(path, "images"):
        number, name = _field(path, record, "id", int), _field(path, record, "file_name", str)
        if number in names:
            raise UserError(f"{path}: picture {number} is among the images twice, as "
                            f"{names[number]!r} and {name!r}; fetch the corpus again")
        stem = Path(name).stem
        if stem in stems:
            raise UserError(f"{path}: pictures {stems[stem]} and {number} have one file or one "
                            f"name, {stem!r}; fetch the corpus again")
        names[number], stems[stem] = name, number
    return names


def _captioned(annotations: Path, folder: Path, name: str, number: int,
               sentences: list[str]) -> CaptionedPicture:
    if not all(sentences) or not sentences:
        raise UserError(f"{annotations}: picture {number} has no sentence, or an empty one; fetch "
                        "the corpus again")
    path = file_in(folder, name, f"{annotations}: picture {number}")
    if path is None:
        raise UserError(f"{annotations}: picture {number} has sentences but there is no "
                        f"{folder / name[:80]}; fetch the corpus again")
    return CaptionedPicture(path.stem, path, sentences)


def _records(path: Path, name: str) -> list[dict[str, Any]]:
    """One of the publisher's lists."""
    content = read_foreign_json(path)
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, list) or not found:
        raise UserError(f"{path}: expected a list {name!r}; fetch the corpus again")
    return found


def _field(path: Path, record: Any, name: str, kind: type) -> Any:
    value = record.get(name) if isinstance(record, dict) else None
    if not isinstance(value, kind):
        raise UserError(f"{path}: expected {name!r} ({kind.__name__}) in each record, got "
                        f"{str(record)[:80]}; fetch the corpus again")
    return value
