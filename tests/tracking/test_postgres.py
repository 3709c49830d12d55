"""The tracking store on a real PostgreSQL: a private cluster on a random port of loopback."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.tracking.publish import publish
from tests.conftest import ROOT
from tests.tracked_project import (
    contents,
    curve_points,
    evaluate,
    free_port,
    killed_and_resumed,
    make_project,
    train,
    wait_for,
)

# PostgreSQL refuses to run as root, who therefore lends it an account without rights.
ACCOUNT = "nobody" if os.geteuid() == 0 else None


def _program(name: str) -> str | None:
    """The program of the newest PostgreSQL; Debian keeps it out of PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
                       key=lambda path: int(path.parts[-3]))
    return str(installed[-1]) if installed else shutil.which(name)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """URI of an empty database."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if not initdb or not pg_ctl:
        pytest.skip("POSTGRESQL NOT CHECKED: it is not installed (Debian: apt-get install "
                    "postgresql)")
    pytest.importorskip("psycopg2", reason="POSTGRESQL NOT CHECKED: pip install psycopg2-binary")
    # Not below pytest's folder, which is closed to other accounts.
    with tempfile.TemporaryDirectory(prefix="unrolled-postgres-") as name:
        folder, port = Path(name), free_port()
        if ACCOUNT:
            shutil.chown(folder, ACCOUNT)

        def run(*command: str) -> None:
            with (folder / "output.log").open("a") as log:
                subprocess.run(command, check=True, user=ACCOUNT, cwd=folder, stdout=log,
                               stderr=log, extra_groups=[] if ACCOUNT else None)

        cluster = str(folder / "cluster")
        run(initdb, "--pgdata", cluster, "--username", "runs", "--auth", "trust", "--no-sync",
            "--encoding", "UTF8")
        run(pg_ctl, "start", "--wait", "--pgdata", cluster, "--log", str(folder / "server.log"),
            "--options", f"-F -p {port} -k {folder} -c listen_addresses=127.0.0.1")
        try:
            yield f"postgresql+psycopg2://runs@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "stop", "--pgdata", cluster, "--mode", "immediate")


def test_killed_resumed_and_published_is_one_complete_run(
        database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    suite = make_project(tmp_path)
    killed_and_resumed(tmp_path, database)
    ((live,),) = contents(database)["reading"].values()
    assert live["points"] == curve_points()
    for key in suite.systems:
        train(suite, key)
        evaluate(suite, key)
    assert publish(suite).missing == []
    before = contents(database)
    (run,) = before["reading"]["recurrent"]
    assert (run["id"], run["status"]) == (live["id"], "FINISHED")
    assert {name: run["points"][name] for name in curve_points()} == curve_points()
    assert run["points"]["test_wer/beam"] == [(0, 11.0)]
    assert run["artifacts"] == ["figures/errors.txt", "samples/beam.json", "samples/greedy.json"]
    assert publish(suite).added == {"recurrent": 0, "counting": 0}
    assert contents(database) == before


def test_the_password_is_seen_by_nobody_while_the_pages_are_served(
        database: str, tmp_path: Path) -> None:
    """Neither in an argument of any process that the command starts, nor in what they print."""
    uri = database.replace("runs@", "runs:op3nsesame@")
    suite = make_project(tmp_path)
    for key in suite.systems:
        train(suite, key)
        evaluate(suite, key)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    port = free_port()
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "ui", "--no-browser", "--port", str(port),
             "--suite", str(tmp_path / "params.yaml")], cwd=ROOT, stdout=output, stderr=output,
            env=os.environ | {"PYTHONPATH": path, "MLFLOW_TRACKING_URI": uri},
            start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, tmp_path / "output")
        first = psutil.Process(process.pid)
        seen = [" ".join(one.cmdline()) for one in (first, *first.children(recursive=True))]
        assert any("uvicorn" in arguments for arguments in seen) and len(seen) > 3
        assert not any("op3nsesame" in arguments for arguments in seen)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert b"op3nsesame" not in (tmp_path / "output").read_bytes()
    assert b"op3nsesame" not in (tmp_path / "dvc.lock").read_bytes()
    assert "op3nsesame" not in str(contents(database))
