"""LibriSpeech: read English from audio books, and synthetic speech in the same tree.

The corpus of Panayotov et al. (LibriSpeech: an ASR corpus based on public domain audio books,
ICASSP 2015), 16 kHz FLAC, CC BY 4.0. Its tree is
`LibriSpeech/SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac`, with the chapter's transcripts in
`SPEAKER-CHAPTER.trans.txt`. Part `test-clean-47` is 47 utterances of test-clean: enough to hear a
recogniser on real voices. The embedded twin (`pipeline.corpora.twins.speech_twin`) lies beside
the downloaded parts, in subsets of its own.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from pipeline.corpora.fetching.files import RemoteFile, obtain, unpack
from pipeline.corpora.kinds import Utterance
from pipeline.corpora.twins.speech_twin import TwinSettings, generate
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.folders import files_in
from pipeline.storage.lines import read_lines
from pipeline.storage.words import is_blank, words_in

Part = Literal["dev-clean", "dev-other", "test-clean", "test-other", "train-clean-100",
               "train-clean-360", "train-other-500", "test-clean-47"]

ADDRESS = "https://www.openslr.org/resources/12"


def _published(part: str, size: int, sha256: str) -> RemoteFile:
    name = f"{part}.tar.gz"
    return RemoteFile(path=name, mirror=f"librispeech/{name}", url=f"{ADDRESS}/{name}",
                      sha256=sha256, size=size)


FILES: dict[str, RemoteFile] = {
    "dev-clean": _published(
        "dev-clean", 337_926_286,
        "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3"),
    "dev-other": _published(
        "dev-other", 314_305_928,
        "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365"),
    "test-clean": _published(
        "test-clean", 346_663_984,
        "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23"),
    "test-other": _published(
        "test-other", 328_757_843,
        "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29"),
    "train-clean-100": _published(
        "train-clean-100", 6_387_309_499,
        "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2"),
    "train-clean-360": _published(
        "train-clean-360", 23_049_477_885,
        "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf"),
    "train-other-500": _published(
        "train-other-500", 30_593_501_606,
        "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2"),
    "test-clean-47": RemoteFile(
        path="test-clean-47.tar.gz", mirror="librispeech/test-clean-47.tar.gz", url=None,
        sha256="2d0df54bf7bc3229f33a4b91df3c38d7e382eccf26ddd623e0445f4f8eb9c02d",
        size=4_036_397, unpacked=4_412_428),
}


class Settings(CorpusSettings):
    """Which parts are downloaded, and the synthetic subsets beside them."""

    parts: list[Part]
    twin: TwinSettings | None

    @model_validator(mode="after")
    def _something_and_no_overlap(self) -> Self:
        if not self.parts and self.twin is None:
            raise ValueError("neither parts nor a twin: the corpus would be empty")
        if {"test-clean", "test-clean-47"} <= set(self.parts):
            raise ValueError("test-clean-47 is an excerpt of test-clean and unpacks into the same "
                             "folder: choose one of them")
        return self


def prepare(settings: Settings, directory: Path, mirror: Path | None) -> None:
    """Write the LibriSpeech tree of the chosen parts and of the twin below `directory`."""
    for part in settings.parts:
        unpack(obtain(FILES[part], mirror), directory, FILES[part].unpacked)
    if settings.twin is not None:
        generate(settings.twin, directory / "LibriSpeech")


def utterances(directory: Path, subset: str) -> list[Utterance]:
    """The utterances of a subset (a folder of the tree), sorted by id.

    Raises UserError naming the file: a transcript without audio, audio without a transcript, a
    malformed line, audio that is empty or cannot be read.
    """
    root = directory / "LibriSpeech" / subset
    if not root.is_dir():
        known = [path.name for path in files_in(root.parent) if path.is_dir()]
        raise UserError(f"{root} does not exist; subsets here: {', '.join(known) or 'none'}")
    texts: dict[Path, str] = {}
    for transcript in files_in(root, "*/*/*.trans.txt"):
        texts |= _transcripts(transcript)
    recorded = set(files_in(root, "*/*/*.flac"))
    for path in sorted(recorded - texts.keys()):
        raise UserError(f"{path}: audio without a transcript; add its line to the chapter's "
                        ".trans.txt or remove it")
    for path in sorted(texts.keys() - recorded):
        raise UserError(f"{path} does not exist, but {path.parent} has a transcript of it; fetch "
                        "or generate the corpus again")
    if not texts:
        raise UserError(f"{root} holds no utterances; fetch or generate the corpus again")
    recordings: dict[str, Path] = {}
    for path in texts:
        _check_audio(path)
        if (other := recordings.setdefault(path.stem, path)) != path:
            raise UserError(f"{path} and {other} are two utterances of one id; fetch or generate "
                            "the corpus again")
    return sorted((Utterance(path.stem, path.stem.split("-")[0], path, text)
                   for path, text in texts.items()), key=lambda item: item.id)


def _transcripts(path: Path) -> dict[Path, str]:
    """Text by the path of its audio, from `ID WORDS` lines."""
    chapter = path.name.removesuffix(".trans.txt")
    texts: dict[Path, str] = {}
    lines: dict[Path, int] = {}
    for number, line in enumerate(read_lines(path), start=1):
        name, _, text = line.partition(" ")
        if name.rpartition("-")[0] != chapter or is_blank(text):
            raise UserError(f"{path}, line {number}: expected an utterance of {chapter} and its "
                            f"words, got {line!r}")
        audio = path.parent / f"{name}.flac"
        if (first := lines.setdefault(audio, number)) != number:
            raise UserError(f"{path}, line {number}: a second transcript of {name}, which has one "
                            f"in line {first}; remove one")
        texts[audio] = " ".join(words_in(text))
    return texts


def _check_audio(path: Path) -> None:
    import soundfile

    try:
        # A file that was encoded into a pipe tells no length, which counts as very many frames.
        frames = soundfile.info(path).frames if path.stat().st_size else 0
    except (soundfile.LibsndfileError, OSError) as error:
        raise UserError(f"{path} cannot be read as audio ({error}); fetch or generate the corpus "
                        "again") from None
    if frames == 0:
        raise UserError(f"{path}: empty audio; fetch or generate the corpus again")
