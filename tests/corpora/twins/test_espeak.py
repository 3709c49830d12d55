"""The synthetic voice: the same samples for the same arguments, and phonemes where they sound."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.twins.espeak import RATE, Voice, speak
from pipeline.errors import UserError

ANNA = Voice("en-us", "f2", pitch=60, pitch_range=50, words_per_minute=200)
BEN = Voice("en-gb-scotland", "m3", pitch=40, pitch_range=50, words_per_minute=260)


def test_what_was_spoken_before_changes_nothing() -> None:
    first = speak("she sells fish", ANNA)
    for voice in (BEN, ANNA):
        speak("thick fog covers the hills", voice)
        again = speak("she sells fish", ANNA)
        np.testing.assert_array_equal(again.samples, first.samples)
        assert again.phonemes == first.phonemes


def test_another_process_gives_the_same_samples(root: Path) -> None:
    program = ("import sys, hashlib\n"
               "from tests.corpora.twins.test_espeak import BEN, speak\n"
               "print(hashlib.sha256(speak('she sells fish', BEN).samples.tobytes()).hexdigest())")
    runs = {subprocess.run([sys.executable, "-c", program], cwd=root, check=True,
                           capture_output=True).stdout for _ in range(2)}
    assert len(runs) == 1


def test_phonemes_are_those_of_the_words_in_order() -> None:
    speech = speak("she sells fish", ANNA)
    # espeak-ng's mnemonics for /Si: sElz fIS/; ' and , mark stress, _ pauses.
    names = [item.name.strip("',") for item in speech.phonemes]
    assert [name for name in names if not name.startswith("_")] == [
        "S", "i:", "s", "E", "l", "z", "f", "I", "S"]
    onsets = [item.onset for item in speech.phonemes]
    assert onsets == sorted(onsets) and onsets[0] >= 0 and onsets[-1] <= len(speech.samples) / RATE


def test_onsets_are_where_the_sound_changes() -> None:
    """Between the onset of the vowel of "saw" and its end there is voice; in [s] there is hiss."""
    speech = speak("saw", BEN)
    times = {item.name.strip("',"): item.onset for item in speech.phonemes}
    vowel = next(name for name in times if name.startswith("O"))
    end = min(onset for onset in times.values() if onset > times[vowel])

    def crossings(start: float, stop: float) -> float:
        piece = speech.samples[int(start * RATE):int(stop * RATE)].astype(int)
        return float(np.mean(np.sign(piece[1:]) != np.sign(piece[:-1])))

    assert crossings(times["s"], times[vowel]) > 3 * crossings(times[vowel], end)


def test_voices_pitch_and_pace_are_heard() -> None:
    sentence = "the farmer sold the old horse"
    assert len(speak(sentence, BEN).samples) < len(speak(sentence, ANNA).samples)
    high = Voice("en-us", "f2", pitch=90, pitch_range=50, words_per_minute=200)
    spectrum = [np.abs(np.fft.rfft(speak("ah", voice).samples, RATE)) for voice in (ANNA, high)]
    fundamental = [int(np.argmax(each[60:500])) + 60 for each in spectrum]
    assert fundamental[1] > 1.1 * fundamental[0]


@pytest.mark.parametrize("accent, variant", [("en-us", "m99"), ("xx-nowhere", "m1")])
def test_an_unknown_voice_is_named(accent: str, variant: str) -> None:
    with pytest.raises(UserError, match=f"no voice '{accent}.{variant}'"):
        speak("hello", Voice(accent, variant, 50, 50, 200))
