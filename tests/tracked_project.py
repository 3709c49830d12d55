"""A small trained project with one track and two systems, as the stages leave it on disk.

Its dvc.lock has the form that DVC 3 writes. The code and the systems are stand-ins: tracking and
publishing read files only, and import nothing that params.yaml names.
"""

import functools
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.provenance.inputs import read_row_version, version_of, write_inputs
from pipeline.provenance.lock import Lock
from pipeline.storage import predictions
from pipeline.storage.files import read_json, write_json, write_text
from pipeline.suite.places import Places
from pipeline.suite.schema import Suite, load

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 300.0  # on a busy machine
CURVE = [{"step": 10 * n, "epoch": n, "loss": 3.0 / n, "validation_loss": 0.1 + 3.0 / n}
         for n in range(1, 6)]
SUITE = {
    "evidence": "ci", "seed": 1, "threads": 1, "device": "cpu", "precision": "fp32",
    "resamples": 100, "mirror": None, "corpora": {"text": {"module": "text"}}, "claims": [],
    "tracks": {"reading": {
        "title": "Reading", "task": "reading", "corpus": "text",
        "metric": "wer", "features": {}}},
    "systems": {
        "recurrent": {"track": "reading", "model": "recurrent", "hidden": 64,
                      "settings_tried": 3, "training": {"epochs": 5, "learning_rate": 0.1},
                      "variants": {"greedy": {"width": 1}, "beam": {"width": 8}}},
        "counting": {"track": "reading", "model": "counting", "order": 5},
    },
}


# What a stage's module would be, and one that a training uses.
MODULES = {
    "pipeline/common.py": "RATE = 1\n",
    "pipeline/corpora/text.py": "",
    "pipeline/running/extraction.py": "",
    "pipeline/running/evaluation.py": "",
    "pipeline/results/leaderboard.py": "",
    "pipeline/results/report.py": "",
    "pipeline/systems/fitting.py": "import pipeline.common\n",
    **{f"pipeline/tasks/reading/{part}.py": "" for part in ("features", "scoring", "figures")},
    **{f"pipeline/tasks/reading/systems/{model}.py": f"NAME = {model!r}\n"
       for model in ("recurrent", "counting")},
}


def make_project(root: Path, suite: str = "") -> Suite:
    """Code, settings, features and what `validate` writes; nothing is trained."""
    for name, source in MODULES.items():
        write_text(root / name, source)
    write_text(root / suite / "features" / "reading" / "fit" / "spec.json", "{}\n")
    return save_suite(root, {"root": ".." if suite else ".", "suite": suite, **SUITE})


def save_suite(root: Path, content: dict[str, Any]) -> Suite:
    """Write params.yaml, and what each stage is made from by it."""
    path = root / content["suite"] / "params.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    YAML().dump(content, path)
    suite = load(path)
    write_inputs(suite)
    return suite


def train(suite: Suite, key: str) -> None:
    """Write what the train stage writes, and its part of dvc.lock."""
    places, track = suite.places, suite.track_of(key)
    curve = CURVE if key == "recurrent" else []
    version = version_of(places, key)
    write_json(places.model(key) / "record.json", {"parameters": 1234, "curve": curve})
    write_json(places.cost(track, key, "train"), {
        "seconds": 12.5, "peak_memory_bytes": 1000, "threads": 1, "processor": "a processor",
        "precision": "fp32", "version": asdict(version), "commit": "0" * 40})
    inputs = places.input("train", key)
    lock(suite, f"train@{key}", {places.fit(track): version.data, inputs: md5(inputs)},
         {places.model(key): f"{2 * version.hash}.dir"})


def evaluate(suite: Suite, key: str, wer: float = 10.0, interval: bool = True) -> None:
    """Write what the evaluate stage writes, and its part of dvc.lock."""
    def bound(value: float) -> float | None:
        return value if interval else None

    places, track = suite.places, suite.track_of(key)
    model = places.model(key)
    variants = {variant: {
        "metrics": {"wer": {"value": wer + n, "low": bound(wer + n - 1),
                            "high": bound(wer + n + 1)}},
        "n_items": 40, "clusters": 40, "signature": {"wer": "jiwer"},
    } for n, variant in enumerate(suite.rows_of(key))}
    metrics = places.metrics(track, key)
    write_json(metrics, {
        "version": read_row_version(places, key),
        "track": track, "task": "reading", "system": key, "corpus": "text", "parameters": 1234,
        "ceiling": {"wer": 0.5}, "settings_tried": 3, "variants": variants})
    write_json(places.cost(track, key, "evaluate"), {
        "seconds": 0.5, "peak_memory_bytes": 500, "threads": 1, "processor": "a processor"})
    for variant in variants:
        predictions.write(places.answers(track, key, variant),
                          [{"id": f"{n:03}", "text": f"größe {n}"} for n in range(40)])
    write_text(places.figures(track, key) / "errors.txt", f"REF a\nHYP {key}\n")
    trained = Lock(places).digest(f"train@{key}", "outs", model)
    lock(suite, f"evaluate@{key}", {model: trained}, {metrics: md5(metrics)})


def lock(suite: Suite, stage: str, deps: dict[Path, str | None],
         outs: dict[Path, str | None]) -> None:
    path, root = suite.places.lock, suite.places.root
    content = YAML(typ="safe").load(path) if path.exists() else {"schema": "2.0", "stages": {}}
    content["stages"][stage] = {
        "cmd": "python -m stages.x",
        **{kind: [{"path": file.relative_to(root).as_posix(), "hash": "md5", "md5": digest}
                  for file, digest in found.items()]
           for kind, found in (("deps", deps), ("outs", outs))}}
    YAML().dump(content, path)


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@functools.cache
def _created() -> bytes:
    from pipeline.tracking.store import TrackingStore

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        TrackingStore(f"sqlite:///{path}", Places(Path(folder)))
        return path.read_bytes()


def empty_store(path: Path) -> str:
    """A SQLite store without runs, and its URI; MLflow takes two seconds to make the tables."""
    path.write_bytes(_created())
    return f"sqlite:///{path}"


def contents(uri: str) -> dict[str, Any]:
    """Everything that a store shows: experiment -> run name -> params, tags, points, artifacts."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found: dict[str, Any] = {}
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            points = {name: [(point.step, point.value)
                             for point in client.get_metric_history(run.info.run_id, name)]
                      for name in run.data.metrics}
            shown = {"id": run.info.run_id, "status": run.info.status, "params": run.data.params,
                     "tags": run.data.tags, "points": points,
                     "artifacts": sorted(artifacts(client, run.info.run_id))}
            runs = found.setdefault(experiment.name, {})
            runs.setdefault(run.info.run_name, []).append(shown)
    return found


def artifacts(client: Any, run: str, folder: str | None = None) -> Iterator[str]:
    for entry in client.list_artifacts(run, folder):
        if entry.is_dir:
            yield from artifacts(client, run, entry.path)
        else:
            yield entry.path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def tracking_server(folder: Path) -> Iterator[str]:
    """A real MLflow server on loopback, over a store in `folder`; yields its URI."""
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
             "--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'server.db'}",
             "--artifacts-destination", str(folder / "artifacts")],
            stdout=log, stderr=log, cwd=folder, start_new_session=True,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"})
    try:
        wait_for(f"{uri}/health", server, folder / "server.log")
        yield uri
    finally:
        # Its store is thrown away with it, and a gentle end takes ten seconds.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(f"the server does not answer: {log.read_text()}")


LIVE = """
import json, sys
from pathlib import Path
from pipeline.suite.schema import load
from pipeline.tracking.store import live_logger
root, curve = Path(sys.argv[1]), json.loads(sys.argv[2])
logger = live_logger(load(root / "params.yaml").places, "recurrent")
for point in curve:
    step = point.pop("step")
    logger.log_metrics(point, step=step)
    print(step, flush=True)
    sys.stdin.readline()
"""


def live_training(root: Path, uri: str, curve: list[dict[str, float]]) -> subprocess.Popen[str]:
    """A process that logs the curve live: after each point it prints its step and waits."""
    return subprocess.Popen([sys.executable, "-c", LIVE, str(root), json.dumps(curve)],
                            cwd=ROOT, env=os.environ | {"MLFLOW_TRACKING_URI": uri}, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def killed_and_resumed(root: Path, uri: str) -> None:
    """Log 3 of 5 points, die by SIGKILL, go on from a checkpoint that has only the first."""
    first = live_training(root, uri, CURVE)
    for step in (10, 20, 30):
        assert first.stdout.readline() == f"{step}\n"
        if step < 30:
            first.stdin.write("\n")
            first.stdin.flush()
    first.kill()
    first.communicate()
    second = live_training(root, uri, CURVE[1:])
    output, _ = second.communicate("\n" * len(CURVE))
    assert second.returncode == 0
    assert output.split() == ["20", "30", "40", "50"]


def curve_points() -> dict[str, list[tuple[int, float]]]:
    """The points that a complete run shows for `CURVE`."""
    return {f"training/{name}": [(point["step"], point[name]) for point in CURVE]
            for name in ("epoch", "loss", "validation_loss")}


def recorded(suite: Suite, key: str) -> str:
    return read_json(suite.places.cost(suite.track_of(key), key, "train"))["version"]["hash"]
