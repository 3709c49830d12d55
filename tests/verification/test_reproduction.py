"""A suite that is trained again: what may come out otherwise, and that no forgery passes."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.results.leaderboard import write_leaderboard
from pipeline.results.report import write_report
from pipeline.running.costs import processor
from pipeline.storage.files import read_json, write_json
from pipeline.suite.schema import Suite, load
from pipeline.verification.reproduction import forget_results, stale_rows
from pipeline.verification.verify import clone
from tests.toy_project import REAL
from tests.toy_suite import VERSION, toy_suite
from tests.verification.small_suites import change_score, git, reproduced, verify_embedded
from tests.written_lock import write_lock

RECORDED = ("embedded: where trainings with seeds were done, how, and what weights they ended "
            "with, is as their records say")


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


def test_details_that_no_machine_can_tell_are_listed(other_machine: Suite) -> None:
    forge(other_machine, lambda result: result["variants"][""].update(details={"rows": 3}))
    assert any("the details behind the scores of 'network'" in text
               for text in verify_embedded(other_machine).unchecked)
