"""`make ui`: MLflow's pages over the tracking store, on loopback only."""

import os
import sys

from pipeline.errors import run_command


def main() -> None:
    from pipeline.tracking import tracking_uri

    port = os.environ.get("PORT", "5000")
    print(f"MLflow at http://127.0.0.1:{port} (PORT=N for another port, Ctrl-C to end)", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1",
                              "--port", port, "--backend-store-uri", tracking_uri()])


if __name__ == "__main__":
    run_command(main)
