"""The command `unrolled`: its verbs, their help, what it says when something is wrong."""

import contextlib
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.commands.listing import listing, picture
from pipeline.commands.main import app, main, run
from pipeline.commands.predicting import model_folder
from pipeline.commands.project import find_root, suite_file
from pipeline.errors import UserError
from pipeline.storage.files import read_json, write_json, write_text
from pipeline.suite.schema import load
from pipeline.version import VERSION
from tests.conftest import ROOT

VERBS = ["choose", "create", "leftovers", "ls", "predict", "publish", "repro", "rescore", "site",
         "spread", "study", "try", "ui", "verify"]
HEAVY = ["torch", "lightning", "mlflow", "dvc", "scipy", "matplotlib", "pandas"]


def unrolled(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run([sys.executable, "-m", "pipeline", *arguments], cwd=cwd, text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": path})


def output(*arguments: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        run(arguments)
    return shown.getvalue()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without code of its own: the embedded suite, and another under `own/`."""
    text = (ROOT / "params.yaml").read_text("utf-8")
    write_text(tmp_path / "params.yaml", text)
    write_text(tmp_path / "own/params.yaml",
               text.replace("root: .", "root: ..", 1).replace("suite: ''", "suite: own/", 1))
    return tmp_path


def test_help_lists_every_verb() -> None:
    assert sorted(name for name in app if not name.startswith("-")) == VERBS
    text = output("--help")
    assert all(f" {verb} " in text for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_shows_examples_that_can_be_parsed(verb: str) -> None:
    text = output(verb, "--help")
    lines = [line.strip() for line in text.partition("Example:")[2].splitlines() if line.strip()]
    assert lines
    for line in lines:
        words = shlex.split(line.partition(" < ")[0])
        assert words[:2] == ["unrolled", verb]
        app.parse_args(words[1:], print_error=False, exit_on_error=False)


def test_the_version_is_that_of_the_package() -> None:
    assert output("--version").strip() == VERSION
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "--help"], ["ls", "--costs"]])
def test_help_and_listings_wait_for_no_heavy_import(arguments: list[str]) -> None:
    script = ("import sys; from pipeline.commands.main import run; run(sys.argv[1:]); "
              f"print([name for name in {HEAVY} if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def outlived(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command prepares its process for its end, and the process of a test goes on."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    interrupt = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, interrupt)


@pytest.mark.parametrize("arguments, message", [
    (["predikt"], 'Unknown command "predikt". Did you mean "predict"?'),
    (["ls", "--tracks", "x"], "Unknown option: --tracks. Did you mean --track?"),
    (["ls", "--track", "additon"], "no track 'additon'; did you mean 'addition'?"),
    (["ls", "--suite", "reel"], "--suite reel: no such suite or file; did you mean 'real'?"),
    (["predict"], "ROW requires an argument"),
    (["predict", "lm-lstm"], "name a file to answer, or - for standard input"),
    (["predict", "lm-lstm", "a", "--formt", "csv"], "there is no option --formt"),
    (["predict", "lm-lstm", "a", "--format", "xml"],
     "--format: there is no format 'xml'; there are text, csv, json; for systems of alignment ctm, "
     "textgrid; for systems of asr ctm, srt, textgrid"),
    (["predict", "models/none", "a"], "models/none: no folder of a trained system"),
    (["create", "lm-lstn"], "no row 'lm-lstn'; did you mean 'lm-lstm'?"),
    (["create", "lm-lstm", "--temperature", "1e-300"],
     "--temperature 1e-300: give 0, which always takes the best, or 1e-06 at least"),
    (["rescore", "lm-lstn"], "no row 'lm-lstn'; did you mean 'lm-lstm'?"),
    (["spread", "lm-lstm", "--seeds", "1"], "--seeds 1: give 2 at least"),
    (["spread", "lm-lstm", "--prune"], "--carry-over and --prune are about the whole suite"),
    (["repro", "--jobs", "0"], "--jobs 0: give 1 at least"),
    (["repro", "--track", "additon"], "no tracks.additon; did you mean 'addition'?"),
    (["verify", "--keep", "."], "this folder is not empty"),
    (["choose", "lm-lstm:cash"], "no row 'lm-lstm:cash'"),
])
def test_what_a_user_can_mend_is_one_plain_line_and_exit_code_2(
        arguments: list[str], message: str, outlived: None, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["unrolled", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error
    assert error.count("\n") == 1


def test_a_process_ends_without_traceback_outside_a_project(tmp_path: Path) -> None:
    done = unrolled("ls", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: no project here: neither {tmp_path}")
    assert "clone" in done.stderr and "unrolled predict FOLDER FILE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m pipeline ls --costs | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=ROOT, text=True,
                          capture_output=True)
    assert done.returncode == 141 and done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_the_suite_is_found_from_the_folder_upward_by_name_and_by_path(project: Path) -> None:
    deep = project / "own/leaderboards/deep"
    deep.mkdir(parents=True)
    embedded, own = project / "params.yaml", project / "own/params.yaml"
    assert suite_file(None, project) == embedded
    assert suite_file(None, deep) == own
    for start in (project, deep):
        assert suite_file("own", start) == own
        assert suite_file("own/params.yaml", start) == own
        assert suite_file("embedded", start) == embedded
        assert find_root(start) == project
    assert suite_file("../params.yaml", deep.parent) == own
    assert suite_file(str(embedded), Path("/")) == embedded
    with pytest.raises(UserError, match="--suite owm: .*did you mean 'own'"):
        suite_file("owm", deep)


def test_a_params_yaml_of_another_program_is_no_project(tmp_path: Path) -> None:
    write_text(tmp_path / "params.yaml", "learning_rate: 0.1\n")
    assert find_root(tmp_path) is None
    (tmp_path / "pipeline").mkdir()
    assert find_root(tmp_path) == tmp_path


def test_the_code_that_runs_is_that_of_the_project(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline",
                    ignore=shutil.ignore_patterns("__pycache__"))
    write_text(tmp_path / "pipeline/version.py", 'VERSION = "9.9.9"\n')
    write_text(tmp_path / "params.yaml", "root: .\nsuite: ''\n")
    (tmp_path / "docs/pipeline").mkdir(parents=True)  # no code: it must not hide the project's
    assert unrolled("--version", cwd=tmp_path / "docs").stdout.strip() == "9.9.9"
    assert unrolled("--version").stdout.strip() == VERSION


def test_a_listing_says_what_is_trained_and_how_good_it_is(project: Path) -> None:
    suite = load(project / "params.yaml")
    assert not any("here" in line for line in listing(suite, "addition", False)
                   if line.startswith("  addition"))
    for key in ("addition-lstm", "addition-gru"):
        value = {"addition-lstm": 81.0, "addition-gru": 99.333333}[key]
        write_json(suite.places.metrics("addition", key), {"variants": {"": {"metrics": {
            "exact_64": {"value": value, "low": 76.5, "high": 100.0}}}}})
        write_json(suite.places.cost("addition", key, "train"),
                   {"seconds": 8.25, "peak_memory_bytes": 600 * 2**20})
    write_json(suite.places.board("addition"), {"better": "higher"})
    suite.places.model("addition-gru").mkdir(parents=True)
    title, headings, *rows, _, remedy = listing(suite, "addition", True)
    assert title.startswith("addition  Sums") and "exact_64, higher is better" in title
    assert headings.split()[0] == "row" and "training" in headings
    assert rows[0].split() == ["addition-gru", "99.333", "76.5", "to", "100", "here", "8.2", "s",
                               "-", "600", "MiB"]
    assert rows[1].split()[:6] == ["addition-lstm", "81", "76.5", "to", "100", "-"]
    assert len(rows) == len(suite.systems_of("addition"))
    assert remedy.startswith("7 of 8 systems are not trained here: 'unrolled repro --track addit")


def test_the_best_system_of_a_track_shows_a_picture(project: Path) -> None:
    suite = load(project / "own/params.yaml")
    assert "unrolled repro" in picture(suite, "addition")
    for key, value in (("addition-elman", 3.0), ("addition-gru", 2.0)):
        write_json(suite.places.metrics("addition", key), {"variants": {"": {"metrics": {
            "exact_64": {"value": value, "low": None, "high": None}}}}})
        write_text(suite.places.figures("addition", key) / "length.png", "")
    for better, best in (("higher", "addition-elman"), ("lower", "addition-gru")):
        write_json(suite.places.board("addition"), {"better": better})
        assert picture(suite, "addition").endswith(f"own/figures/addition/{best}/length.png")


def test_rows_of_every_suite_show_the_committed_score() -> None:
    for name in ("params.yaml", "real/params.yaml"):
        suite = load(ROOT / name)
        track = next(iter(suite.tracks))
        shown = {line.split()[0]: line.split()[1] for line in listing(suite, track, False)
                 if line.startswith("  ")}
        for key in suite.systems_of(track):
            path = suite.places.metrics(track, key)
            for variant, row in suite.rows_of(key).items():
                expected = "-"
                if path.exists():
                    scores = read_json(path)["variants"][variant]["metrics"]
                    expected = f"{scores[suite.tracks[track].metric]['value']:.5g}"
                assert shown[row] == expected


def test_a_folder_of_a_trained_system_is_told_from_a_row(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "models/lm/system.json", {})
    (tmp_path / "asr").mkdir()
    assert model_folder("models/lm") == (Path("models/lm"), None)
    assert model_folder("models/lm:cache") == (Path("models/lm"), "cache")
    assert model_folder("asr") is None
    assert model_folder("asr:beam") is None
    with pytest.raises(UserError, match=r"models/ml: no folder .* system\.json"):
        model_folder("models/ml")
