"""`python -m pipeline` is the command `unrolled`.

Hardly anything is imported before a stop is understood: whoever presses Ctrl-C at once sees where
nothing was.
"""

from pipeline.ending import run_command


def main() -> None:
    run_command(_main)


def _main() -> None:
    from pipeline.commands.main import main

    main()


if __name__ == "__main__":
    main()
