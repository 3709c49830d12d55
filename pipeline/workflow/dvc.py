"""The one module that knows DVC's internals, as they are in the versions that pyproject.toml names.

Four things are asked of them. Which stages there are, which waits for which, and which have
changed. That stages run one after the other and are recorded together: `dvc repro` rewrites all of
dvc.lock after each stage, and with 250 stages in it that takes two seconds, longer than many a
stage. That dvc.lock is written whole or not at all: DVC writes it in place, for seconds, while a
stage of another process may look up its data in it. And that a stage's command is run by somebody
else than a new shell, or in a shell that ends with this process. What is run, checked and cached is
DVC's own work, and so is what stands in dvc.lock.

A process may be killed before it records. So each stage that ends is noted at once in a small file,
and whoever asks for the graph next takes such notes over into dvc.lock: what is done stays done.
"""

import contextlib
import json
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dvc.dvcfile
import dvc.stage.run
from dvc.exceptions import DvcException, NotDvcRepoError, ReproductionError
from dvc.lock import LockError, make_lock
from dvc.repo import Repo
from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK
from dvc.scm import SCMError
from dvc.stage import PipelineStage
from dvc.stage.exceptions import StageCmdFailedError
from dvc.stage.serialize import to_lockfile
from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

from pipeline import processes
from pipeline.errors import UserError
from pipeline.provenance.lock import read_lock
from pipeline.storage.files import growing, write_text

VERSIONS = ">=3.67,<3.68"
# What a plain `dvc repro` may have to do again after a kill took no longer than this.
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
    with _opened(root) as repo, repo.lock:
        _forget_half_written_marks(repo)
        _take_over_notes(repo)
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
    with _commands_run_by(run_command), _opened(root, _wait_for_lock=True) as repo:
        recorder = _Recorder(targets, watch, _Notes(_notes_of(repo) / f"{os.getpid()}.jsonl"))
        repo.reproduce(targets, single_item=True, repro_fn=recorder.reproduce)


def settle(root: Path, target: str) -> None:
    """What `dvc repro --quiet TARGET` does. Raises UserError when a stage fails."""
    logging.getLogger("dvc").setLevel(logging.CRITICAL)
    with (_commands_run_by(lambda command, folder, environment: None),
          _opened(root, _wait_for_lock=True) as repo):
        repo.reproduce([target])


@contextlib.contextmanager
def _opened(root: Path, **options: Any) -> Iterator[Repo]:
    """The project in `root` as DVC knows it, seen from there. Raises UserError for what DVC says.

    Only errors that DVC itself means for its user are so told.
    """
    for lock in (root / "dvc.lock", *sorted(root.glob("*/dvc.lock"))):
        read_lock(lock)
    try:
        with contextlib.chdir(root), _locks_written_whole(), Repo(str(root), **options) as repo:
            yield repo
    except LockError as error:
        raise UserError(f"another dvc command is at work in this folder: {error}") from None
    except ReproductionError as error:
        raise UserError(f"{error}: {error.__cause__}") from None
    except SCMError as error:
        raise UserError(f"{error}, and DVC works in one; clone the project by 'git clone', or call "
                        "'git init' in this folder") from None
    except NotDvcRepoError:
        raise UserError(f"{root} lacks DVC's folder .dvc; take it back by 'git checkout -- .dvc', "
                        "or make one by 'dvc init'") from None
    except DvcException as error:
        raise UserError(str(error)) from None


class _Recorder:
    """Runs the stages that DVC hands over; those of `targets` end with everything recorded."""

    def __init__(self, targets: list[str], watch: Watch, notes: "_Notes") -> None:
        self._last = targets[-1]
        self._watch = watch
        self._notes = notes
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
            self._notes.add(done)
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
            self._notes.forget()
        self._waiting = []
        self._recorded = time.monotonic()


@dataclass(frozen=True)
class _Notes:
    """What a process has done and not recorded yet, a line of JSON for each stage."""

    file: Path

    def add(self, stage: PipelineStage) -> None:
        line = json.dumps([str(Path(stage.path).with_name("dvc.lock")), to_lockfile(stage)])
        with growing(self.file) as output:
            output.write(f"{line}\n".encode())
            output.flush()
            os.fsync(output.fileno())

    def read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The lock file and the entry of each stage, up to a line that a kill cut short."""
        with contextlib.suppress(ValueError):
            for line in self.file.read_bytes().splitlines():
                lock, entry = json.loads(line, object_pairs_hook=OrderedDict)
                yield lock, entry

    def forget(self) -> None:
        self.file.unlink(missing_ok=True)


def _notes_of(repo: Repo) -> Path:
    return Path(repo.tmp_dir) / "unrolled"


def _take_over_notes(repo: Repo) -> None:
    """Record what killed processes had done; the repository must be locked."""
    for file in sorted(_notes_of(repo).glob("*.jsonl")):
        notes = _Notes(file)
        found: dict[str, dict[str, Any]] = {}
        for lock, entry in notes.read():
            found.setdefault(lock, {}).update(entry)
        for lock, stages in found.items():
            with dvc.dvcfile.modify_yaml(lock) as data:
                data.setdefault("schema", "2.0")
                data.setdefault("stages", {}).update(stages)
        notes.forget()


def _forget_half_written_marks(repo: Repo) -> None:
    """Remove DVC's list of files in use where a kill has cut it short: no command can read it."""
    marks = Path(repo.tmp_dir) / RWLOCK_FILE
    with make_lock(str(marks.with_name(RWLOCK_LOCK)), tmp_dir=repo.tmp_dir, wait=True):
        try:
            json.loads(marks.read_text("utf-8"))
        except FileNotFoundError:
            pass
        except ValueError:
            marks.unlink()


@contextlib.contextmanager
def _locks_written_whole() -> Iterator[None]:
    """Let DVC put a new lock file in the place of the old one, instead of writing over it.

    Its stages are sorted, so that it does not depend on which of them ended first.
    """
    own = dvc.dvcfile.modify_yaml

    @contextlib.contextmanager
    def modified(path: str, fs: Any = None) -> Iterator[Any]:
        file = Path(path)
        data = parse_yaml_for_update(file.read_text("utf-8"), path) if file.exists() else {}
        yield data
        for name in sorted(stages := data.get("stages", {})):
            stages[name] = stages.pop(name)
        write_text(file, dumps_yaml(data))

    dvc.dvcfile.modify_yaml = modified
    try:
        yield
    finally:
        dvc.dvcfile.modify_yaml = own


@contextlib.contextmanager
def _commands_run_by(run_command: RunCommand) -> Iterator[None]:
    """Let DVC hand over each stage's command line; a shell runs what it gets None for."""
    own = dvc.stage.run._run

    def run(executable: str | None, command: str, **options: Any) -> None:
        folder, environment = options["cwd"], options["env"]
        code = run_command(command, folder, environment)
        if code is None:
            in_shell = dvc.stage.run._make_cmd(executable, command)
            code = processes.run(in_shell, cwd=folder, env=environment).returncode
        if code != 0:
            raise StageCmdFailedError(command, code)

    dvc.stage.run._run = run
    try:
        yield
    finally:
        dvc.stage.run._run = own
