"""A project of its own with a small real suite that has been run, for tests of whole commands."""

import shutil
from pathlib import Path

from pipeline.provenance.inputs import write_inputs
from pipeline.running.evaluation import evaluate_system
from pipeline.running.extraction import extract_features
from pipeline.running.fetching import fetch_corpus
from pipeline.running.fitting import train_system
from pipeline.suite.schema import load

REAL = """\
root: ..
suite: real/
evidence: run
seed: 1
threads: 1
device: cpu
precision: fp32
resamples: 100
mirror: mirror
corpora:
  series: {module: m4, frequencies: [Yearly], twin: {seed: 3, series: 12}}
tracks:
  yearly:
    title: Yearly series
    task: forecast
    corpus: series
    metric: smape
    features: {frequency: Yearly}
systems:
  simple:
    track: yearly
    model: statistical
    ets: ZZZ
    variants: {naive: {method: naive}, snaive: {method: snaive}}
claims:
  - {id: a-season-helps, track: yearly, text: A season helps, source: nobody, metric: smape,
     lecture: time series, better: "simple:snaive", worse: ["simple:naive"]}
"""


def make_project(folder: Path, root: Path) -> Path:
    """Copy the code of `root` into `folder` and run the suite `REAL` there, stage by stage."""
    for name in ("pipeline", "stages"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    base = folder / "real"
    base.mkdir(parents=True)
    (folder / "mirror").mkdir()
    (base / "params.yaml").write_text(REAL)
    suite = load(base / "params.yaml")
    write_inputs(suite)
    fetch_corpus(suite.places, "series")
    extract_features(suite.places, "yearly")
    train_system(suite.places, "simple", suite.places)
    evaluate_system(suite.places, "simple", suite.places)
    return folder
