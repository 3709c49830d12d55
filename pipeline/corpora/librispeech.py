"""LibriSpeech: read English from audio books, and synthetic speech in the same tree.

The corpus of Panayotov et al. (LibriSpeech: an ASR corpus based on public domain audio books,
ICASSP 2015), 16 kHz FLAC, CC BY 4.0. Its tree is
`LibriSpeech/SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac`, with the chapter's transcripts in
`SPEAKER-CHAPTER.trans.txt`. Part `test-clean-47` is 47 utterances of test-clean: enough to hear a
recogniser on real voices. The embedded twin (`pipeline.corpora.twins.speech_twin`) lies beside
the downloaded parts, in subsets of its own.

Its pronouncing dictionary (openslr.org/11) is a file `librispeech-lexicon.txt` of lines
`WORD<TAB>P1 P2 ...`, several of them for a word that is said in several ways. The twin writes one;
that of the real corpus is to be put beside the subsets by hand. When words and phones sound is
known of a chapter that has a `SPEAKER-CHAPTER.alignment.json`, which the twin writes.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator

from pipeline.audio.phones import PHONES, SILENCE, VOWELS
from pipeline.corpora.fetching.files import RemoteFile, obtain, unpack
from pipeline.corpora.kinds import Segment, Utterance
from pipeline.corpora.twins.speech_twin import DICTIONARY, TwinSettings, generate
from pipeline.entries import CorpusSettings
from pipeline.errors import UserError
from pipeline.storage.files import read_json
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
    """The utterances of a subset (a folder of the tree), sorted by id, with what is known of times.

    Raises UserError naming the file: a transcript without audio, audio without a transcript, a
    malformed line, audio that is empty or cannot be read, times out of order or of other words.
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
    segments: dict[Path, tuple[Segment, ...]] = {}
    for alignment in files_in(root, "*/*/*.alignment.json"):
        segments |= _alignments(alignment, texts)
    recordings: dict[str, Path] = {}
    for path in texts:
        _check_audio(path)
        if (other := recordings.setdefault(path.stem, path)) != path:
            raise UserError(f"{path} and {other} are two utterances of one id; fetch or generate "
                            "the corpus again")
    return sorted((Utterance(path.stem, path.stem.split("-")[0], path, text,
                             segments.get(path, ()))
                   for path, text in texts.items()), key=lambda item: item.id)


def lexicon(directory: Path) -> dict[str, list[list[str]]]:
    """The pronunciations of each word, in the dictionary's order, words as in transcripts.

    Phones are those of `pipeline.audio.phones`: the digits 0 to 2 of stress are taken off vowels,
    and pronunciations that differ in these alone count once. Raises UserError naming file and line
    for a word without phones or in small letters, an unknown phone and a repeated line.
    """
    path = directory / "LibriSpeech" / DICTIONARY
    if not path.is_file():
        raise UserError(f"{path} does not exist; give the corpus's twin a dictionary, or put the "
                        f"file of https://www.openslr.org/resources/11/{DICTIONARY} there")
    entries: dict[str, list[list[str]]] = {}
    lines: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(read_lines(path), start=1):
        word, *phones = words_in(line) or [""]
        if not phones or word != word.upper():
            raise UserError(f"{path}, line {number}: expected a word in capitals, a tab and its "
                            f"phones, got {line[:60]!r}; mend the line or remove it")
        if (first := lines.setdefault((word, *phones), number)) != number:
            raise UserError(f"{path}, line {number}: {line[:60]!r} stands in line {first} already; "
                            "remove one")
        said = [_without_stress(phone) for phone in phones]
        for phone in said:
            if phone not in PHONES:
                raise UserError(f"{path}, line {number}: {phone[:20]!r} is none of the phones "
                                f"{', '.join(PHONES)}; mend the line or remove it")
        if said not in entries.setdefault(word, []):
            entries[word].append(said)
    return entries


def _without_stress(phone: str) -> str:
    return phone[:-1] if phone[:-1] in VOWELS and phone[-1] in "012" else phone


def _alignments(path: Path, texts: dict[Path, str]) -> dict[Path, tuple[Segment, ...]]:
    """Words, then phones without pauses, by the path of the audio they are heard in."""
    remedy = "fetch or generate the corpus again"
    content = read_json(path, remedy)
    found: dict[Path, tuple[Segment, ...]] = {}
    for name, item in content.items() if isinstance(content, dict) else []:
        try:
            words = _intervals("word", item["words"])
            phones = _intervals("phone", item["phones"])
        except (KeyError, TypeError, ValueError):
            raise UserError(f"{path}: utterance {name[:80]!r} needs 'words' and 'phones', each "
                            f"[label, begin, end] in seconds and in order of time; {remedy}"
                            ) from None
        audio = path.parent / f"{name}.flac"
        if " ".join(word.label for word in words) != texts.get(audio):
            raise UserError(f"{path}: utterance {name[:80]!r} has other words than its transcript; "
                            f"{remedy}")
        found[audio] = (*words, *(phone for phone in phones if phone.label != SILENCE))
    if missing := [audio for audio in texts if audio.parent == path.parent and audio not in found]:
        raise UserError(f"{path}: no times of {missing[0].stem}; {remedy}")
    return found


def _intervals(kind: Literal["word", "phone"], intervals: Any) -> list[Segment]:
    """Raises TypeError or ValueError where these are no intervals in order of time."""
    found = [Segment(kind, label, float(start), float(end)) for label, start, end in intervals]
    times = [0.0, *(time for segment in found for time in (segment.start, segment.end))]
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("out of order")
    if not all(isinstance(segment.label, str) and segment.start < segment.end
               for segment in found):
        raise ValueError("no label or no length")
    return found


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
