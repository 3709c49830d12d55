"""Let a trained language model write: `python -m pipeline.commands.generate params.yaml SYSTEM`.

Prints texts that go on from a prompt. The same seed gives the same texts.
"""

import argparse
from pathlib import Path

from pipeline.errors import UserError, run_command
from pipeline.suite.schema import load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("params", type=Path, help="the suite's params.yaml")
    parser.add_argument("system", help="a trained language model of the suite")
    parser.add_argument("--prompt", default="", help="text to go on from (default: none)")
    parser.add_argument("--count", type=int, default=1, help="number of texts")
    parser.add_argument("--length", type=int, default=100, help="words or characters of each")
    parser.add_argument("--temperature", type=float, default=1.0,
                        help="below 1 the model dares less; 0 always takes the best")
    parser.add_argument("--top-k", type=int, default=0,
                        help="draw from the K best only; 0 draws from all")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    suite = load(arguments.params)
    settings = suite.system(arguments.system)
    from pipeline.systems.base import system_class

    kind = system_class(settings.task, settings.model)
    if not hasattr(kind, "sample_texts"):
        raise UserError(f"{arguments.system} does not write text; a language model that is a "
                        "network does")
    system = kind.load(suite.places.model(arguments.system))
    texts = system.sample_texts(arguments.prompt, arguments.count, arguments.length,
                                arguments.temperature, arguments.top_k, arguments.seed)
    print("\n\n".join(text.strip("\n") for text in texts))


if __name__ == "__main__":
    run_command(main)
