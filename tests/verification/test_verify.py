"""Verification: the clone, what is compared in it, and that no tampering passes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.errors import UserError
from pipeline.provenance.inputs import write_inputs
from pipeline.results.leaderboard import read_result, write_leaderboard
from pipeline.results.report import write_report
from pipeline.running.costs import processor
from pipeline.storage.files import read_json, write_json
from pipeline.storage.predictions import read, write
from pipeline.suite.schema import Suite, load
from pipeline.verification.committed import check_pages
from pipeline.verification.comparison import Findings
from pipeline.verification.real_reproduction import check_real
from pipeline.verification.reproduced import compare_system
from pipeline.verification.reproduction import check_embedded, forget_results, stale_rows
from pipeline.verification.rescore import rescore, rescore_suite
from pipeline.verification.verify import (
    clone,
    environment,
    is_fresh_clone,
    mirror_of,
    uncommitted,
    verify_last_commit,
    workplace,
)
from tests.toy_project import REAL, make_project
from tests.toy_suite import VERSION, toy_suite, write_results, write_seeds
from tests.written_lock import write_lock


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                   cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project with one commit, one change after it, and a DVC cache."""
    folder = tmp_path / "project"
    (folder / ".dvc" / "cache").mkdir(parents=True)
    (folder / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (folder / ".gitignore").write_text("/.dvc/cache\n")
    (folder / "params.yaml").write_text("committed: 1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    (folder / "params.yaml").write_text("changed: 1\n")
    (folder / ".dvc" / "cache" / "object").write_text("x")
    return folder


def test_the_clone_has_the_commit_and_an_empty_cache_of_its_own(repository: Path,
                                                                tmp_path: Path) -> None:
    target = tmp_path / "clone"
    clone(repository, target)
    assert (target / "params.yaml").read_text() == "committed: 1\n"
    assert not (target / ".dvc" / "cache").exists()
    found = subprocess.run([sys.executable, "-m", "dvc", "cache", "dir"], cwd=target, text=True,
                           capture_output=True, check=True).stdout.strip()
    assert Path(found).resolve() == (target / ".dvc" / "cache").resolve()
    assert uncommitted(repository) == 1
    assert is_fresh_clone(target) and not is_fresh_clone(repository)
    (target / ".dvc" / "cache").mkdir()
    assert not is_fresh_clone(target)


def test_a_project_without_a_commit_cannot_be_verified(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(UserError, match="commit first"):
        clone(tmp_path / "empty", tmp_path / "clone")


def test_nothing_leads_the_clone_back_to_this_machine() -> None:
    found = environment({"GIT_DIR": "/x", "MLFLOW_TRACKING_URI": "sqlite:////x.db", "HOME": "/h",
                         "UNROLLED_MIRROR": "relative", "PATH": "/bin"}, None)
    assert found == {"HOME": "/h", "PATH": f"{Path(sys.executable).parent}{os.pathsep}/bin"}
    assert environment({}, Path("/m"))["UNROLLED_MIRROR"] == "/m"


def test_the_mirror_is_an_existing_folder_or_none(tmp_path: Path) -> None:
    assert mirror_of(tmp_path, {}) is None
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "params.yaml").write_text(REAL)
    assert mirror_of(tmp_path, {}) is None
    (tmp_path / "mirror").mkdir()
    assert mirror_of(tmp_path, {}) == tmp_path / "mirror"
    assert mirror_of(tmp_path, {"UNROLLED_MIRROR": "/nowhere/at/all"}) is None


def test_work_is_done_in_an_empty_folder(tmp_path: Path) -> None:
    with workplace(None) as folder:
        assert list(folder.iterdir()) == []
    assert not folder.exists()
    with workplace(tmp_path / "kept") as kept:
        (kept / "file").touch()
    with pytest.raises(UserError, match="not empty"), workplace(tmp_path / "kept"):
        pass


@pytest.fixture(scope="module")
def toy_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a toy suite whose 'training' puts back what `reproduced/` holds."""
    folder = tmp_path_factory.mktemp("toy")
    suite = toy_suite(folder)
    write_results(suite)
    write_seeds(suite, "network", [0.1, 0.2])
    write_leaderboard(suite, "yearly")
    write_report(suite)
    write_lock(suite)
    for name in ("metrics", "leaderboards", "curves"):
        shutil.copytree(folder / name, folder / "reproduced" / name)
    shutil.copyfile(folder / "dvc.lock", folder / "reproduced/dvc.lock")
    for name in ("costs", "predictions"):
        (folder / name).rename(folder / "reproduced" / name)
    (folder / "pipeline").mkdir()
    (folder / "pipeline/__init__.py").touch()  # else another folder's package would go first
    (folder / "pipeline/__main__.py").write_text(
        "import shutil, sys\n"
        "assert sys.argv[1:] == ['repro', '--jobs', '3']\n"
        "shutil.copytree('reproduced', '.', dirs_exist_ok=True)\n")
    return folder


@pytest.fixture
def embedded(toy_results: Path, tmp_path: Path) -> Suite:
    """The suite of a copy of `toy_results`."""
    return toy_suite(shutil.copytree(toy_results, tmp_path, dirs_exist_ok=True))


def change_score(path: Path, metric: str, value: float) -> None:
    result = read_json(path)
    result["variants"][""]["metrics"][metric]["value"] = value
    write_json(path, result)


def reproduced(suite: Suite) -> Path:
    """The folder with what the toy suite's training will give."""
    return suite.places.root / "reproduced"


@pytest.fixture
def other_machine(embedded: Suite) -> Suite:
    """The suite, whose network answers otherwise when it is trained here."""
    lock = reproduced(embedded) / "dvc.lock"
    yaml = YAML()
    content = yaml.load(lock)
    for stage in ("train@network", "evaluate@network"):
        for entry in content["stages"][stage]["outs"]:
            entry["md5"] = "f" * 32
    yaml.dump(content, lock)
    return embedded


RECORDED = ("embedded: where trainings with seeds were done, how, and what weights they ended "
            "with, is as their records say")


def verify_embedded(embedded: Suite) -> Findings:
    findings = Findings()
    check_embedded(embedded, jobs=3, findings=findings)
    findings.settle()
    return findings


def test_a_suite_that_comes_out_the_same_is_verified(embedded: Suite) -> None:
    findings = verify_embedded(embedded)
    assert findings.differences == []
    assert findings.compared == {
        "result folders": 6, "stages of dvc.lock": 8, "entries of dvc.lock": 15,
        "metrics files": 2, "trainings with seeds": 3, "leaderboards": 1, "records of tests": 1,
        "claims": 1, "overviews": 1, "embedded scores and bounds": 27, "floors": 1,
        "leaderboards reproduced": 1, "pictures": 3, "metrics files reproduced": 2,
        "sets of curves": 1, "curves": 2, "contents of dvc.lock": 31,
        "records of the suite's own seed": 1, "verdicts": 1}
    assert findings.unchecked == [RECORDED]


def test_a_moved_score_of_a_row_with_one_training_is_listed(other_machine: Suite) -> None:
    for path in other_machine.places.row_seeds("yearly", "network", "").rglob("*.*"):
        path.unlink()
    write_lock(other_machine)
    change_score(reproduced(other_machine) / "metrics/yearly/network.json", "mase", 0.51)
    findings = verify_embedded(other_machine)
    assert findings.differences == []
    assert findings.compared["embedded scores and bounds"] == 18
    assert findings.unchecked[0] == (
        "embedded, yearly: network came out otherwise than committed, and how far that may be was "
        "not measured ('unrolled spread' does); the floor alone was checked")


def test_a_score_may_move_as_seeds_do_or_by_an_items_worth(other_machine: Suite) -> None:
    network = reproduced(other_machine) / "metrics/yearly/network.json"
    change_score(network, "smape", 5.49)  # five deviations of 0.1 were measured
    change_score(network, "mase", 0.533)  # without the second series it is 0.4667
    assert verify_embedded(other_machine).differences == []


def test_what_ranks_a_row_is_counted_outside_of_its_tolerance(other_machine: Suite) -> None:
    network = reproduced(other_machine) / "metrics/yearly/network.json"
    change_score(network, "owa", 0.54)  # without the second series it is 0.467
    findings = verify_embedded(other_machine)
    [text] = [text for text in findings.unchecked if "owa is 0.5" in text]
    assert text.startswith("embedded, yearly, row 'network': owa is 0.5 as committed and 0.54 ")
    assert text.endswith("of as many scores as were compared chance puts up to 1 there")
    assert findings.differences == []


def test_of_other_scores_those_outside_are_named(other_machine: Suite) -> None:
    network = reproduced(other_machine) / "metrics/yearly/network.json"
    change_score(network, "mase", 0.534)
    change_score(network, "smape", 5.51)
    findings = verify_embedded(other_machine)
    assert findings.differences == []
    [text] = [text for text in findings.unchecked if "of its other scores" in text]
    assert "2 moved further than its tolerance: mase is 0.5 as committed and 0.534" in text
    assert "smape is 5 as committed and 5.51" in text


def test_no_score_moves_five_times_as_far(other_machine: Suite) -> None:
    change_score(reproduced(other_machine) / "metrics/yearly/network.json", "smape", 7.51)
    [text] = verify_embedded(other_machine).differences
    assert "smape is 5 as committed and 7.51 as reproduced" in text
    assert text.endswith("and chance does not go that far")


def test_a_system_that_no_seed_changes_may_not_lie_outside(other_machine: Suite) -> None:
    smooth = reproduced(other_machine) / "metrics/yearly/smooth.json"
    result = read_json(smooth)
    for answers in result["variants"].values():
        answers["metrics"]["owa"]["value"] += 9.0
    write_json(smooth, result)
    found = verify_embedded(other_machine).differences
    assert any(text.startswith("embedded, yearly, row 'smooth:ses': owa is") for text in found)


def test_elsewhere_a_training_may_converge_otherwise(other_machine: Suite) -> None:
    network = reproduced(other_machine) / "metrics/yearly/network.json"
    write_json(network, read_json(network) | {"converged": True})
    findings = verify_embedded(other_machine)
    assert findings.differences == []
    assert any("'network' had" in text for text in findings.unchecked)


def test_the_same_score_from_other_bytes_fails_on_the_processor_that_is_named(
        other_machine: Suite) -> None:
    record = other_machine.places.seed_record("yearly", "network", "", VERSION, 1)
    write_json(record, read_json(record) | {"processor": processor("cpu"), "torch": None})
    write_lock(other_machine)
    [text] = verify_embedded(other_machine).differences
    assert text.startswith("embedded: the predictions of 'network' came out as other bytes than "
                           "committed, although they were made on this processor (")


def test_a_system_under_its_floor_fails_even_when_it_is_reproduced(
        embedded: Suite) -> None:
    root = embedded.places.root
    strict = toy_suite(root, track={
        "floor": {"value": 0.49, "of_ceiling": False, "rows": ["network"]}})
    for folder in (root, reproduced(embedded)):
        write_json(folder / "leaderboards/yearly.json",
                   read_json(folder / "leaderboards/yearly.json") | {"floor": 0.49})
    found = verify_embedded(strict).differences
    assert "embedded, yearly, row 'network': owa 0.5 is under the floor 0.49" in found


def test_a_committed_result_cannot_stand_in_for_a_reproduced_one(
        embedded: Suite) -> None:
    (reproduced(embedded) / "metrics/yearly/network.json").unlink()
    with pytest.raises(UserError, match="network.json does not exist"):
        verify_embedded(embedded)


def test_ranks_and_pictures_must_come_out_where_all_scores_did(embedded: Suite) -> None:
    places = embedded.places
    with (reproduced(embedded) / "leaderboards/yearly/intervals.svg").open("a") as file:
        file.write("<!-- -->")
    board = reproduced(embedded) / "leaderboards/yearly.json"
    write_json(board, read_json(board) | {"not_ranked": "for another reason"})
    found = verify_embedded(embedded)
    assert f"{places.suite}leaderboards/yearly/intervals.svg did not come out as committed" in \
        found.differences
    assert any("leaderboards/yearly.json.not_ranked" in text for text in found.differences)


def test_where_scores_moved_ranks_and_pictures_are_listed_as_unchecked(
        other_machine: Suite) -> None:
    folder = reproduced(other_machine)
    change_score(folder / "metrics/yearly/network.json", "owa", 0.51)
    board = read_json(folder / "leaderboards/yearly.json")
    board["rows"][0]["metrics"]["owa"]["value"] = 0.51
    write_json(folder / "leaderboards/yearly.json", board)
    (folder / "leaderboards/yearly/cost.svg").unlink()
    found = verify_embedded(other_machine)
    assert found.differences == []
    assert any(text.startswith("leaderboards/yearly: ranks and pictures") for text in
               found.unchecked)


def test_a_redrawn_picture_of_real_results_is_found(project: Path) -> None:
    suite = load(project / "real" / "params.yaml")
    write_inputs(suite)
    path = suite.places.pictures("yearly") / "intervals.svg"
    path.write_bytes(path.read_bytes().replace(b"simple:snaive", b"simple:better"))
    findings = Findings()
    check_pages(suite, findings)
    assert findings.differences == ["real/leaderboards: yearly/intervals.svg: is not what is drawn "
                                    "from the committed results"]


def test_a_score_that_was_struck_from_the_record_is_missed(embedded: Suite) -> None:
    path = embedded.places.tests
    write_json(path, {"yearly": {row: scores for row, scores in read_json(path)["yearly"].items()
                                 if row != "network"}})
    findings = Findings()
    check_pages(embedded, findings)
    assert findings.differences == ["tests.json: the present score of yearly, network is not in "
                                    "it; 'dvc repro' adds it"]


def test_a_failed_training_fails_verification(embedded: Suite) -> None:
    (embedded.places.root / "pipeline/__main__.py").write_text("raise SystemExit(2)")
    with pytest.raises(UserError, match="could not be trained again"):
        verify_embedded(embedded)


def test_results_are_forgotten_and_further_seeds_are_not(embedded: Suite) -> None:
    root = embedded.places.root
    (root / "dvc.lock").touch()
    forget_results(embedded)
    left = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    seeds = {path for path in left if path.startswith("seeds/yearly/network/")}
    assert len(seeds) == 5
    assert {path for path in left if not path.startswith(("reproduced", "pipeline"))} == seeds | {
        "curves/none.json", "tests.json"}


@pytest.mark.parametrize(("name", "edit", "text"), [
    ("yearly.json", lambda text: text.replace('"floor": 1.0', '"floor": 1.5'),
     "yearly.json.floor: 1.5 is committed, 1.0 found"),
    ("yearly.md", lambda text: text.replace("0.500", "0.400"),
     "yearly.md, line 9: is not what follows from the committed results"),
    ("README.md", lambda text: text.replace("0.500", "0.400"),
     "README.md, line 7: is not what follows from the committed results"),
])
def test_an_edited_page_is_found(embedded: Suite, name: str,
                                 edit: Callable[[str], str], text: str) -> None:
    path = embedded.places.leaderboards / name
    path.write_text(edit(path.read_text()))
    findings = Findings()
    check_pages(embedded, findings)
    assert len(findings.differences) == 1 and text in findings.differences[0]


@pytest.fixture(scope="module")
def real_results(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A project with a real suite as it is committed: results and predictions, no data."""
    folder = make_project(tmp_path_factory.mktemp("real") / "project", root)
    suite = load(folder / "real" / "params.yaml")
    write_lock(suite)
    write_leaderboard(suite, "yearly")
    write_report(suite)
    write_lock(suite)
    for name in ("data", "features", "models", "figures", "inputs"):
        shutil.rmtree(folder / "real" / name)
    return folder


@pytest.fixture
def project(real_results: Path, tmp_path: Path) -> Path:
    """A copy of `real_results` to work in."""
    return shutil.copytree(real_results, tmp_path / "project")


# What is compared of the real results without training or scoring anything.
OF_FILES = {"result folders": 6, "stages of dvc.lock": 6, "entries of dvc.lock": 7,
            "metrics files": 1, "costs files": 2, "leaderboards": 1, "records of tests": 1,
            "claims": 1, "overviews": 1}


def test_real_results_are_scored_and_run_again(project: Path) -> None:
    suite = load(project / "real" / "params.yaml")
    findings = Findings()
    check_real(suite, project / "mirror", findings, jobs=2)
    assert findings.differences == []
    assert findings.compared == {**OF_FILES, "feature sets made": 1, "real scores and bounds": 30,
                                 "predictions on the processor that they name": 1,
                                 "prediction files scored again": 2, "metrics files reproduced": 1}
    check_tampering(suite)


def check_tampering(suite: Suite) -> None:
    """With the features made, every change of a committed file is found and named."""
    assert rescore(suite, "simple") == []
    assert rescore_suite(suite.places.params, []) == 0
    predictions = suite.places.answers("yearly", "simple", "naive")
    good, answers = predictions.read_bytes(), read(predictions)
    answers[4]["forecast"][0] *= 1.001
    write(predictions, answers)
    found = rescore(suite, "simple")
    assert any(text.startswith("simple:naive.metrics.smape.value") for text in found)
    assert any("smape of 1 items is not what their predictions give, for example of 'Y5'" in text
               for text in found)
    assert not any("simple:snaive" in text for text in found)
    predictions.write_bytes(good)

    metrics = suite.places.metrics("yearly", "simple")
    result = read_json(metrics)
    result["variants"]["naive"]["metrics"]["owa"]["high"] += 1e-6
    result["ceiling"]["smape"] += 1.0
    write_json(metrics, result)
    assert [text.split(":")[0] for text in rescore(suite, "simple")] == ["simple", "simple"]
    metrics.unlink()  # of a system that was not run there is nothing to score
    assert rescore_suite(suite.places.params, []) == 0


def test_without_git_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git is not installed.*install git"):
        verify_last_commit(1, tmp_path / "kept", train=False)
    assert list(tmp_path.iterdir()) == []


def test_without_the_corpora_predictions_are_loudly_unchecked(project: Path) -> None:
    findings = Findings()
    check_real(load(project / "real" / "params.yaml"), None, findings)
    assert findings.unchecked[2:] == [
        "real, yearly: its predictions were not scored again, because corpus 'series' is not at "
        "hand (UNROLLED_MIRROR names no folder with copies)"]
    assert findings.compared == OF_FILES | {"item statistics scored again": 2}


def test_a_corpus_that_cannot_be_had_is_listed_and_broken_features_fail(project: Path) -> None:
    params = project / "real" / "params.yaml"
    params.write_text(REAL.replace("series: 12", "series: 1"))
    findings = Findings()
    check_real(load(params), project / "mirror", findings)
    assert "corpus 'series' could not be had" in findings.unchecked[-1]
    params.write_text(REAL.replace("{frequency: Yearly}", "{frequency: Hourly}"))
    check_real(load(params), project / "mirror", findings)
    assert any("real, yearly: features failed" in text for text in findings.differences)


def test_edited_claims_of_the_real_suite_are_found(project: Path) -> None:
    claims = project / "real/leaderboards/claims.json"
    claims.write_text(claims.read_text().replace('"undecided"', '"holds"'))
    findings = Findings()
    check_real(load(project / "real" / "params.yaml"), None, findings)
    assert any("claims.json[0].verdict: 'holds' is committed, 'undecided' found" in text
               for text in findings.differences)


def test_a_system_that_was_not_trained_again_is_listed(tmp_path: Path) -> None:
    from pipeline.verification.real_reproduction import _check_fast_systems

    suite = toy_suite(tmp_path, root="..", suite="real/")
    write_results(suite)
    findings = Findings()
    _check_fast_systems(suite, "yearly", ["network"], {}, findings)
    assert findings.unchecked == [
        "real, yearly: 'network' was not trained again (70 s on Test CPU); 'dvc repro --force "
        "real/dvc.yaml:train@network' does"]


def test_reproduction_refuses_to_run_outside_a_fresh_clone(project: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "pipeline.verification.reproduction",
                           "--jobs", "1"], cwd=project, capture_output=True, text=True)
    assert done.returncode == 2
    assert "is no fresh clone, and this command removes results" in done.stderr
    assert read_json(project / "real/leaderboards/claims.json")


def test_a_row_of_other_code_or_settings_is_named_before_anything_is_trained(
        project: Path) -> None:
    suite = load(project / "real" / "params.yaml")
    assert stale_rows(suite) == []
    model = project / "pipeline/tasks/forecast/systems/statistical.py"
    before = model.read_text()
    model.write_text(f"# a comment changes no answer\n{before}")
    assert stale_rows(suite) == []
    model.write_text(f"{before}\nANOTHER = 1\n")
    [text] = stale_rows(suite)
    assert text == ("real/metrics/yearly/simple.json was made by other code or settings than this "
                    "commit's; run 'unrolled repro --suite real' and commit what it writes")
    model.write_text(before)
    (project / "real/params.yaml").write_text(REAL.replace("ets: ZZZ", "ets: AAA"))
    assert stale_rows(load(project / "real" / "params.yaml")) == [text]


def test_committed_files_alone_are_checked_in_a_clone_too(project: Path, tmp_path: Path) -> None:
    (project / "params.yaml").write_text(REAL.replace("root: ..", "root: .")
                                         .replace("suite: real/", "suite: ''"))
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "-m", "first")
    (project / ".dvc").mkdir()
    clone(project, tmp_path / "clone")
    done = subprocess.run([sys.executable, "-m", "pipeline.verification.reproduction",
                           "--jobs", "1", "--no-train"], cwd=tmp_path / "clone",
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert "metrics/yearly/simple.json is not committed" in done.stdout
    assert "claims" in done.stdout.splitlines()[-1]
    assert read_json(tmp_path / "clone/real/leaderboards/claims.json")


def forge(suite: Suite, change: Callable[[dict], object]) -> None:
    """Alter a metrics file, and all that follows from it, as somebody would who knows the files."""
    path, places = suite.places.metrics("yearly", "network"), suite.places
    result = read_json(path)
    change(result)
    write_json(path, result)
    shutil.copytree(reproduced(suite) / "predictions", places.all_predictions)
    write_leaderboard(suite, "yearly")
    write_report(suite)
    write_lock(suite)
    shutil.rmtree(places.all_predictions)


FORGERIES: dict[str, Callable[[dict], object]] = {
    "parameters": lambda result: result.update(parameters=12346),
    "ceiling": lambda result: result["ceiling"].update(smape=1.0),
    "note": lambda result: result.update(note="more"),
    "n_items": lambda result: result["variants"][""].update(n_items=5),
    "signature": lambda result: result["variants"][""]["signature"].update(owa="m4|v2"),
    "low": lambda result: result["variants"][""]["metrics"]["owa"].update(low=0.1),
    "high": lambda result: result["variants"][""]["metrics"]["smape"].update(high=9.0),
    "value": lambda result: result["variants"][""]["metrics"]["owa"].update(value=0.4),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_that_agrees_with_itself_is_found_by_training(
        embedded: Suite, name: str) -> None:
    forge(embedded, FORGERIES[name])
    assert any("network" in text and name in text for text in
               verify_embedded(embedded).differences)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_found_on_another_machine_too(other_machine: Suite, name: str) -> None:
    forge(other_machine, FORGERIES[name])
    found = verify_embedded(other_machine).differences
    assert any("network" in text and name.replace("value", "owa") in text for text in found)


def test_a_forged_measurement_of_a_claim_is_found_by_training(embedded: Suite) -> None:
    """The claim and the page that tells it agree; what was measured is not so."""
    file, page = embedded.places.claims, embedded.places.overview
    [claim] = read_json(file)
    write_json(file, [{**claim, "effect": 5.0}])
    page.write_text(page.read_text().replace("+3.900", "+5.000"))
    shutil.copytree(reproduced(embedded) / "predictions", embedded.places.all_predictions)
    write_lock(embedded)
    shutil.rmtree(embedded.places.all_predictions)
    assert verify_embedded(embedded).differences == [
        f"claim 'network-wins'.effect: 5.0 is committed, {claim['effect']!r} found"]


def test_of_a_stale_row_only_scores_are_held_against_what_code_of_now_makes(
        embedded: Suite) -> None:
    committed = read_result(embedded, "network")
    reproduced = {**committed, "parameters": committed["parameters"] + 1}
    for stale, same_answers, found in ((False, False, 1), (True, True, 1), (True, False, 0)):
        findings = Findings()
        compare_system(embedded, "network", committed, reproduced, same_answers, findings, stale)
        assert len(findings.differences) == found
        assert any("network.parameters" in text and "the row is stale" in text
                   for text in findings.unchecked) == (not found)


def test_details_that_no_machine_can_tell_are_listed(other_machine: Suite) -> None:
    forge(other_machine, lambda result: result["variants"][""].update(details={"rows": 3}))
    assert any("the details behind the scores of 'network'" in text
               for text in verify_embedded(other_machine).unchecked)
