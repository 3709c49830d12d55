"""Check the whole params.yaml before any other stage runs, and write what each is made from.

Every other stage needs its list of settings and code from here, so nothing runs before the check. A
changed parameter or file makes this stage run again, and then the stages that it concerns.
"""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments()
    from pipeline.config_checks import load_valid
    from pipeline.inputs import write_inputs

    suite = load_valid(arguments.params)
    write_inputs(suite, arguments.root, arguments.root / suite.directory / "inputs")


if __name__ == "__main__":
    from pipeline.errors import run_command

    run_command(main)
