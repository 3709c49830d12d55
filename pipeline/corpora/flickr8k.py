"""Flickr8k, photographs with five sentences each, and its embedded twin of drawn scenes.

Hodosh, Young and Hockenmaier 2013, "Framing Image Description as a Ranking Task". A folder of
pictures (the publisher spells it `Flicker8k_Dataset`), `Flickr8k.token.txt` with a line
`picture#number TAB sentence` for each sentence, and a list of pictures for each split. Sentences
about pictures in no list are left alone: the publisher has 92 such pictures, one without a file.

The photographs are given out on request, so nothing is downloaded: archives are taken from the
mirror. The twin has the same files, with scenes of `pipeline.corpora.twins.grammar.scenes` as PNG,
which loses nothing, and `Flickr8k.scenes.json`: what each picture shows.
"""

import re
from dataclasses import astuple
from pathlib import Path
from random import Random
from typing import Literal, Self

from PIL import Image
from pydantic import Field

from pipeline.corpora.fetching.files import unpack
from pipeline.corpora.kinds import CaptionedPicture
from pipeline.corpora.twins.grammar.scenes import (
    Scene,
    Thing,
    draw_scene,
    is_thing,
    picture,
    sentence,
)
from pipeline.entries import CorpusSettings, Twin
from pipeline.errors import UserError
from pipeline.storage.files import atomic_writer, write_json, write_text
from pipeline.storage.json_text import read_foreign_json
from pipeline.storage.lines import read_lines
from pipeline.storage.names import file_in
from pipeline.storage.words import is_blank, trimmed

Split = Literal["train", "valid", "test"]

SENTENCES = 5
PICTURES = "Flicker8k_Dataset"
TOKENS = "Flickr8k.token.txt"
SCENES = "Flickr8k.scenes.json"
LISTS: dict[Split, str] = {"train": "Flickr_8k.trainImages.txt", "valid": "Flickr_8k.devImages.txt",
                           "test": "Flickr_8k.testImages.txt"}
ARCHIVES = ("Flickr8k_Dataset.zip", "Flickr8k_text.zip")
REQUEST = "https://forms.illinois.edu/sec/1713398"

_LINE = re.compile(r"(?P<picture>[^\t]+)#(?P<number>[0-9]{1,9})\t(?P<sentence>.*[^ \t].*)")


class TwinSettings(Twin):
    """The embedded twin: pictures of each split; no scene is in two of them."""

    seed: int = Field(ge=0)
    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)

    def smallest(self) -> Self:
        return self.model_copy(update={"train": 40, "valid": 8, "test": 8})


class Settings(CorpusSettings):
    """Taken from the mirror (`twin: null`) or generated."""

    twin: TwinSettings | None


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write pictures, sentences and lists into `directory`."""
    if settings.twin is None:
        for archive in _archives(mirror):
            unpack(archive, directory)
        return
    _generate(settings.twin, directory)


def captioned(directory: Path, split: Split) -> list[CaptionedPicture]:
    """The pictures of a split in the order of its list, each with its sentences.

    Raises UserError naming file and line of a line of another form, and the picture that is listed
    twice or has no sentence or no file. Whether a file is a picture shows when it is opened.
    """
    sentences = _sentences(directory / TOKENS)
    scenes = _scenes(directory / SCENES)
    found = []
    for place, name in _listed(directory / LISTS[split]):
        if name not in sentences:
            raise UserError(f"{place} has no sentence in {TOKENS}; add one or remove the line")
        path = file_in(directory / PICTURES, name, place)
        if path is None:
            raise UserError(f"{place} has sentences but no picture "
                            f"{directory / PICTURES / name[:80]}; add it or remove the line")
        scene = scenes.get(name)
        found.append(CaptionedPicture(
            path.stem, path, [text for _, text in sorted(sentences[name].items())],
            tuple(map(astuple, scene)) if scene else None,
            sentence(scene, None) if scene else None))
    return found


def _listed(path: Path) -> list[tuple[str, str]]:
    """The place and the name of each picture of a list.

    An item is called by its picture's name without the ending, so none stands there twice.
    """
    found: list[tuple[str, str]] = []
    lines: dict[str, int] = {}
    for number, name in enumerate(read_lines(path), start=1):
        if not name:
            continue
        place = f"{path}, line {number}: {name[:80]}"
        if (first := lines.setdefault(Path(name).stem, number)) != number:
            raise UserError(f"{place} is listed in line {first} already, or differs from that "
                            "picture in its ending alone; remove a line")
        found.append((place, name))
    if not found:
        raise UserError(f"{path} is empty; get or generate the corpus again")
    return found


def _scenes(path: Path) -> dict[str, Scene]:
    """What the twin's pictures show; nothing of a real corpus."""
    content = read_foreign_json(path) if path.exists() else {}
    if not isinstance(content, dict) or not all(
            isinstance(things, list) and all(map(is_thing, things))
            and len({(row, column) for *_, row, column in things}) == len(things) > 1
            for things in content.values()):
        raise UserError(f"{path}: expected two things or more in different fields for each "
                        "picture; generate the corpus again")
    return {name: tuple(Thing(*thing) for thing in things) for name, things in content.items()}


def _archives(mirror: Path | None) -> list[Path]:
    """The publisher's archives in the mirror. Raises UserError saying where they are wanted."""
    folder = (mirror or Path("a-folder")) / "flickr8k"
    missing = [name for name in ARCHIVES if mirror is None or not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"Flickr8k is given out on request alone ({REQUEST}): put {' and '.join(missing)} into "
            f"{folder}" + ("" if mirror else " and set UNROLLED_MIRROR to that folder's parent"))
    return [folder / name for name in ARCHIVES]


def _sentences(path: Path) -> dict[str, dict[int, str]]:
    """Sentences by picture and number."""
    found: dict[str, dict[int, str]] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if is_blank(line):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise UserError(f"{path}, line {number}: expected 'picture#number TAB sentence', got "
                            f"{line[:60]!r}; mend or remove the line")
        of_picture = found.setdefault(match["picture"], {})
        if int(match["number"]) in of_picture:
            raise UserError(f"{path}, line {number}: a second sentence {match['number']} of "
                            f"{match['picture']}; mend or remove the line")
        of_picture[int(match["number"])] = trimmed(match["sentence"])
    return found


def _generate(twin: TwinSettings, directory: Path) -> None:
    random = Random(f"scenes {twin.seed}")
    scenes: dict[str, Scene] = {}
    tokens: list[str] = []
    seen: set[Scene] = set()
    (directory / PICTURES).mkdir(parents=True, exist_ok=True)
    sizes: dict[Split, int] = {"train": twin.train, "valid": twin.valid, "test": twin.test}
    for split, size in sizes.items():
        names = [f"{split}-{number:05d}.png" for number in range(1, size + 1)]
        for name in names:
            while (scene := draw_scene(random)) in seen:
                pass
            seen.add(scene)
            scenes[name] = scene
            with atomic_writer(directory / PICTURES / name, durable=False) as file:
                Image.fromarray(picture(scene, random)).save(file, format="PNG")
            tokens += [f"{name}#{number}\t{sentence(scene, random)}\n"
                       for number in range(SENTENCES)]
        write_text(directory / LISTS[split], "".join(f"{name}\n" for name in names))
    write_text(directory / TOKENS, "".join(tokens))
    write_json(directory / SCENES, {name: [list(astuple(thing)) for thing in scene]
                                    for name, scene in scenes.items()})
