"""Let one trained system answer the test items, and score its answers from their file."""

from pipeline.ending import run_command


def main() -> None:
    from stages.arguments import stage_arguments

    arguments = stage_arguments("system")
    from pipeline.running.evaluation import evaluate_system

    evaluate_system(arguments.places, arguments.key, out=arguments.places)


if __name__ == "__main__":
    run_command(main)
