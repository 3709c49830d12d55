"""A champion whose folder or configuration is not what it should be says so in words."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import UserError
from pipeline.tasks.tagging.systems.most_frequent import MostFrequentTag, Settings
from pipeline.tracking.views import description
from tests.toy_suite import toy_suite

if TYPE_CHECKING:
    from pipeline.tracking.serving import Champion


@pytest.fixture(autouse=True)
def _silent_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow reads as it is imported whether it may report its use."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    MostFrequentTag(Settings(track="tagging", model="most_frequent"),
                    {"forms": ["dog"], "counts": [1], "tags": ["NN"]}).save(tmp_path / "model")
    return tmp_path / "model"


def loaded(folder: Path, variant: Any = None) -> "Champion":
    from pipeline.tracking.serving import MODEL, VARIANT, Champion

    champion = Champion()
    champion.load_context(SimpleNamespace(artifacts={MODEL: str(folder)},
                                          model_config={VARIANT: variant}))
    return champion


def test_a_configuration_that_the_system_does_not_know_is_named(folder: Path) -> None:
    from mlflow.exceptions import MlflowException

    loaded(folder)
    loaded(folder, {})
    for wrong in ({"bigram": {"order": 2}}, "bigram", [1]):
        with pytest.raises(MlflowException, match=r"the model's configuration, variants.*publish"):
            loaded(folder, wrong)


def test_a_damaged_folder_is_named(folder: Path) -> None:
    from mlflow.exceptions import MlflowException

    (folder / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(MlflowException, match="weights.safetensors is damaged"):
        loaded(folder)


def test_a_leaderboards_page_that_is_no_text_is_named(tmp_path: Path) -> None:
    suite = toy_suite(tmp_path)
    page = suite.places.page("yearly")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_bytes(b"# Yearly\n\n\xff\n")
    with pytest.raises(UserError, match=r"yearly\.md, line 3: byte 10 is not UTF-8"):
        description(suite, "yearly")
