"""AN4 (CMU Census): spelled words, numbers and commands, 16 kHz WAV.

948 training and 130 test utterances of 74 and 10 speakers, 48.4 minutes, recorded at CMU about 1991
over a close-talking microphone (Acero, Acoustical and Environmental Robustness in Automatic Speech
Recognition, Kluwer 1993), as CMU Sphinx publishes them, with a pronunciation dictionary, phones and
a language model. It comes as a forge's archive of one commit, so its members are checked
(`pipeline.corpora.fetching.archives`): audio, lists and the licence. Left out are the same language
model in a binary form, the recogniser's settings, and other spellings of the test transcripts.

AN4 has no validation set: `valid` is the utterances of eight training speakers, every ninth in
alphabetical order, so that nobody is heard in two splits. Its language model, `an4.lm`, gives every
word one probability and lacks two words of the dictionary: a better one is learnt from the training
transcripts (`pipeline.ngram.witten_bell`).
"""

from pathlib import Path
from typing import Literal

from pipeline.corpora.fetching.archives import RemoteArchive, place
from pipeline.corpora.kinds import Utterance
from pipeline.corpora.sphinx_lists import (
    read_dictionary,
    read_names,
    read_phones,
    read_transcripts,
)
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.names import file_in

VALID_SPEAKERS = frozenset({"ffmm", "fmjd", "mblw", "mdmc", "mjbh", "mmaf", "mrab", "msmn"})

COMMIT = "b567d132f43304e70a2b2eca6077f22255311812"
FILES = [RemoteArchive(
    path=f"an4-{COMMIT}.tar.gz", mirror=f"an4_audio/an4-{COMMIT}.tar.gz",
    url=f"https://github.com/cmusphinx/an4/archive/{COMMIT}.tar.gz", folder="an4",
    listing=Path(__file__).with_name("an4_members.sha256"),
    sha256="83732da65e7dc1cc1282cedad5db1efa1a176518689d6c5b11fe4d06dea4b557")]


class Settings(CorpusSettings):
    """AN4 has no options."""


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Put AN4 at `directory/an4`: `etc/` with its lists, `wav/` with a folder a speaker."""
    for archive in FILES:
        place(archive, directory, mirror)


def utterances(directory: Path, split: Literal["train", "valid", "test"]) -> list[Utterance]:
    """The utterances of a split, sorted by id; `path` is a WAV file.

    Raises UserError naming file and line when the lists disagree, or audio is missing or cannot be
    read.
    """
    source = "test" if split == "test" else "train"
    names = read_names(_etc(directory) / f"an4_{source}.fileids")
    texts = read_transcripts(_etc(directory) / f"an4_{source}.transcription")
    if len(names) != len(texts):
        raise UserError(f"{_etc(directory)}: an4_{source}.fileids lists {len(names)} utterances, "
                        f"an4_{source}.transcription {len(texts)}; fetch the corpus again")
    found = [_utterance(directory, name, texts) for name in names]
    if split != "test":
        found = [item for item in found if (item.speaker in VALID_SPEAKERS) == (split == "valid")]
    return sorted(found, key=lambda item: item.id)


def phones(directory: Path) -> list[str]:
    """The 34 phones of ARPAbet that the dictionary needs, `SIL` among them."""
    return read_phones(_etc(directory) / "an4.phone")


def lexicon(directory: Path) -> dict[str, list[list[str]]]:
    """The pronunciations of each of the 101 words, in the dictionary's order."""
    return read_dictionary(_etc(directory) / "an4.dic", phones(directory))


def _etc(directory: Path) -> Path:
    return directory / "an4" / "etc"


def _utterance(directory: Path, name: str, texts: dict[str, str]) -> Utterance:
    """The utterance of a line of .fileids, `an4_clstk/SPEAKER/ID`."""
    folder = directory / "an4" / "wav"
    path = file_in(folder, f"{name}.wav", str(_etc(directory)))
    stem = Path(name).name
    if stem not in texts:
        raise UserError(f"{folder}: audio of {name[:80]!r} without a transcript; fetch the corpus "
                        "again")
    if path is None:
        raise UserError(f"{folder}: {name[:80]}.wav does not exist but has a transcript; fetch "
                        "the corpus again")
    if len(path.relative_to(folder).parts) != 3:
        raise UserError(f"{_etc(directory)}: {name[:80]!r} names no folder and speaker; fetch the "
                        "corpus again")
    _check_audio(path)
    return Utterance(stem, path.parent.name, path, texts[stem])


def _check_audio(path: Path) -> None:
    import soundfile

    try:
        frames = soundfile.info(path).frames if path.stat().st_size else 0
    except (soundfile.LibsndfileError, OSError) as error:
        raise UserError(f"{path} cannot be read as audio ({error}); fetch the corpus again"
                        ) from None
    if frames == 0:
        raise UserError(f"{path}: empty audio; fetch the corpus again")
