"""The test recordings as they were heard, in their margins, out of their corpus."""

from pathlib import Path

import soundfile

from pipeline.audio.front_end import read_audio
from pipeline.audio.margins import with_margins
from pipeline.storage.files import read_json
from pipeline.storage.folders import files_in
from pipeline.tasks.alignment.features import Settings
from pipeline.tasks.contract import OwnFile


def write_raw(test: Path, folder: Path, corpus: Path, settings: Settings) -> list[OwnFile]:
    """A recording and the text of each test item, in the order of the items.

    Samples are written as the numbers that they are, since whole ones would round them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recordings = {path.stem: path for path in files_in(corpus, "**/*.flac")}
    found = []
    for number, item in enumerate(read_json(test / "test.items.json")):
        samples = read_audio(recordings[item["id"].rpartition("/")[2]], settings.front_end)
        if settings.margins is not None:
            samples, _ = with_margins(samples, settings.front_end.sample_rate, settings.margins,
                                      item["text"])
        path = folder / f"recording-{number:05d}.wav"
        soundfile.write(path, samples, settings.front_end.sample_rate, subtype="FLOAT")
        found.append(OwnFile(str(path), path, item["text"]))
    return found
