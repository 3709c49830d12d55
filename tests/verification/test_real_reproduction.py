"""A suite whose training takes hours: scored again, and run again where that takes none."""

from pathlib import Path

from pipeline.storage.files import read_json, write_json
from pipeline.storage.predictions import read, write
from pipeline.suite.schema import Suite, load
from pipeline.verification.comparison import Findings
from pipeline.verification.real_reproduction import check_fast_systems, check_real
from pipeline.verification.rescore import rescore, rescore_suite
from tests.toy_project import REAL
from tests.toy_suite import toy_suite, write_results

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
    suite = toy_suite(tmp_path, root="..", suite="real/")
    write_results(suite)
    findings = Findings()
    check_fast_systems(suite, "yearly", ["network"], {}, findings)
    assert findings.unchecked == [
        "real, yearly: 'network' was not trained again (70 s on Test CPU); 'dvc repro --force "
        "real/dvc.yaml:train@network' does"]
