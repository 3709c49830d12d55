"""A project of its own with a small real suite that has been run, for tests of whole commands."""

import shutil
from pathlib import Path

from pipeline.config import corpus_module, load
from pipeline.evaluation import evaluate_system
from pipeline.extraction import extract_features
from pipeline.fitting import train_system

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
    reader: m4
    metric: smape
    tolerance: 0.01
    features: {frequency: Yearly}
systems:
  simple:
    track: yearly
    task: forecast
    model: statistical
    ets: ZZZ
    variants: {naive: {method: naive}, snaive: {method: snaive}}
claims:
  - {id: a-season-helps, track: yearly, text: A season helps, source: nobody, metric: smape,
     better: "simple:snaive", worse: ["simple:naive"]}
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
    corpus_module("m4").prepare(suite.corpus("series"), base / "data" / "series", None)
    extract_features(suite, folder, "yearly")
    train_system(suite, folder, "simple", suite.seed, base / "models/simple",
                 base / "costs/yearly/simple.train.json")
    evaluate_system(suite, folder, "simple", base / "models/simple", base)
    return folder
