"""Utterances of five words, drawn state by state from Gaussians: what recognisers learn at once.

They are features folders as the features stage writes them. Frames are drawn as cepstra, and what
is written are the mels that give these, so that a speaker's voice can be any map of cepstra.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipeline.audio.frames import write_frames
from pipeline.hmm.phones import Monophones
from pipeline.storage.files import read_json, write_json
from pipeline.tasks.asr.shared.acoustics import topology
from pipeline.tasks.asr.shared.cepstra import cosines

LEXICON = {"NO": [["N", "OW"]], "ONE": [["W", "AH", "N"]], "SIX": [["S", "IH", "K", "S"]],
           "TEN": [["T", "EH", "N"]], "TWO": [["T", "UW"]]}
WORDS = sorted(LEXICON)
SIZE = 6
CENTRES = np.random.default_rng(0).normal(0, 2, (sum(topology().lengths.values()), SIZE))
TIED = Monophones.of(topology())
SPEC = {"dimension": SIZE, "symbols": list(" EINOSTWX"), "mean": [0.0] * SIZE,
        "deviation": [2.0] * SIZE, "normalise": "none",
        "front_end": {"kind": "log-mel", "hop_ms": 10.0}}
Voice = Callable[[np.ndarray], np.ndarray]


def chain(text: str) -> list[int]:
    """The states of a text between two silences."""
    phones = ["SIL", *(phone for word in text.split() for phone in LEXICON[word][0]), "SIL"]
    return [state for phone in phones for state in TIED.states("SIL", phone, "SIL")]


def drawn(text: str, random: np.random.Generator) -> np.ndarray:
    """Cepstra of an utterance, two to four frames of each state."""
    states = chain(text)
    path = np.repeat(states, random.integers(2, 5, len(states)))
    return random.normal(CENTRES[path], 0.7)


def some_text(random: np.random.Generator) -> str:
    return " ".join(random.choice(WORDS, random.integers(2, 5)))


def write_split(folder: Path, split: str, items: Sequence[tuple[str, str, np.ndarray]]) -> None:
    """Write items of speaker, text and cepstra as a split."""
    folder.mkdir(parents=True, exist_ok=True)
    inverse = cosines(SIZE, SIZE).T
    write_frames(folder, split, [(cepstra @ inverse).astype(np.float32)
                                 for _, _, cepstra in items])
    key = "reference" if split == "test" else "text"
    write_json(folder / f"{split}.items.json",
               [{"id": f"{split}{number}", "condition": "clean", "speaker": speaker, key: text}
                for number, (speaker, text, _) in enumerate(items)])


def write_corpus(folder: Path, voices: dict[str, Voice], sizes: dict[str, int]) -> Path:
    """Write `sizes` utterances of each split; of test items, `voices` have as many each."""
    random = np.random.default_rng(1)
    for split, count in sizes.items():
        items = []
        for number in range(count):
            text = some_text(random)
            names = sorted(voices) if split == "test" else ["s1", "s2"]
            speaker = names[number % len(names)]
            voice = voices[speaker] if split == "test" else lambda cepstra: cepstra
            items.append((speaker, text, voice(drawn(text, random))))
        write_split(folder / ("test" if split == "test" else "fit"), split, items)
    write_json(folder / "fit" / "lexicon.json", LEXICON)
    write_json(folder / "fit" / "spec.json", SPEC)
    return folder


def turned(cepstra: np.ndarray) -> np.ndarray:
    """A voice that mixes all coefficients, which no mean and deviation put right."""
    angle = 0.9
    rotation = np.eye(SIZE)
    for one in range(0, SIZE - 1, 2):
        turn = np.eye(SIZE)
        turn[one : one + 2, one : one + 2] = [[np.cos(angle), -np.sin(angle)],
                                              [np.sin(angle), np.cos(angle)]]
        rotation = rotation @ turn
    return cepstra @ rotation.T * 1.5 + 3


def errors_of(answers: Sequence[dict], test: Path) -> int:
    """How many answers are not their reference."""
    return sum(answer["hypothesis"] != item["reference"] for answer, item in
               zip(answers, read_json(test / "test.items.json"), strict=True))
