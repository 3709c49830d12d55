"""Judge the claims and write the page over all tracks."""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments()
    from pipeline.config import load
    from pipeline.report import write_report

    write_report(load(arguments.params), arguments.root)


if __name__ == "__main__":
    from pipeline.errors import run_command

    run_command(main)
