"""Make docs/pictures/ of results: `python -m pipeline.site.drawing_showpieces`.

    carry.png               the adder: two numbers, their carry, and the hidden units that hold it
    attention.png           what a translator looks at while it writes each word
    aligned-sentence.svg    a sentence: its wave, what was said when, what was understood when
    sentence.json           that sentence, its voice and the recognised words, to hear it

The first two are figures that evaluating a row has left in figures/, with fewer colours. The
embedded suite has to have been trained here (`unrolled repro`), and `shown.json`, which says what
each picture is, is written by hand.
"""

import io
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

from pipeline.corpora.twins.espeak import RATE, Voice
from pipeline.corpora.twins.spoken_words import read_aloud
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.site.items import Timed
from pipeline.site.showpieces import FOLDER, SENTENCE, Heard
from pipeline.site.speech import spoken_words
from pipeline.storage.files import read_text, write_bytes, write_json, write_text
from pipeline.storage.json_rows import rows_of
from pipeline.storage.parquet import read_table
from pipeline.storage.predictions import Prediction
from pipeline.storage.shapes import read_shaped
from pipeline.suite.schema import Suite, load

COPIED = {"carry.png": ("addition", "addition-elman", "carry.png", 48),
          "attention.png": ("translation", "translation-attention", "attention_1.png", 16)}
ROW = ("asr", "asr-tdnn", "rescored")
_WIDTH, _WAVE, _LINE, _EDGE = 900, 110, 34, 104  # of the picture, in its own units
_VOICE = re.compile(r"espeak-ng ([\w-]+)\+([\w-]+), pitch (\d+), (\d+) words a minute")


def draw_showpieces(suite: Suite, folder: Path) -> None:
    """Write the pictures of an embedded suite that has been trained into `folder`.

    Raises UserError where a result is not here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, (track, system, figure, colours) in COPIED.items():
        write_bytes(folder / name, with_colours(suite.places.figures(track, system) / figure,
                                                colours))
    heard, samples, rate = _heard(suite)
    write_json(folder / SENTENCE, heard)
    write_text(folder / "aligned-sentence.svg", aligned_sentence(heard, samples, rate))


def with_colours(path: Path, colours: int) -> bytes:
    """A picture as PNG with so few colours, which makes it small."""
    if not path.is_file():
        raise UserError(f"{path} is not here; 'unrolled repro' draws it")
    with io.BytesIO() as written:
        with Image.open(path) as image:
            image.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(
                written, "PNG", optimize=True)
        return written.getvalue()


def _heard(suite: Suite) -> tuple[Heard, NDArray[np.float32], int]:
    """The longest sentence that the row understood without an error, and its recording."""
    track, system, variant = ROW
    best, text = _understood(suite)
    data = suite.places.data(suite.track(track).corpus)
    name = best["id"].rpartition("/")[2]
    path = next(data.rglob(f"{name}.flac"), None)
    if path is None:
        raise UserError(f"the recording {name}.flac is not below {data}; 'dvc repro' makes it")
    samples, rate = soundfile.read(path, dtype="float32")
    voice = _voice(data, name.partition("-")[0])
    spoken = read_aloud(text.lower(), voice)
    if abs(len(spoken.samples) / RATE - len(samples) / rate) > 0.001:
        raise UserError(f"{path} is no recording of the voice that SPEAKERS.TXT names; make the "
                        "corpus again")
    words = best["words"]
    return Heard(suite=suite.name, track=track, row=f"{system}:{variant}", id=best["id"], text=text,
                 voice={"accent": voice.accent, "variant": voice.variant, "pitch": voice.pitch,
                        "pitch_range": voice.pitch_range,
                        "words_per_minute": voice.words_per_minute},
                 words=[word["word"] for word in words], begins=[word["begin"] for word in words],
                 ends=[word["end"] for word in words]), samples, rate


def _understood(suite: Suite) -> tuple[Prediction, str]:
    """The row's answer of most words that has no error, and its text."""
    track, system, variant = ROW
    items = read_shaped(suite.places.test(track) / "test.items.json", list[dict[str, str]])
    said = {item["id"]: item["reference"] for item in items if item["condition"] == "clean"}
    answers = rows_of(read_table(suite.places.answers(track, system, variant), "evaluate again"))
    right = [answer for answer in answers if answer["hypothesis"] == said.get(answer["id"])]
    if not right:
        raise UserError(f"{system}:{variant} understood no sentence of {track}; train it again")
    best = max(right, key=lambda answer: len(answer["words"]))
    return best, said[best["id"]]


def _voice(data: Path, speaker: str) -> Voice:
    path = next(data.rglob("SPEAKERS.TXT"), data / "SPEAKERS.TXT")
    for line in read_text(path).splitlines():
        found = _VOICE.search(line)
        if line.partition("|")[0].strip() == speaker and found:
            return Voice(found[1], found[2], int(found[3]), 50, int(found[4]))
    raise UserError(f"{path} names no voice of speaker {speaker}")


def aligned_sentence(heard: Heard, samples: NDArray[np.float32], rate: int) -> str:
    """An SVG: the wave of the recording, and below it what was said and what was understood when.

    `samples` [n] are at `rate` Hz.
    """
    seconds = len(samples) / rate
    reading = read_aloud(heard["text"].lower(), Voice(**heard["voice"]))
    found = list(zip(heard["words"], heard["begins"], heard["ends"], strict=True))
    height = _WAVE + 2 * (_LINE + 8) + 44
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="14">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<path d="{_wave(samples)}" fill="#0072b2"/>',
        *_words("said", spoken_words(reading), _WAVE + 8, seconds, "#e8f1f8"),
        *_words("understood", found, _WAVE + 16 + _LINE, seconds, "#e3f3ec"),
        *_axis(height, seconds), "</svg>"]) + "\n"


def _place(time: float, seconds: float) -> float:
    return round(_EDGE + (_WIDTH - _EDGE - 10) * time / seconds, 1)


def _wave(samples: NDArray[np.float32]) -> str:
    """The outline of the loudest samples of each point in time."""
    columns = np.array_split(samples, (_WIDTH - _EDGE - 10) // 2)
    middle, scale = _WAVE / 2, 0.46 * _WAVE / float(np.abs(samples).max())
    xs = [_EDGE + 2 * place for place in range(len(columns))]
    above = [f"{x} {middle - scale * float(part.max()):.1f}" for x, part in
             zip(xs, columns, strict=True)]
    below = [f"{x} {middle - scale * float(part.min()):.1f}" for x, part in
             zip(xs, columns, strict=True)]
    return f"M{'L'.join([*above, *reversed(below)])}Z"


def _words(name: str, words: Sequence[Timed], top: int, seconds: float, fill: str) -> Iterator[str]:
    yield (f'<text x="{_EDGE - 8}" y="{top + 22}" text-anchor="end" fill="#444">{name}</text>')
    for word, begin, end in words:
        left, right = _place(begin, seconds), _place(end, seconds)
        yield (f'<rect x="{left}" y="{top}" width="{right - left:.1f}" height="{_LINE}" '
               f'fill="{fill}" stroke="#555"/>')
        yield (f'<text x="{(left + right) / 2:.1f}" y="{top + 22}" text-anchor="middle" '
               f'fill="#111">{escape(word)}</text>')


def _axis(height: int, seconds: float) -> Iterator[str]:
    for tenth in range(0, int(10 * seconds) + 1, 2):
        x = _place(tenth / 10, seconds)
        yield f'<path d="M{x} {height - 42}v6" stroke="#555"/>'
        yield (f'<text x="{x}" y="{height - 20}" text-anchor="middle" fill="#444" '
               f'font-size="12">{tenth / 10:g}</text>')
    yield (f'<text x="{_WIDTH / 2}" y="{height - 4}" text-anchor="middle" fill="#444" '
           'font-size="12">time, s</text>')


def main() -> None:
    draw_showpieces(load(Path("params.yaml")), Path(FOLDER))


if __name__ == "__main__":
    run_command(main)
