"""Let one trained system answer the test items, and score its answers from their file."""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments("system")
    from pipeline.running.evaluation import evaluate_system

    evaluate_system(arguments.places, arguments.key, out=arguments.places)


if __name__ == "__main__":
    from pipeline.ending import run_command

    run_command(main)
