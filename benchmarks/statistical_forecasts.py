"""The classical methods over the 23,000 Yearly series of M4, each by itself and all together.

There is no peer: statsforecast does the estimation here. What is measured is what this project
adds around it, and how long a user waits.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.timing import ROOT, mirror_folder, seconds
from pipeline.ending import run_command


def main() -> None:
    # Late, because each worker process imports the main module anew.
    from pipeline.corpora import m4
    from pipeline.storage.files import read_json
    from pipeline.suite.schema import load
    from pipeline.systems.base import Run
    from pipeline.tasks.forecast import features
    from pipeline.tasks.forecast.systems.statistical import Statistical

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1, help="processes of statsforecast")
    parser.add_argument("--methods", nargs="*", help="only these, each by itself")
    arguments = parser.parse_args()
    settings = load(ROOT / "real/params.yaml").system("yearly-statistical")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test").mkdir()
        m4.prepare(m4.Settings(module="m4", frequencies=["Yearly"], twin=None), folder,
                   mirror_folder())
        features.extract(features.Settings(frequency="Yearly"), folder, m4, folder,
                         folder / "test")
        spec = read_json(folder / "spec.json")
        run = Run(seed=1, work=folder, threads=arguments.threads)

        def fit(variants: dict) -> float:
            system = Statistical(settings.model_copy(update={"variants": variants}), spec)
            return seconds(lambda: system.fit(folder, run))

        fit({"naive": settings.variants["naive"]})
        print(f"{spec['series']:,} series, {arguments.threads} process(es)")
        for method in arguments.methods or settings.variants:
            print(f"  {method}: {fit({method: settings.variants[method]}):.1f} s", flush=True)
        if not arguments.methods:
            print(f"  all together: {fit(settings.variants):.1f} s")


if __name__ == "__main__":
    run_command(main)
