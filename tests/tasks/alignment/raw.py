"""The test recordings as they were heard, in their margins, out of their corpus.

The suite's items know the phones that were heard, a user's text the words alone, so answers to both
are other ones; `test_own` compares them where both know the words.
"""

from pathlib import Path

import soundfile

from pipeline.audio.front_end import read_audio
from pipeline.audio.margins import with_margins
from pipeline.storage.files import read_json, write_text
from pipeline.storage.folders import files_in
from pipeline.suite.schema import load
from pipeline.tasks.alignment.features import Settings
from tests.conftest import ROOT


def write_raw(test: Path, folder: Path, corpus: Path,
              settings: Settings | None = None) -> list[Path]:
    """A recording of each test item, in the order of the items, and its text beside it.

    Without `settings` they are those of the embedded suite. Samples are written as the numbers that
    they are, since whole ones would round them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings or Settings.model_validate(
        load(ROOT / "params.yaml").tracks["alignment"].features)
    recordings = {path.stem: path for path in files_in(corpus, "**/*.flac")}
    found = []
    for number, item in enumerate(read_json(test / "test.items.json")):
        samples = read_audio(recordings[item["id"].rpartition("/")[2]], settings.front_end)
        if settings.margins is not None:
            samples, _ = with_margins(samples, settings.front_end.sample_rate, settings.margins,
                                      item["text"])
        path = folder / f"recording-{number:05d}.wav"
        soundfile.write(path, samples, settings.front_end.sample_rate, subtype="FLOAT")
        write_text(path.with_suffix(".txt"), f"{item['text']}\n")
        found.append(path)
    return found


def expected(answers: list[dict]) -> list[dict]:
    """What is the same in answers to a user's files: nothing, as the module says."""
    return [{} for _ in answers]
