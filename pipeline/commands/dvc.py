"""The one module that knows DVC's internals, as they are in the versions that pyproject.toml names.

Four things are asked of them. Which stages there are, which waits for which, and which have
changed. That stages run one after the other and are recorded together: `dvc repro` rewrites all of
dvc.lock after each stage, and with 250 stages in it that takes two seconds, longer than many a
stage. That dvc.lock is written whole or not at all: DVC writes it in place, for seconds, while a
stage of another process may look up its data in it. And that a stage's command is run by somebody
else than a new shell. What is run, checked and cached is DVC's own work, and so is what stands in
dvc.lock.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dvc.dvcfile
import dvc.stage.run
from dvc.exceptions import ReproductionError
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.stage.exceptions import StageCmdFailedError
from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update
from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError

from pipeline.errors import UserError
from pipeline.storage.files import write_text

VERSIONS = ">=3.67,<3.68"
# What a killed process leaves unrecorded, and so is done again, took no longer than this.
_UNRECORDED_SECONDS = 60.0
# A training takes the hash of its features from dvc.lock, and a page of a suite in a folder of its
# own (whose rows were run once) what its rows were made from.
_TRAINS = "train@"
_SHOWS = ("leaderboard@", "report")

# Takes a stage's command line, folder and environment; None means that it was not run.
RunCommand = Callable[[str, str, dict[str, str]], int | None]
# Told 'begins' and 'ends' of a stage's address.
Watch = Callable[[str, str], None]


@dataclass(frozen=True)
class Graph:
    """Stages of one pipeline file by address: what each waits for, and which have changed."""

    needs: dict[str, set[str]]
    changed: set[str]


def read_graph(root: Path, pipeline_file: str) -> Graph:
    """What DVC knows of a pipeline file, given relative to `root`.

    Raises UserError when another command of DVC is at work, or a file of DVC's is damaged.
    """
    try:
        return _read_graph(root, pipeline_file)
    except LockError as error:
        raise UserError(f"another dvc command is at work in this folder: {error}") from None
    except (YAMLSyntaxError, YAMLValidationError) as error:
        # DVC writes its lock in place, so a command killed at that moment leaves half of it.
        raise UserError(f"{error}; take the committed file back (git checkout -- FILE) and run "
                        "again: what had been done is in DVC's cache and is not done twice"
                        ) from None


def _read_graph(root: Path, pipeline_file: str) -> Graph:
    # DVC names stages as seen from the working directory.
    with contextlib.chdir(root), Repo(str(root)) as repo, repo.lock:
        stages = {stage.addressing: stage
                  for stage in repo.index.stages if stage.path_in_repo == pipeline_file}
        graph = repo.index.graph
        needs = {name: {other.addressing for other in graph.successors(stage)
                        if other.addressing in stages}
                 for name, stage in stages.items()}
        return Graph(needs, {name for name, stage in stages.items() if stage.changed()})


def run_stages(root: Path, targets: list[str], watch: Watch = lambda event, stage: None,
               run_command: RunCommand = lambda command, folder, environment: None) -> None:
    """Run those of `targets` that have changed, in their order.

    Raises UserError when one fails; those before it are recorded.
    """
    with (contextlib.chdir(root), _commands_run_by(run_command), _locks_written_whole(),
          Repo(str(root), _wait_for_lock=True) as repo):
        try:
            repo.reproduce(targets, single_item=True,
                           repro_fn=_Recorder(targets, watch).reproduce)
        except ReproductionError as error:
            raise UserError(f"{error}: {error.__cause__}") from None


class _Recorder:
    """Runs the stages that DVC hands over; those of `targets` end with everything recorded."""

    def __init__(self, targets: list[str], watch: Watch) -> None:
        self._last = targets[-1]
        self._watch = watch
        self._waiting: list[PipelineStage] = []
        self._recorded = time.monotonic()

    def reproduce(self, stage: PipelineStage, **options: Any) -> PipelineStage | None:
        """Run a stage if it has changed; DVC calls this while the repository is locked."""
        if self._reads_what_waits(stage):
            self._record()
        self._watch("begins", stage.addressing)
        try:
            done = stage.reproduce(**options)
        except BaseException:
            self._record()
            raise
        if done:
            self._waiting.append(done)
        late = time.monotonic() - self._recorded > _UNRECORDED_SECONDS
        if late or stage.addressing == self._last:
            self._record()
        self._watch("ends", stage.addressing)
        return done

    def _reads_what_waits(self, stage: PipelineStage) -> bool:
        """Whether a stage will look up in dvc.lock what is not recorded there yet."""
        if ":" in stage.addressing and stage.name.startswith(_SHOWS):
            return True
        if not stage.name.startswith(_TRAINS):
            return False
        written = {out.fs_path for waiting in self._waiting for out in waiting.outs}
        return any(dep.fs_path in written for dep in stage.deps)

    def _record(self) -> None:
        if self._waiting:
            self._waiting[0].dvcfile.dump_stages(self._waiting, update_pipeline=False)
        self._waiting = []
        self._recorded = time.monotonic()


@contextlib.contextmanager
def _locks_written_whole() -> Iterator[None]:
    """Let DVC put a new lock file in the place of the old one, instead of writing over it."""
    own = dvc.dvcfile.modify_yaml

    @contextlib.contextmanager
    def modified(path: str, fs: Any = None) -> Iterator[Any]:
        file = Path(path)
        data = parse_yaml_for_update(file.read_text("utf-8"), path) if file.exists() else {}
        yield data
        write_text(file, dumps_yaml(data))

    dvc.dvcfile.modify_yaml = modified
    try:
        yield
    finally:
        dvc.dvcfile.modify_yaml = own


@contextlib.contextmanager
def _commands_run_by(run_command: RunCommand) -> Iterator[None]:
    """Let DVC hand over each stage's command line; it runs what it gets None for."""
    own = dvc.stage.run._run

    def run(executable: str | None, command: str, **options: Any) -> None:
        code = run_command(command, options["cwd"], options["env"])
        if code is None:
            own(executable, command, **options)
        elif code != 0:
            raise StageCmdFailedError(command, code)

    dvc.stage.run._run = run
    try:
        yield
    finally:
        dvc.stage.run._run = own
