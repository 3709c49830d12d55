"""Check the whole params.yaml before any other stage runs, and write which code each of them uses.

Every other stage needs its list of code from here, so nothing runs before the check. A changed
parameter or file makes only this stage run again and leaves the others to what concerns them.
"""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments()
    from pipeline.config_checks import load_valid
    from pipeline.sources import write_sources

    suite = load_valid(arguments.params)
    write_sources(suite, arguments.root, arguments.root / suite.directory / "sources")


if __name__ == "__main__":
    from pipeline.errors import run_command

    run_command(main)
