"""Judge the claims and write the page over all tracks."""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments()
    from pipeline.provenance.inputs import read_suite
    from pipeline.results.report import write_report

    write_report(read_suite(arguments.places, "report"))


if __name__ == "__main__":
    from pipeline.ending import run_command

    run_command(main)
