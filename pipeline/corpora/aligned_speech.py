"""What teaches and tests times of phones on real speech: three corpora side by side, in one folder.

AN4 is many people's speech whose times nobody knows; the embedded twin of LibriSpeech knows its own
to the sample, but speaks with synthetic voices; and the sentences of `emu_ae` are real and timed by
hand, too few to learn from. All of them are read as the 39 phones of `pipeline.audio.phones`.

Subsets are `an4-train`, `an4-valid` and `an4-test`, `emu`, and those of the twin under its own
names. Ids and speakers are those of the corpora, which share none.
"""

from pathlib import Path
from typing import Literal, cast

from pipeline.audio.phones import SILENCE
from pipeline.corpora import an4, emu_ae, librispeech
from pipeline.corpora.kinds import Utterance
from pipeline.corpora.twins.speech_twin import TwinSettings
from pipeline.entries import CorpusSettings

_AN4 = "an4-"
_EMU = "emu"


class Settings(CorpusSettings):
    """The synthetic voices; the other two have no options."""

    twin: TwinSettings


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the three corpora below `directory`, each as its own module does."""
    an4.prepare(an4.Settings(module="an4"), directory, mirror)
    emu_ae.prepare(emu_ae.Settings(module="emu_ae"), directory, mirror)
    librispeech.prepare(librispeech.Settings(module="librispeech", parts=[], twin=settings.twin),
                        directory, mirror)


def utterances(directory: Path, subset: str) -> list[Utterance]:
    """The utterances of a subset. Raises UserError as the readers of the three corpora do."""
    if subset == _EMU:
        return emu_ae.utterances(directory)
    if subset.startswith(_AN4):
        split = cast(Literal["train", "valid", "test"], subset.removeprefix(_AN4))
        return an4.utterances(directory, split)
    return librispeech.utterances(directory, subset)


def lexicon(directory: Path) -> dict[str, list[list[str]]]:
    """The pronunciations of words, AN4's before those of the twin.

    AN4 is the corpus whose phones come from its dictionary, and spells: its "A" is a letter.
    """
    found = {word: [[phone for phone in way if phone != SILENCE] for way in ways]
             for word, ways in an4.lexicon(directory).items()}
    for word, ways in librispeech.lexicon(directory).items():
        known = found.setdefault(word, [])
        known += [way for way in ways if way not in known]
    return found
