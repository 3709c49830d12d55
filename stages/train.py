"""Fit one system on its track's training data; curves go live to the tracking server."""

from pipeline.ending import run_command


def main() -> None:
    from stages.arguments import stage_arguments

    arguments = stage_arguments("system")
    from pipeline.running.fitting import train_system
    from pipeline.running.memory import keep_freed_memory
    from pipeline.tracking.store import live_logger

    keep_freed_memory()
    places = arguments.places
    train_system(places, arguments.key, out=places, logger=live_logger(places, arguments.key))


if __name__ == "__main__":
    run_command(main)
