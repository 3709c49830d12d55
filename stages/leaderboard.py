"""Rank a track's rows from its metrics."""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments("track")
    from pipeline.config import load
    from pipeline.leaderboard import write_leaderboard

    write_leaderboard(load(arguments.params), arguments.root, arguments.key)


if __name__ == "__main__":
    from pipeline.errors import run_command

    run_command(main)
