"""Composing and captioning in batches beside one piece or one picture at a time.

The systems must have been trained: `dvc repro train@<system>`.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.timing import ROOT, compare
from pipeline.ending import run_command
from pipeline.errors import UserError
from pipeline.storage.arrays import read_array
from pipeline.suite.schema import load
from pipeline.systems.base import System, system_class
from pipeline.tasks.caption.shared.captioner import PICTURES_AT_ONCE, Captioner
from pipeline.tasks.music.shared.composing import Composing, compose
from pipeline.tasks.music.shared.roll_model import RollModel

PIECES, STEPS = 32, 64

Generate = Callable[[int], list]  # everything, so many at once


def composing(system: RollModel) -> tuple[Generate, int]:
    """Pieces that begin alike and take the likeliest notes, and how many."""
    def generate(at_once: int) -> list:
        return [roll.tolist() for _ in range(PIECES // at_once)
                for roll in compose(
                    system, Composing(at_once, STEPS, 0.0, opening=[48, 60, 64, 67]))]

    return generate, PIECES


def captioning(system: Captioner, track: str) -> tuple[Generate, int]:
    """Sentences about as many test pictures as a batch holds, by the system's last variant."""
    pictures = read_array(ROOT / "features" / track / "test" / "test.pictures.npy")
    chosen = torch.from_numpy(np.array(pictures[:PICTURES_AT_ONCE]))
    variant = list(system.settings.variants.values())[-1]

    def generate(at_once: int) -> list:
        return [words for part in chosen.split(at_once) for words in system.describe(part, variant)]

    return generate, len(chosen)


def generator(key: str) -> tuple[Generate, int]:
    """What a trained system of the embedded suite generates, and how much of it."""
    suite = load(ROOT / "params.yaml")
    entry = suite.systems[key]
    system: System = system_class(suite.task_of(key), entry["model"]).load(
        suite.places.model(key))
    if isinstance(system, RollModel):
        return composing(system)
    if isinstance(system, Captioner):
        system.eval()
        return captioning(system, entry["track"])
    raise UserError(f"{key} neither composes nor writes captions")


def compare_ways(key: str, generate: Generate, count: int, rounds: int) -> None:
    """Print whether both ways generate the same, and how fast each is."""
    same = sum(a == b for a, b in zip(generate(count), generate(1), strict=True))
    print(f"{key}: {same} of {count} are the same")
    compare(lambda: generate(count), lambda: generate(1), rounds,
            f"{count} at once", "one at a time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", nargs="*",
                        default=["music-lstm", "music-time-note", "caption-attention"])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for key in arguments.systems:
        compare_ways(key, *generator(key), arguments.rounds)


if __name__ == "__main__":
    run_command(main)
