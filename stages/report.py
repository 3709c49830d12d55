"""Judge the claims and write the page over all tracks."""

from pipeline.ending import run_command


def main() -> None:
    from stages.arguments import stage_arguments

    arguments = stage_arguments()
    from pipeline.provenance.inputs import read_suite
    from pipeline.results.report import write_report

    write_report(read_suite(arguments.places, "report"))


if __name__ == "__main__":
    run_command(main)
