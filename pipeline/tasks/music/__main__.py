"""Let a trained network compose: `python -m pipeline.tasks.music params.yaml SYSTEM`.

Writes each piece as a MIDI file and as a WAV file. The same seed gives the same pieces.
"""

import argparse
from pathlib import Path

from pipeline.errors import UserError, run_command
from pipeline.suite.schema import load
from pipeline.systems.base import system_class
from pipeline.tasks.music.figures import write_pieces
from pipeline.tasks.music.shared.composing import compose
from pipeline.tasks.music.shared.roll_model import RollModel


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pipeline.tasks.music",
                                     description=__doc__.partition("\n")[0])
    parser.add_argument("params", type=Path, help="the suite's params.yaml")
    parser.add_argument("system", help="a trained network of one of its music tracks")
    parser.add_argument("--out", type=Path, default=Path("compositions"),
                        help="folder for the pieces (default: compositions)")
    parser.add_argument("--count", type=int, default=1, help="number of pieces")
    parser.add_argument("--steps", type=int, default=64, help="quarter notes of each")
    parser.add_argument("--temperature", type=float, default=1.0,
                        help="below 1 the model dares less; 0 always takes what is likelier")
    parser.add_argument("--opening", type=int, nargs="*", metavar="PITCH",
                        help="MIDI pitches of the first step (default: as a training piece opens)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    suite = load(arguments.params)
    settings = suite.system(arguments.system)
    kind = system_class(settings.task, settings.model)
    if not issubclass(kind, RollModel):
        raise UserError(f"{arguments.system} does not compose; a network of a music track does")
    system = kind.load(suite.places.model(arguments.system))
    rolls = compose(system, arguments.count, arguments.steps, arguments.temperature,
                    arguments.seed, arguments.opening)
    for path in write_pieces(rolls, arguments.out):
        print(path)


if __name__ == "__main__":
    run_command(main)
