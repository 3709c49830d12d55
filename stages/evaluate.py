"""Let one trained system answer the test items, and score its answers from their file."""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments("system")
    from pipeline.config import load
    from pipeline.evaluation import evaluate_system

    suite = load(arguments.params)
    base = arguments.root / suite.directory
    evaluate_system(suite, arguments.root, arguments.key, base / "models" / arguments.key, base)


if __name__ == "__main__":
    from pipeline.errors import run_command

    run_command(main)
