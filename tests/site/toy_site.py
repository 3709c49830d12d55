"""A small project with results of two tracks, as stages would leave them, for tests of its pages.

`yearly` is the track of `tests.toy_suite`, with forecasts; `recall` has answers that are text, one
of which would be a script if a page did not escape it.
"""

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from pipeline.results.leaderboard import write_leaderboard
from pipeline.results.report import write_report
from pipeline.results.studies import Study, write_study
from pipeline.scoring.scores import ItemStatistics
from pipeline.site.bundle import FILES, kept
from pipeline.storage import predictions
from pipeline.storage.files import write_bytes, write_json, write_text
from pipeline.storage.seal import seal
from pipeline.suite.places import Places
from pipeline.suite.schema import Suite
from tests.conftest import ROOT
from tests.toy_suite import ERRORS, VERSION, toy_suite, write_results

SCRIPT = "<script>document.title = 'taken over'</script>"
ANSWERS = {"memory-a": ["a", "b", SCRIPT, "d"], "memory-b": ["a", "b", "c", "c"]}
RIGHT = ["a", "b", "c", "d"]
_STUDY: Study = {
    "track": "yearly", "system": "network", "setting": "training.epochs", "stands": 2,
    "measure": "loss", "version": VERSION, "points": [
        {"value": value, "scores": {"plain": {"value": 1 / value, "low": None, "high": None}},
         "counts": {}, "parameters": 7} for value in (1, 2)]}


def site_suite(project: Path) -> Suite:
    """The suite with all results, in a project's folder that has the code of this one."""
    suite = toy_suite(project, systems={
        "smooth": {"track": "yearly", "model": "statistical", "ets": "ZZZ", "settings_tried": 2,
                   "variants": {"ses": {"method": "ses"}, "holt": {"method": "holt"}}},
        "network": {"track": "yearly", "model": "esrnn", "settings_tried": 2, "training": {}},
        **{key: {"track": "recall", "model": "constant"} for key in ANSWERS}})
    tracks = {**suite.tracks, "recall": suite.tracks["yearly"].model_copy(update={
        "title": "Recall & <b>more</b>", "task": "memory", "metric": "accuracy", "floor": None,
        "published": {}})}
    suite = suite.model_copy(update={"tracks": tracks}).placed(project)
    (project / "pipeline").symlink_to(ROOT / "pipeline")
    write_results(suite)
    for key, said in ANSWERS.items():
        _recall(suite, key, said)
    for row in ERRORS:
        key, _, variant = row.partition(":")
        predictions.write(suite.places.answers("yearly", key, variant), [
            {"id": f"Y{series}", "forecast": [1.0 + series, 2.0], "low": [0.5, 1.0],
             "high": [3.0 + series, 4.0]} for series in range(4)])
    for track in suite.tracks:
        write_leaderboard(suite, track)
    write_report(suite)
    write_study(suite.places, _STUDY)
    _figures(suite.places)
    return suite


def _recall(suite: Suite, key: str, said: list[str]) -> None:
    ids = [f"test-{place}" for place in range(len(said))]
    correct = np.array([float(one == right) for one, right in zip(said, RIGHT, strict=True)])
    lags = [(2, 5)[place % 2] for place in range(len(said))]  # of two ranges
    items = ItemStatistics(ids, {"correct": correct, "correct_items": np.ones(len(said)),
                                 "lag": np.array(lags, float)})
    items.write(suite.places.items("recall", key, ""))
    predictions.write(suite.places.answers("recall", key, ""), [
        {"id": identity, "answer": one} for identity, one in zip(ids, said, strict=True)])
    value = 100 * float(correct.mean())
    write_json(suite.places.metrics("recall", key), {
        "version": VERSION, "track": "recall", "task": "memory", "system": key, "corpus": "series",
        "parameters": 10, "ceiling": {}, "settings_tried": 1, "variants": {"": {
            "metrics": {"accuracy": {"value": value, "low": None, "high": None}},
            "n_items": len(said), "clusters": len(said), "signature": {}}}})
    test = suite.places.test("recall")
    write_json(test / "items.json", [
        {"id": identity, "lag": lag, "target": right}
        for identity, lag, right in zip(ids, lags, RIGHT, strict=True)])
    seal(test)


def _figures(places: Places) -> None:
    folder = places.figures("yearly", "network")
    folder.mkdir(parents=True)
    Image.new("RGB", (30, 20), "white").save(folder / "forecasts.png")
    times = np.arange(22050) / 22050
    soundfile.write(folder / "composition-1.wav", 0.1 * np.sin(440 * 2 * np.pi * times), 22050)
    write_text(folder / "samples.txt", f"{SCRIPT} & more\n")


def stub_bundle(places: Places) -> None:
    """Files in the bundle's place, for tests that look at pages and not at what scripts do."""
    for name in FILES:
        write_bytes(kept(places) / name, b"")
