"""`unrolled ui`: MLflow's pages over the tracking store, on loopback only.

MLflow opens an experiment on a page for traces, of which there are none here; the addresses that
are printed lead to the table of runs and their scores (`pipeline.tracking.views`). The last line
says how many tracks' winners are in the model registry.
"""

import os
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline import processes
from pipeline.errors import UserError, without_secrets
from pipeline.running.trained import suite_option
from pipeline.suite.schema import Suite
from pipeline.tracking.addresses import is_server, tracking_uri
from pipeline.tracking.publish import Outcome, publish, winners
from pipeline.tracking.store import SCORES_VIEW

_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.2


def serve(suite: Suite, port: int, browser: bool) -> None:
    """Publish a suite's results, print where they are, and serve MLflow until it is interrupted.

    Raises UserError when the store or the port cannot be had.
    """
    uri = tracking_uri(suite.places)
    outcome = publish(suite)
    for line in gaps(suite, outcome):
        print(line, flush=True)
    if is_server(uri):
        for line in (*addresses(uri, outcome), *winners(outcome)):
            print(line, flush=True)
        return
    _require_free(port)
    base = f"http://{_HOST}:{port}"
    print(f"MLflow at {base} (--port N for another port, Ctrl-C to end)", flush=True)
    for line in (*addresses(base, outcome), *winners(outcome)):
        print(line, flush=True)
    with processes.started(command(port), env=environment(uri, os.environ)) as server:
        try:
            if browser and outcome.experiments and _answers(port, server):
                _open(runs_page(base, next(iter(outcome.experiments.values()))))
            code = processes.wait(server)
        except KeyboardInterrupt:  # the way to end it
            code = 0
    if code:
        raise UserError(f"MLflow ended with exit code {code}; see above")


def command(port: int) -> list[str]:
    """MLflow's server; the store stands in the environment, where other users cannot read it."""
    return [sys.executable, "-m", "mlflow", "ui", "--host", _HOST, "--port", str(port)]


def environment(uri: str, variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` and the store's address, which may hold a password."""
    return {**variables, "MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_TRACKING_URI": uri}


def runs_page(base: str, experiment: str) -> str:
    """The address of an experiment's table of runs and their scores, best first."""
    return (f"{base}/#/experiments/{experiment}/runs?workflowType=machine_learning"
            f"&viewStateShareKey={SCORES_VIEW}")


def addresses(base: str, outcome: Outcome) -> Iterator[str]:
    """A line with the table of runs of each track that has any."""
    shown = without_secrets(base).rstrip("/")
    width = max(map(len, outcome.experiments), default=0)
    for track, experiment in outcome.experiments.items():
        yield f"  {track:{width}}  {runs_page(shown, experiment)}"


def gaps(suite: Suite, outcome: Outcome) -> Iterator[str]:
    """One line that says what is not here and what brings it; none when all is."""
    which = suite_option(suite)
    brings = f"'unrolled repro{which}' makes it, 'dvc pull' brings it from a DVC remote"
    total = len(suite.systems)
    if not outcome.added:
        yield f"nothing to compare: none of {total} systems is trained here; {brings}"
    elif outcome.missing:
        partly = {gap.system for gap in outcome.missing}
        yield (f"{len(outcome.added)} of {total} systems have runs; something is not here of "
               f"{len(partly)} ('unrolled publish{which}' says what); {brings}")


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            raise UserError(f"port {port} cannot be used ({error}); give another one with --port"
                            ) from None


def _answers(port: int, server: "subprocess.Popen[Any]") -> bool:
    """Wait until the server takes connections; False when it ends or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return True
        time.sleep(_POLL_SECONDS)
    return False


def _open(address: str) -> None:
    """Show a page where there is a graphical browser; a browser in the terminal would block it."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return
    if type(found) is not webbrowser.GenericBrowser:
        found.open(address)
