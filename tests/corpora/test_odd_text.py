"""Odd text through the readers that no embedded corpus is read by; `tests.systems` has the others.

Each is given a corpus of a few lines in its publisher's format, which is altered at random: what
it reads is refused in a message that names the file, or read.
"""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from pipeline.corpora import (
    aligned_speech,
    an4,
    coco,
    emu_ae,
    m4,
    tanaka,
    tiny_shakespeare,
    word_vectors,
)
from pipeline.errors import UserError
from pipeline.modules import corpora
from pipeline.suite.schema import load
from tests.conftest import ROOT
from tests.odd_text import damage, text_files
from tests.trials import trials


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8", newline="")


def _an4_lists(folder: Path) -> list[str]:
    """AN4's lists of three utterances, whose names are returned."""
    names = {"train": "an4_clstk/mdcs/an2-mdcs-b\nan4_clstk/ffmm/an9-ffmm-b\n",
             "test": "an4test_clstk/fcaw/an3-fcaw-b\n"}
    _write(folder / "an4" / "etc", {
        "an4_train.transcription": "<s> GO ++NOISE++ HOME </s> (an2-mdcs-b)\nYES (an9-ffmm-b)\n",
        "an4_test.transcription": "NO <sil> (an3-fcaw-b)\n", "an4.phone": "G\nO\nOW\n",
        "an4.dic": "GO G OW\nGO(2) G O\n",
        **{f"an4_{split}.fileids": listed for split, listed in names.items()}})
    return "".join(names.values()).split()


def _an4(folder: Path) -> None:
    for name in _an4_lists(folder):
        path = folder / "an4" / "wav" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, [0.0] * 160, 16_000)


def _emu(folder: Path) -> None:
    root = folder / "emu-ae"
    (root / "wavFiles").mkdir(parents=True)
    soundfile.write(root / "wavFiles" / "msajc003.wav", [0.0] * 20_000, 20_000)
    tiers = {"Text": ["", "her", "friends"], "Phoneme": ["", "@:", "r"]}
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", "xmax = 1",
             "tiers? <exists>", "size = 2", "item []:"]
    for place, (tier, labels) in enumerate(tiers.items(), start=1):
        lines += [f"item [{place}]:", 'class = "IntervalTier"', f'name = "{tier}"', "xmin = 0",
                  "xmax = 1", f"intervals: size = {len(labels)}"]
        for number, label in enumerate(labels):
            lines += [f"intervals [{number + 1}]:", f"xmin = {number / 4}",
                      f"xmax = {(number + 1) / 4 if number < 2 else 1}", f'text = "{label}"']
    _write(root, {"annotationFiles/msajc003.TextGrid": "\n".join([*lines, ""]),
                  "txtFiles/msajc003.txt": "her friends\n"})


def _aligned(folder: Path) -> None:
    """Two of its three corpora; the tests of embedded systems read the third."""
    _an4(folder)
    _emu(folder)


def _read_aligned(folder: Path) -> None:
    for subset in ("an4-train", "an4-valid", "emu"):
        aligned_speech.utterances(folder, subset)


def _read_an4(folder: Path) -> None:
    for split in ("train", "valid", "test"):
        an4.utterances(folder, split)
    an4.lexicon(folder)
    an4.phones(folder)


def _coco(folder: Path) -> None:
    for part, numbers in (("train2014", (9, 25)), ("val2014", (42, 7))):
        _write(folder / "annotations", {f"captions_{part}.json": json.dumps({
            "images": [{"id": number, "file_name": f"COCO_{number}.jpg"} for number in numbers],
            "annotations": [{"image_id": number, "caption": f"A picture {number} of\n a {place}."}
                            for number in numbers for place in range(2)]}, indent=1)})
        _write(folder / part, {f"COCO_{number}.jpg": "" for number in numbers})


def _m4(folder: Path) -> None:
    for part, points in (("Train", 20), ("Test", 6)):
        header = ",".join(f'"V{column}"' for column in range(1, points + 2))
        rows = [f'"Y{row}",' + ",".join(f'"{row + point}.5"' for point in range(points))
                for row in range(1, 4)]
        _write(folder / part, {f"Yearly-{part.lower()}.csv": "\n".join([header, *rows, ""])})


def _tanaka(folder: Path) -> None:
    for split in ("train", "dev", "test"):
        _write(folder, {f"{split}.en": "i can 't swim .\nhe is here .\n",
                        f"{split}.ja": "\u79c1 \u306f \u6cf3\u3052 \u306a\u3044\n\u5f7c \u306f\n"})


def _shakespeare(folder: Path) -> None:
    _write(folder, {"input.txt": "First Citizen:\nBefore we proceed, hear me speak.\n\n" * 9})


def _word_lists(folder: Path) -> None:
    _write(folder, {
        "questions-words.txt": ": capitals\nathens greece paris france\n: plural\na as dog dogs\n",
        "wordsim353.tsv": "# words\nlove\tsex\t6.77\ntiger\tcat\t7.35\n",
        "simlex999.txt": "old\tnew\t1.58\n"})


Pair = tuple[Callable[[Path], None], Callable[[Path], object]]
READERS: dict[str, Pair] = {
    "aligned_speech": (_aligned, _read_aligned),
    "an4": (_an4, _read_an4),
    "coco": (_coco, lambda folder: [coco.captioned(folder, split)
                                    for split in ("train", "valid", "test")]),
    "emu_ae": (_emu, emu_ae.utterances),
    "m4": (_m4, lambda folder: m4.series(folder, "Yearly")),
    "tanaka": (_tanaka, lambda folder: [tanaka.pairs(folder, split, "en", "ja")
                                        for split in ("train", "dev", "test")]),
    "tiny_shakespeare": (_shakespeare, lambda folder: [
        tiny_shakespeare.lines(folder, split) for split in ("train", "valid", "test")]),
    "word_vectors": (_word_lists, word_vectors.word_tests),
}

WITHOUT_TEXT = {"fsdd"}  # recordings whose names say everything


@pytest.mark.fuzz
@pytest.mark.parametrize("name", READERS)
def test_a_text_is_read_or_refused_by_name(name: str, tmp_path: Path) -> None:
    write, read = READERS[name]
    write(tmp_path / "whole")
    read(tmp_path / "whole")
    for number in range(trials(60, 4000)):
        draw = random.Random(f"{name} {number}")
        corpus = tmp_path / str(number)
        shutil.copytree(tmp_path / "whole", corpus)
        done = [damage(draw.choice(text_files(corpus)), draw) for _ in range(draw.randint(1, 2))]
        try:
            read(corpus)
        except UserError as error:
            assert str(corpus) in str(error), (done, error)
        shutil.rmtree(corpus)


def test_every_corpus_meets_odd_text() -> None:
    """Here, or in `tests.systems.test_odd_text`, which reads the embedded ones."""
    embedded = {entry["module"] for entry in load(ROOT / "params.yaml").corpora.values()}
    assert set(corpora()) == embedded | set(READERS) | WITHOUT_TEXT
