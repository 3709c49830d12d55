"""Check the whole params.yaml before any other stage runs, and say so in a file that they need.

The file's content never changes, so a changed parameter makes only this stage run again and
leaves the others to their own dependencies.
"""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments()
    from pipeline.config_checks import load_valid
    from pipeline.files import write_json

    suite = load_valid(arguments.params)
    write_json(arguments.root / suite.directory / "validated.json", {"params.yaml": "valid"})


if __name__ == "__main__":
    from pipeline.errors import run_command

    run_command(main)
