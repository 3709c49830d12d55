"""Turn a track's corpus into what training reads (fit/) and what evaluation reads (test/)."""

from pipeline.ending import run_command


def main() -> None:
    from stages.arguments import stage_arguments

    arguments = stage_arguments("track")
    from pipeline.running.extraction import extract_features

    extract_features(arguments.places, arguments.key)


if __name__ == "__main__":
    run_command(main)
