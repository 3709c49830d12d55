"""What all tests share: the mirror of real corpora, one thread a process, the same examples."""

import gc
import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from hypothesis import HealthCheck

from pipeline.entries import CorpusSettings
from pipeline.modules import corpus_module
from tests.order import ordered, part_of
from tests.shared import first, shared_folder

ROOT = Path(__file__).resolve().parent.parent
# nohup and a shell's '&' let signals be ignored, and all that a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
torch.set_num_threads(1)
# `make test` draws the same few examples everywhere, `make fuzz` many, and others each time.
hypothesis.settings.register_profile("short", derandomize=True, deadline=None, max_examples=50)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2000,
                                     print_blob=True, suppress_health_check=list(HealthCheck))
hypothesis.settings.load_profile("short")


def pytest_collection_finish() -> None:
    """What is here by now stays, so no search for garbage goes through it again.

    statsmodels has one made for every correction by Holm's method, of which tests make thousands.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among several processes, what takes longest begins first."""
    if hasattr(config, "workerinput"):
        items[:] = [items[place] for place in ordered([item.nodeid for item in items])]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Shares tests out by file, and by what `tests.order` says may be shared out further."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return part_of(nodeid)

    config.option.loadscopereorder = False
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder with copies of real corpora; tests that need it are skipped, with the reason."""
    folder = Path(os.environ.get("UNROLLED_MIRROR", ROOT.parent / "shared" / "mirror"))
    if not folder.is_dir():
        pytest.skip(f"REAL CORPORA NOT CHECKED: no mirror at {folder}; set UNROLLED_MIRROR")
    return folder


@pytest.fixture(scope="session")
def real_corpus(mirror: Path,
                tmp_path_factory: pytest.TempPathFactory) -> Callable[[CorpusSettings], Path]:
    """Gives a real corpus from the mirror, to be read and not to be changed."""
    base = shared_folder(tmp_path_factory, "real-corpora")

    def of(settings: CorpusSettings) -> Path:
        named = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
        folder = base / f"{settings.module}-{named[:16]}"
        with first(folder) as is_first:
            if is_first:
                corpus_module(settings.module).prepare(settings, folder, mirror)
        return folder

    return of


@pytest.fixture(autouse=True)
def _signals_stay_as_they_were() -> Iterator[None]:
    """What a test leaves behind stays in all that later tests start, so it is put back."""
    before = _signals()
    yield
    after = _signals()
    signal.pthread_sigmask(signal.SIG_SETMASK, before[0])
    for number, handler in before[1].items():
        signal.signal(number, handler)
    assert after == before


def _signals() -> tuple[set[signal.Signals], dict[signal.Signals, Any]]:
    stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return (signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            {number: signal.getsignal(number) for number in stops})
