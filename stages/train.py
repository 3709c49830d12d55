"""Fit one system on its track's training data; curves go live to the tracking server."""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments("system")
    from pipeline.config import load
    from pipeline.fitting import train_system
    from pipeline.memory import keep_freed_memory
    from pipeline.tracking import live_logger

    keep_freed_memory()
    suite = load(arguments.params)
    base = arguments.root / suite.directory
    track = suite.systems[arguments.key]["track"]
    train_system(suite, arguments.root, arguments.key, suite.seed,
                 model=base / "models" / arguments.key,
                 cost=base / "costs" / track / f"{arguments.key}.train.json",
                 logger=live_logger(suite, arguments.root, arguments.key))


if __name__ == "__main__":
    from pipeline.errors import run_command

    run_command(main)
