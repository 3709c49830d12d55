"""`make ui`: MLflow's pages over the tracking store, on loopback only."""

import os
import sys
from pathlib import Path

from pipeline.errors import UserError, run_command


def main() -> None:
    from pipeline.suite.places import Places
    from pipeline.tracking.store import is_server, tracking_uri

    uri = tracking_uri(Places(Path(__file__).resolve().parents[2]))
    if is_server(uri):
        print(f"the runs are on the MLflow server {uri}: open it in a browser")
        return
    port = os.environ.get("PORT", "5000")
    if not port.isdigit():
        raise UserError(f"PORT={port}: give a port number, for example PORT=5001")
    print(f"MLflow at http://127.0.0.1:{port} (PORT=N for another port, Ctrl-C to end)", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1",
                              "--port", port, "--backend-store-uri", uri])


if __name__ == "__main__":
    run_command(main)
