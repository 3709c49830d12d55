"""Sound files decoded once for all: whatever libsndfile reads, whole, finite and of bounded length.

A file is read in blocks from its beginning to its end, never by the length that its header tells:
a recorder that wrote into a pipe could not go back and tell it. A header that promises more than
there is betrays a file that was cut, and is refused, but for the largest number that it can hold,
which recorders into pipes leave there.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.errors import UserError

LONGEST = 1800  # seconds
MOST = 2**27  # samples of a channel, half a gigabyte
SLOWEST, FASTEST = 1000, 2**20  # samples a second
LOUDEST = 8.0  # full scale is 1; programs that write floats exceed it a little
_BLOCK = 2**20  # samples of all channels
_UNKNOWN = 2**31 - 2**16  # a length in bytes from here on says that none is known
_MP3_DELAY = 4 * 1152  # samples that an encoder may add and a decoder take away
# libsndfile tells such things in its log alone.
_PROMISE = re.compile(r"(?:data|SSND|Data Size|riff) *: (\d+) \(should be (\d+)\)")
_COUNT = re.compile(r"frame count (\d+) does not match value from 'ds64' chunk of (\d+)")
_NIST_COUNT = re.compile(rb"sample_count -i (\d+)\n")
_LOST = re.compile(r"\*\*\* Unknown chunk marker")


class Decoded(NamedTuple):
    """The mean of the channels, [samples], the file's rate in Hz, and its number of channels."""

    samples: NDArray[np.float32]
    rate: int
    channels: int


class _Stream(soundfile.SoundFile):
    """Read forwards alone: after each block soundfile would look for the end, if there is one."""

    def seekable(self) -> bool:
        return False


def decoded(path: Path, name: str) -> Decoded:
    """Raises UserError naming the file, by `name`, that is no sound, or not all of it, is too long,
    of a rate that no recorder has, or has a sample that is no finite number of its scale.
    """
    if not path.is_file():
        raise UserError(f"{name} is no file; name a recording")
    try:
        with _Stream(path) as file:
            _check_header(file, name)
            blocks = list(_blocks(file, name))
            samples = np.concatenate([np.zeros(0, np.float32), *blocks])
            _check_whole(file, path, len(samples), name)
            return Decoded(samples, file.samplerate, file.channels)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        # A TypeError is about a headerless file, whose rate and channels nobody knows.
        reason = str(error).replace(repr(str(path)), "it")
        raise UserError(f"{name} cannot be read as audio ({reason}); give a WAV, FLAC, OGG or MP3 "
                        "file") from None


def _blocks(file: soundfile.SoundFile, name: str) -> list[NDArray[np.float32]]:
    found, count, rate = [], 0, file.samplerate
    while len(block := file.read(max(1, _BLOCK // file.channels), "float32", always_2d=True)):
        _check_samples(block, count, rate, name)
        found.append(block.mean(axis=1))
        count += len(block)
        if count > min(LONGEST * rate, MOST):
            raise UserError(f"{name} is longer than {min(LONGEST, MOST // rate)} s, and no more "
                            "is read at once; cut it")
    return found


def _check_header(file: soundfile.SoundFile, name: str) -> None:
    if not SLOWEST <= file.samplerate <= FASTEST:
        raise UserError(f"{name} has {file.samplerate} samples a second, and what is read has "
                        f"{SLOWEST} to {FASTEST}; export the recording again")


def _check_samples(block: NDArray[np.float32], before: int, rate: int, name: str) -> None:
    good = (np.abs(block) <= LOUDEST).all(axis=1)  # False for what is no number too
    if not good.all():
        place = int(np.argmin(good))
        value = block[place][np.argmin(np.abs(block[place]) <= LOUDEST)]
        what = (f"is {value:g}, and full scale is 1" if np.isfinite(value)
                else "is not a finite number")
        place += before
        raise UserError(f"{name}: sample {place}, at {place / rate:.3f} s, {what}; mend the sample "
                        "or export the recording again")


def _check_whole(file: soundfile.SoundFile, path: Path, count: int, name: str) -> None:
    """Raise UserError when the header promises more than was there."""
    log = file.extra_info
    promised = [(int(wanted), int(there)) for wanted, there in _PROMISE.findall(log)
                if int(wanted) < _UNKNOWN]
    promised += [(int(wanted), int(there)) for there, wanted in _COUNT.findall(log)]
    if file.format == "MP3" and file.frames - count > _MP3_DELAY:
        promised.append((file.frames, count))
    if file.format == "NIST":
        with path.open("rb") as opened:
            promised += [(int(wanted), count) for wanted in _NIST_COUNT.findall(opened.read(1024))]
    for wanted, there in promised:
        if there < wanted:
            raise UserError(f"{name} was cut: its header promises {wanted}, and there are {there}, "
                            "bytes or samples; get or export it again")
    if _LOST.search(log):
        raise UserError(f"{name} is damaged: what follows its {count} samples is no part of a "
                        "recording; get or export it again")
