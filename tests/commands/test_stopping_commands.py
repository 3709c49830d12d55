"""Each verb that starts processes, stopped in each way: all of them end, with a plain line."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.commands.main import app
from tests.commands.test_stopping import CODES, ORPHANED_SECONDS, PATIENCE_SECONDS
from tests.conftest import ROOT
from tests.trials import trials
from tests.workflow.test_repro import small_addition
from tests.workflow.tiny_stages import Run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"),
                                reason="Linux alone tells the environments of all processes")

ALONE = {"choose", "create", "leftovers", "ls", "predict", "publish", "rescore", "study"}
# `ui` is tried with MLflow itself in test_ui.py.
STARTING = {"repro": ["--track", "addition", "--jobs", "2"], "try": ["--track", "addition"],
            "spread": ["--all", "--jobs", "2"], "verify": ["--jobs", "2"],
            "site": ["embedded", "--output", "pages"]}
WAYS = ["killed", "Ctrl-C", "terminated", "closed terminal"]
# What takes an hour stands in the copy of the project that is run; nothing of the verb is replaced.
HOUR = ('\n\n{}\n    import pathlib\n    import time\n\n'
        '    pathlib.Path("{}", "began").touch()\n    time.sleep(3600)\n')
STAGE = '''
import pathlib, time
from pipeline.ending import run_command
from stages.arguments import stage_arguments


def main() -> None:
    stage_arguments()
    pathlib.Path("{}", "began").touch()
    time.sleep(3600)


run_command(main)
'''
REPRODUCTION = '''
import sys
from pathlib import Path
from pipeline import processes
from pipeline.ending import run_command


def main() -> None:
    script = "import pathlib, time; pathlib.Path(sys.argv[1], 'began').touch(); time.sleep(3600)"
    processes.run([sys.executable, "-c", "import sys; " + script, "{}"])


run_command(main)
'''

# npm, when it bundles the scripts of the pages.
SITE = '''

def bundled(places):
    import sys
    from pipeline.site.bundle import _call
    script = "import pathlib, time; pathlib.Path(sys.argv[1], 'began').touch(); time.sleep(3600)"
    _call([sys.executable, "-c", "import sys; " + script, "{}"], places.root, "")


def described(suite, library):
    return suite
'''


def test_every_verb_is_known_to_start_processes_or_not_to() -> None:
    assert {name for name in app if not name.startswith("-")} == ALONE | STARTING.keys() | {"ui"}


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose first stage, each further training and whole reproduction take an hour."""
    folder = tmp_path_factory.mktemp("slow")
    small_addition(ROOT, folder)
    (folder / "stages/validate.py").write_text(STAGE.format(folder))
    spread = folder / "pipeline/commands/spread.py"
    spread.write_text(spread.read_text() + HOUR.format(
        "def train_one(suite: Suite, key: str, seed: int) -> None:", folder))
    (folder / "pipeline/verification/reproduction.py").write_text(REPRODUCTION.format(folder))
    building = folder / "pipeline/site/building.py"
    building.write_text(building.read_text() + SITE.format(folder))
    for arguments in (["add", "."], ["commit", "--quiet", "-m", "all"]):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *arguments],
                       cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("verb, way", [
    (verb, way) for number, verb in enumerate(STARTING)
    for place, way in enumerate(WAYS) if place == number % len(WAYS) or trials(0, 1)])
def test_all_ends_with_the_verb(verb: str, way: str, slow: Path) -> None:
    (slow / "began").unlink(missing_ok=True)
    run = Run(slow, [sys.executable, "-m", "pipeline", verb, *STARTING[verb]])
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (slow / "began").exists():
            assert run.process.poll() is None, run.said()
            assert time.monotonic() < deadline, run.said()
            time.sleep(0.05)
        assert len(run.family()) > 1
        run.stop(way)
        code = run.wait(PATIENCE_SECONDS)
        assert not run.left_after(ORPHANED_SECONDS)
    finally:
        run.clean_up()
        shutil.rmtree(slow / "logs", ignore_errors=True)
    assert code == CODES[way]
    said = run.said()
    assert "Traceback" not in said
    assert ("stopped: " in said) == (way != "killed") and said.count("stopped: ") <= 1
