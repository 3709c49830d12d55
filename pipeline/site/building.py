"""The whole site: what is read of each suite, which pages there are, and writing them.

    index.html                          what this is, lectures, leaderboards of all suites
    methods.html                        every method with its equation, code and the rows it is in
    course/index.html, course/<deck>.html   the course of docs/, topic by topic, and its pictures
    pictures/                           what the front page shows and plays
    <suite>/index.html                  leaderboards of a suite
    <suite>/claims.html                 its claims by lecture
    <suite>/studies.html                what single settings do
    <suite>/tracks/<track>.html         a track; its pictures and sounds lie in <track>/
    _code/<module>.html                 a module
    _assets/                            scripts, style, licences

No track and no suite can be called like a page beside it: names begin with a letter.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.site.addresses import picture_file
from pipeline.site.bundle import FILES, bundled
from pipeline.site.code import Library, Module
from pipeline.site.course import course_of
from pipeline.site.files import Output, check_folder, writing
from pipeline.site.lectures import Lecture
from pipeline.site.showpieces import Showpieces, showpieces
from pipeline.site.suites import Described, described
from pipeline.site.templates import Pages
from pipeline.site.tracks import Picture, Track, track_of
from pipeline.suite.schema import Suite

_SCALE = 3  # times the size of a test item's picture


@dataclass(frozen=True)
class Written:
    """What was written: the front page, how many files, and their bytes."""

    front: Path
    files: int
    bytes: int


@dataclass
class Method:
    """A module and the rows that are made of it, as (suite, track, row)."""

    module: Module
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def tracks(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys((suite, track) for suite, track, _ in self.rows))


@dataclass(frozen=True)
class Seen:
    """A picture for the front page, and the track that it is of."""

    one: Described
    track: Track
    picture: Picture


def render_site(suites: Sequence[Suite], folder: Path) -> Written:
    """Write the pages of these suites, of one project, into `folder`.

    Raises UserError for a suite without leaderboards, a damaged file, a folder that holds something
    else, and where npm is missing and the scripts have not been bundled yet; an earlier site is
    then left as it was.
    """
    check_folder(folder)
    library = Library(suites[0].places.root)
    found = [described(suite, library) for suite in suites]
    scripts = bundled(suites[0].places)
    with writing(folder) as output:
        _write(output, suites[0].places.root, found, library, scripts)
    return Written(folder / "index.html", output.files, output.bytes)


def _write(output: Output, root: Path, found: Sequence[Described], library: Library,
           scripts: Path) -> None:
    """All files of the site."""
    course = course_of(root, found, library)
    pages = Pages(output, found, course)
    for name in FILES:
        output.content(f"_assets/{name}", (scripts / name).read_bytes())
    shown = _Modules(course.modules)
    for address, content in course.pictures.items():
        output.content(address, content)
    for page in course.pages:
        pages.write(page.address, "course.html", page=page)
    seen: list[Seen] = []
    for one in found:
        for board in one.boards.values():
            track = track_of(one.suite, board, library)
            _track(pages, output, one, track)
            shown.add_track(one, track)
            seen += [Seen(one, track, picture) for picture in track.pictures[:1] if picture.content]
        _suite(pages, one)
        for lecture in one.lectures:
            shown.add(lecture.methods)
    shown.write(pages)
    _front(pages, output, found, showpieces(root), min(seen, key=_worth, default=None))


def _front(pages: Pages, output: Output, found: Sequence[Described], pieces: Showpieces,
           seen: Seen | None) -> None:
    """The front page, with what the project shows of itself: pictures, and a sentence to hear."""
    sound = pieces.sentence.sound if pieces.sentence else None
    for piece in pieces.pictures:
        output.content(f"pictures/{piece.file}", piece.content)
    if sound is not None:
        output.content(f"pictures/{sound.file}", sound.content)
    pages.write("index.html", "front.html", lectures=_together(found), seen=seen, pieces=pieces,
                tracks_here={(one.name, track) for one in found for track in one.boards})


def _worth(seen: Seen) -> tuple[bool, int]:
    """Translation first, where a fixed vector's limit is plain to see; then what claims name most.
    """
    named = sum(claim.track == seen.track.key for claim in seen.one.suite.claims)
    return seen.track.entry.task != "translation", -named


def _track(pages: Pages, output: Output, one: Described, track: Track) -> None:
    """A track's page, and beside it what it shows."""
    beside = f"{one.folder}tracks/{track.key}"
    for picture in track.pictures:
        if picture.content is not None:
            output.content(f"{beside}/{picture.file}", picture.content)
    for name, content in track.gallery.contents.items():
        output.content(f"{beside}/{name}", content)
    for sample in track.samples.samples:
        if sample.sound is not None:
            output.content(f"{beside}/{sample.sound.file}", sample.sound.content)
        if sample.item is not None and sample.item.picture is not None:
            output.content(f"{beside}/{picture_file(sample.id)}", _png(sample.item.picture))
    claims = [shown for lecture in one.lectures for shown in lecture.claims
              if shown.claim["track"] == track.key]
    pages.write(f"{beside}.html", "track.html", one=one, track=track, claims=claims)


def _suite(pages: Pages, one: Described) -> None:
    pages.write(f"{one.folder}index.html", "suite.html", one=one)
    pages.write(f"{one.folder}claims.html", "claims.html", one=one)
    if one.charted:
        pages.write(f"{one.folder}studies.html", "studies.html", one=one)


class _Modules:
    """The modules that have a page, and which rows the methods among them are in."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._modules: dict[str, Module] = {**modules}
        self._methods: dict[str, Method] = {}

    def add(self, modules: Iterable[Module]) -> None:
        self._modules |= {module.name: module for module in modules}

    def add_track(self, one: Described, track: Track) -> None:
        """Its rows' models and methods, and what reads its corpus."""
        for detail in track.details:
            for module in detail.methods:
                self._methods.setdefault(module.name, Method(module)).rows.append(
                    (one.name, track.key, detail.row))
            self.add([*detail.methods, *([detail.model] if detail.model else [])])
        self.add([track.corpus] if track.corpus else [])

    def write(self, pages: Pages) -> None:
        listed = sorted(self._methods.values(), key=lambda method: method.module.name)
        pages.write("methods.html", "methods.html", methods=listed)
        for name, module in self._modules.items():
            pages.write(module.page, "code.html", module=module, method=self._methods.get(name))


def _together(found: Sequence[Described]) -> list[list[tuple[Described, Lecture]]]:
    """The lectures of all suites, those of one name together."""
    names = sorted({lecture.name for one in found for lecture in one.lectures}, key=str.lower)
    return [[(one, lecture) for one in found for lecture in one.lectures if lecture.name == name]
            for name in names]


def _png(picture: NDArray[np.uint8]) -> bytes:
    """A test item's picture, larger, each of its points a square."""
    image = Image.fromarray(picture)
    written = io.BytesIO()
    image.resize((_SCALE * image.width, _SCALE * image.height), Image.Resampling.NEAREST).save(
        written, "PNG")
    return written.getvalue()
