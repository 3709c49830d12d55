"""Rank a track's rows from its metrics."""

from pipeline.ending import run_command


def main() -> None:
    from stages.arguments import stage_arguments

    arguments = stage_arguments("track")
    from pipeline.provenance.inputs import read_suite
    from pipeline.results.leaderboard import write_leaderboard

    write_leaderboard(read_suite(arguments.places, "leaderboard", arguments.key), arguments.key)


if __name__ == "__main__":
    run_command(main)
