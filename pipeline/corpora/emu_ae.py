"""Seven read sentences whose words and phones people have timed by hand: emuR's demonstration "ae".

One man reads Australian English, 20 kHz WAV, 20 seconds. Labels and times are those of the EMU
project at Macquarie University (Harrington and Cassidy; the sentences come with the R package emuR,
GPL 2 or later), as TextGrids with a tier of words ("Text"), one of phonemes in SAMPA ("Phoneme")
and others that are not read here.

Where phonemes run into each other the tier has one interval for both, `d_b` in "considered
beautiful". It becomes one segment with the label `D_B`: its outer boundaries are known, where D
gives way to B nobody says, and no score counts it. Words are cut there at the interval's beginning,
so the whole of it belongs to the second word. One such interval, `@_r` in "offer any", is shared
by both, and a word by itself in the tier, `*`: it is left out of the words here, so that the edges
next to it are none between two words.

The package's source comes as a forge's archive, so members are checked
(`pipeline.corpora.fetching.archives`). Copies may have these files alone, without the folders
above them.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.audio.text_grids import Interval, read_text_grid
from pipeline.corpora.fetching.archives import RemoteArchive, place
from pipeline.corpora.kinds import Segment, Utterance
from pipeline.corpora.phone_sets import from_sampa
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.folders import files_in
from pipeline.storage.lines import read_lines
from pipeline.storage.words import words_in

COMMIT = "400407d76b2879ce22388f11f0b0b3dbdf29b076"
_FOLDER = "emu-ae"
_IN_SOURCE = "inst/extdata/rawDemoData"
_SPEAKERS = 5  # letters of a recording's name that say who speaks
_SHARED = "*"


@dataclass(frozen=True)
class _Source(RemoteArchive):
    """The package's source, where the same members lie deeper."""

    def members(self) -> dict[str, str]:
        return {f"{_IN_SOURCE}/{name}": digest for name, digest in super().members().items()}


_LISTING = Path(__file__).with_name("emu_ae_members.sha256")
_SHA256 = "bc3e1e3fda789b527f5e8a777b8eba811990da0067479c6f1dd6b7e6adb7fad5"
FILES = [
    RemoteArchive(path="emuR-ae.tar.gz", mirror=f"emu_ae/emuR-ae-{COMMIT[:8]}.tar.gz", url=None,
                  folder=_FOLDER, listing=_LISTING, sha256=_SHA256),
    _Source(path=f"emuR-{COMMIT}.tar.gz", mirror=f"emu_ae/emuR-{COMMIT}.tar.gz",
            url=f"https://github.com/IPS-LMU/emuR/archive/{COMMIT}.tar.gz",
            folder=_FOLDER, listing=_LISTING, sha256=_SHA256)]


class Settings(CorpusSettings):
    """The sentences have no options."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Put the sentences at `directory/emu-ae`, from a copy without folders where there is one."""
    copy, source = FILES
    copied = mirror is not None and (mirror / str(copy.mirror)).is_file()
    place(copy if copied else source, directory, mirror)


def utterances(directory: Path, subset: str = "all") -> list[Utterance]:
    """All seven sentences, sorted by id, with the times of their words and phones.

    Words are in capitals. Raises UserError naming the file: a recording without its TextGrid or
    text, tiers that are missing, a label that is no SAMPA, and words that differ from the text.
    """
    if subset != "all":
        raise UserError(f"{directory}: there is no subset {subset!r} of these sentences; ask for "
                        "'all'")
    root = directory / _FOLDER
    if (root / _IN_SOURCE).is_dir():
        root = root / _IN_SOURCE
    found = [_utterance(root, path) for path in files_in(root / "wavFiles", "*.wav")]
    if not found:
        raise UserError(f"{root} holds no recordings; fetch the corpus again")
    return sorted(found, key=lambda item: item.id)


def _utterance(root: Path, recording: Path) -> Utterance:
    name = recording.stem
    grid = root / "annotationFiles" / f"{name}.TextGrid"
    tiers = read_text_grid(grid)
    for tier in ("Text", "Phoneme"):
        if tier not in tiers:
            raise UserError(f"{grid}: there is no tier {tier!r}; fetch the corpus again")
    words = [Segment("word", interval.label.upper(), interval.begin, interval.end)
             for interval in tiers["Text"] if interval.label not in ("", _SHARED)]
    text = " ".join(read_lines(root / "txtFiles" / f"{name}.txt"))
    if [word.label for word in words] != words_in(text.upper()):
        raise UserError(f"{grid}: the tier 'Text' has other words than {name}.txt; fetch the "
                        "corpus again")
    return Utterance(name, name[:_SPEAKERS], recording, " ".join(word.label for word in words),
                     (*words, *_phones(tiers["Phoneme"], grid)))


def _phones(intervals: list[Interval], grid: Path) -> list[Segment]:
    """Segments of phones; those that run into each other are one, joined by `_`."""
    found: list[Segment] = []
    for interval in intervals:
        if not interval.label:
            continue
        phones = from_sampa(interval.label, f"{grid}, {interval.begin} s")
        if phones:
            found.append(Segment("phone", "_".join(phones), interval.begin, interval.end))
        elif found:
            before = found[-1]
            found[-1] = Segment("phone", before.label, before.start, interval.end)
    return found
