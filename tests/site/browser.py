"""A headless Chromium that a test drives by the DevTools protocol, over a pipe and no port."""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe"]
_ABOVE = 20  # no shell uses these descriptors itself
PATIENCE_SECONDS = 60.0


class Browser:
    """One page of a browser; `problems` are errors of its console, `asked` what it has loaded."""

    def __init__(self, out: int, into: int) -> None:
        self._out, self._into = out, into
        self._number, self._rest = 0, b""
        self._session: str | None = None
        self.problems: list[str] = []
        self.asked: list[str] = []
        self._loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target,
                                  flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command's result; events that come before it are noted."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, f"{method}: {found['error']}"
                return found["result"]

    def open(self, path: Path, width: int = 1200, scheme: str = "light") -> None:
        """Open a page from disk and wait until it is loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800,
                  deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme},
                            {"name": "prefers-reduced-motion", "value": "reduce"}])
        self._loaded = False
        self.call("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self._next()

    def ask(self, script: str) -> Any:
        """The value of an expression in the page, which may be a promise."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                          returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def follow(self, link: str) -> None:
        """Press the mouse on what an expression of the page finds, and wait for the next page."""
        place = self._centre(link)
        self._loaded = False
        self._press_mouse(place)
        while not self._loaded:
            self._next()

    def click(self, link: str) -> None:
        """Press the mouse on what an expression of the page finds."""
        self._press_mouse(self._centre(link))

    def _centre(self, link: str) -> dict[str, float]:
        found: dict[str, float] = self.ask(f"""(() => {{ const one = {link};
            one.scrollIntoView({{behavior: 'instant', block: 'center'}});
            const box = one.getClientRects()[0];
            return {{x: box.x + box.width / 2, y: box.y + box.height / 2}}; }})()""")
        return found

    def _press_mouse(self, place: dict[str, float]) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def press(self, key: str, text: str = "") -> None:
        code = {"Enter": 13, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code, **({"text": text} if kind == "keyDown" and text
                                                     else {}))

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.ask(script):
            assert time.monotonic() < deadline and not self.problems, (script, self.problems)
            time.sleep(0.05)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._out], [], [], PATIENCE_SECONDS)
            assert ready, "the browser says nothing"
            read = os.read(self._out, 1 << 20)
            assert read, "the browser has ended"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        self._note(found.get("method", ""), found.get("params", {}))
        return found

    def _note(self, event: str, told: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(told["exceptionDetails"])[:2000])
        elif event == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.problems.append(json.dumps(told["args"])[:2000])
        elif event == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.problems.append(json.dumps(told["entry"])[:2000])


@contextlib.contextmanager
def browser(program: str, profile: Path) -> Iterator[Browser]:
    """A browser at work; it and all that it has started end with the block."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    reads = fcntl.fcntl(theirs_in, fcntl.F_DUPFD, _ABOVE)
    writes = fcntl.fcntl(theirs_out, fcntl.F_DUPFD, _ABOVE)
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$0" "$@" 3<&{reads} 4>&{writes}', program, *_OPTIONS,
         f"--user-data-dir={profile}"], pass_fds=(reads, writes), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for theirs in (theirs_in, theirs_out, reads, writes):
        os.close(theirs)
    try:
        yield Browser(ours_in, ours_out)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours_in)
        os.close(ours_out)
