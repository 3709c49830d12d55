"""A test's server at work: in a thread of its own, until the block ends."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_work(server: socketserver.TCPServer) -> Iterator[int]:
    """Gives the port that the server listens on."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
