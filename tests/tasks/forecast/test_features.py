"""Features of the forecasting task: what is written, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora import m4
from pipeline.errors import UserError
from pipeline.storage.files import read_json
from pipeline.tasks.forecast.shared.storage import fingerprints, load_array, load_pasts
from tests.tasks.forecast.small_corpus import extract, twin


def test_training_sees_pasts_alone(tmp_path: Path) -> None:
    features = twin(tmp_path, "Hourly")
    names = {path.name for path in features.fit.iterdir()}
    assert names == {"points.npy", "offsets.npy", "ids.json", "spec.json"}
    found = m4.series(tmp_path / "corpus", "Hourly")
    for one, past in zip(found, load_pasts(features.fit), strict=True):
        np.testing.assert_array_equal(past, one.past)
    futures = load_array(features.test / "futures.npy")
    np.testing.assert_array_equal(futures, np.stack([one.future for one in found]))
    spec = features.spec
    assert (spec["period"], spec["horizon"], spec["series"]) == (24, 48, 12)


def test_a_past_is_known_by_its_values_alone(tmp_path: Path) -> None:
    features = twin(tmp_path, "Yearly")
    pasts = load_pasts(features.test)
    known = features.spec["pasts"]
    assert fingerprints(pasts) == known and len({*known}) == len(pasts)
    assert fingerprints(pasts[::-1]) == known[::-1]
    others = [pasts[0] + 1e-9, pasts[0][1:], np.concatenate(pasts)]
    assert not {*fingerprints(others)} & {*known}


def test_a_past_without_mase_is_refused(tmp_path: Path) -> None:
    for part, header, row in (("Train", 5, '"Y1","3","3","3","3"'),
                              ("Test", 7, '"Y1","1","2","3","4","5","6"')):
        path = tmp_path / part / f"Yearly-{part.lower()}.csv"
        path.parent.mkdir()
        names = ",".join(f'"V{index + 1}"' for index in range(header))
        path.write_text(f"{names}\n{row}\n", encoding="utf-8")
    with pytest.raises(UserError, match="'Y1'.*MASE is undefined"):
        extract(tmp_path, "Yearly", tmp_path / "features")
    assert not (tmp_path / "features/fit/spec.json").exists()


def test_real_corpora_have_no_ceiling(tmp_path: Path) -> None:
    twin(tmp_path, "Yearly")
    (tmp_path / "corpus/Optimal/Yearly-optimal.csv").unlink()
    features = extract(tmp_path / "corpus", "Yearly", tmp_path / "again")
    assert read_json(features.test / "ceiling.json") == {}
