"""Check the whole params.yaml before any other stage runs, and write what each is made from.

Every other stage has its settings and the list of its code from here, so nothing runs before the
check. A changed parameter or file makes this stage run again, and then the stages that it concerns.
"""

from pipeline.ending import run_command


def main() -> None:
    from stages.arguments import stage_arguments

    arguments = stage_arguments()
    from pipeline.provenance.inputs import write_inputs
    from pipeline.suite.checks import doubts, load_valid

    suite = load_valid(arguments.params)
    for doubt in doubts(suite):
        print(f"warning: {arguments.params}: {doubt}")
    write_inputs(suite)


if __name__ == "__main__":
    run_command(main)
