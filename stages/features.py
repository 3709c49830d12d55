"""Turn a track's corpus into what training reads (fit/) and what evaluation reads (test/)."""

from stages.arguments import stage_arguments


def main() -> None:
    arguments = stage_arguments("track")
    from pipeline.running.extraction import extract_features

    extract_features(arguments.places, arguments.key)


if __name__ == "__main__":
    from pipeline.ending import run_command

    run_command(main)
