"""The test items, out of their corpus: recordings as they are, and phones cut into files."""

import shutil
from pathlib import Path

import numpy as np
import soundfile

from pipeline.storage.files import read_json
from pipeline.tasks.words.own import SUFFIXES


def write_raw(test: Path, folder: Path, corpus: Path) -> list[Path]:
    """A file for each test item; their names have the order of the items."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = read_json(test.parent / "fit" / "spec.json")
    recordings = {path.stem: path for path in corpus.rglob("*") if path.suffix in SUFFIXES}
    found = []
    for number, item in enumerate(read_json(test / "test.items.json")):
        path = recordings.get(item["id"])
        target = folder / f"recording-{number:05d}"
        if path is not None:
            found.append(Path(shutil.copy(path, target.with_suffix(path.suffix))))
            continue
        utterance, _, place = item["id"].rpartition("-")
        found.append(target.with_suffix(".wav"))
        cut_out(recordings[utterance], int(place), spec, found[-1])
    return found


def cut_out(recording: Path, place: int, spec: dict, target: Path) -> None:
    """Write what is heard of phone `place`, with silence where the recording has none."""
    samples, rate = soundfile.read(recording, dtype="int16")
    times = read_json(recording.with_name(
        f"{recording.stem.rpartition('-')[0]}.alignment.json"))[recording.stem]["phones"]
    _, begin, end = [phone for phone in times if phone[0] != "SIL"][place]
    context = spec["context"]
    if "seconds" in context:
        start, stop = (begin - context["seconds"]) * rate, (end + context["seconds"]) * rate
    else:
        hop = round(spec["hop"] * rate)
        length = spec["front_end"]["dft_points"] + (context["frames"] - 1) * hop
        start = round(end * rate) - length // 2
        stop = start + length
    kept = [int(samples[at]) if 0 <= at < len(samples) else 0
            for at in range(round(start), round(stop))]
    soundfile.write(target, np.array(kept, np.int16), rate, subtype="PCM_16")
