"""A voice that reads text and says when each phoneme sounds: espeak-ng through ctypes.

`espeakng_loader` brings the library and its data, so nothing has to be installed beside Python.
espeak-ng is GPL-3: it is used to generate data, not linked into a model. It speaks by formant
synthesis and reports phoneme events, which are gold alignments for free.

espeak-ng keeps its state in C globals, and some of it (the phase of the wave, the noise) survives
its own termination, so that a sentence would sound a little different after another one. `speak`
loads the library afresh for each call, half a millisecond, and seeds its noise: the same arguments
give the same samples, whatever was spoken before.
"""

import _ctypes
import contextlib
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError

RATE = 22_050

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS, _PHONEME_EVENTS, _DONT_EXIT = 2, 0x1, 0x8000
_RATE, _PITCH, _RANGE = 1, 3, 4
_CHARACTERS_UTF8 = 1
_TERMINATED, _WORD, _PHONEME = 0, 1, 7


class _Name(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint),
                ("text_position", ctypes.c_int), ("length", ctypes.c_int),
                ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", _Name)]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
                             ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Voice:
    """How to speak: an accent (`en-us`), a variant (`m3`, `f2`, ...), pitch and pace.

    `pitch` and `pitch_range` are 0 to 99, `words_per_minute` 80 to 450.
    """

    accent: str
    variant: str
    pitch: int
    pitch_range: int
    words_per_minute: int


@dataclass(frozen=True)
class Phoneme:
    """A phoneme in espeak-ng's mnemonics ('' is a pause) and its onset in seconds."""

    name: str
    onset: float


@dataclass(frozen=True)
class Event:
    """A phoneme begins at a sample; `name` is None where a word does."""

    name: str | None
    sample: int


@dataclass(frozen=True)
class Speech:
    """Samples at 22,050 Hz, shape [n], and what espeak-ng reports of them, in its order."""

    samples: NDArray[np.int16]
    events: list[Event]

    @property
    def phonemes(self) -> list[Phoneme]:
        """The phonemes in order of onset."""
        return [Phoneme(event.name, event.sample / RATE)
                for event in self.events if event.name is not None]


def speak(text: str, voice: Voice) -> Speech:
    """Read `text` aloud. Raises UserError when espeak-ng has no such voice."""
    blocks: list[bytes] = []
    events: list[Event] = []

    def receive(samples: Any, count: int, found: Any) -> int:
        if samples and count:
            blocks.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while (event := found[index]).type != _TERMINATED:
            if event.type in (_WORD, _PHONEME):
                name = event.id.string.decode() if event.type == _PHONEME else None
                events.append(Event(name, event.sample))
            index += 1
        return 0

    callback = _CALLBACK(receive)
    with _fresh_library() as library:
        _choose(library, voice)
        library.espeak_SetSynthCallback(callback)
        content = text.encode()
        status = library.espeak_Synth(content, len(content) + 1, 0, 0, 0, _CHARACTERS_UTF8,
                                      None, None)
    if status != 0:
        raise RuntimeError(f"espeak_Synth failed with {status} for {text!r}")
    return Speech(np.frombuffer(b"".join(blocks), np.int16), events)


def _choose(library: ctypes.CDLL, voice: Voice) -> None:
    name = f"{voice.accent}+{voice.variant}"
    # An unknown variant is passed over by espeak-ng without a word.
    variant = _data() / "voices" / "!v" / voice.variant
    if not variant.is_file() or library.espeak_SetVoiceByName(name.encode()) != 0:
        raise UserError(f"espeak-ng has no voice {name!r}; its accents are the files below "
                        f"{_data() / 'lang'}, its variants those of {variant.parent}")
    for parameter, value in ((_RATE, voice.words_per_minute), (_PITCH, voice.pitch),
                             (_RANGE, voice.pitch_range)):
        library.espeak_SetParameter(parameter, value, 0)


@contextlib.contextmanager
def _fresh_library() -> Iterator[ctypes.CDLL]:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint,
        ctypes.c_uint, ctypes.POINTER(ctypes.c_uint), ctypes.c_void_p]
    library.espeak_SetSynthCallback.argtypes = [_CALLBACK]
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, str(_data().parent).encode(),
                                     _PHONEME_EVENTS | _DONT_EXIT)
    if rate != RATE:
        raise UserError(f"espeak-ng does not start from {_data()} (answer {rate}, expected "
                        f"{RATE}): install espeakng-loader again, in a folder of a shorter path")
    library.espeak_ng_SetRandSeed(1)
    try:
        yield library
    finally:
        library.espeak_Terminate()
        _ctypes.dlclose(library._handle)


def _data() -> Path:
    import espeakng_loader

    return Path(espeakng_loader.get_data_path())
