"""A headless browser for tests, driven over a pipe: no driver and no socket is needed."""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from fcntl import F_DUPFD, fcntl
from select import select
from tempfile import TemporaryDirectory

EXECUTABLE = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

SECONDS_TO_WAIT = 20

DRAWN = """new Promise((done) => {
  const settle = () => requestAnimationFrame(() => requestAnimationFrame(done));
  if (document.readyState === "complete") settle(); else addEventListener("load", settle);
})"""
"""A promise that is kept when a page is loaded, and drawn after that."""

SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-extensions",
    "--disable-component-update", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip


class Tab:
    """A page in the browser: what it shows, what it asks the network for, what it complains of."""

    def __init__(self, to_browser, from_browser):
        self._to, self._from = to_browser, from_browser
        self._last, self._session, self._left = 0, None, b""
        self.requests, self.complaints = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Call a method of the DevTools protocol and wait for its result."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def open(self, path, width=1400, height=900, theme="light"):
        """Open a file at a width, under a theme of the system, and wait until it is drawn."""
        self.requests, self.complaints = [], []
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url=path.as_uri())
        self.evaluate(DRAWN)

    def evaluate(self, expression):
        """Give the value of a JavaScript expression; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key):
        """Press a key."""
        text = {"Enter": "\r", " ": " "}.get(key)
        further = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **further)

    def _next(self):
        while b"\0" not in self._left:
            assert select([self._from], [], [], SECONDS_TO_WAIT)[0], "the browser does not answer"
            read = os.read(self._from, 1 << 16)
            assert read, "the browser has ended"
            self._left += read
        first, _, self._left = self._left.partition(b"\0")
        message = json.loads(first)
        method, values = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent" and not values["request"]["url"].startswith("data:"):
            self.requests.append(values["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(values["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning"):
            self.complaints.append(str(values["args"]))
        elif method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
            self.complaints.append(values["entry"]["text"])
        return message


@contextmanager
def browser():
    """Start a browser with an empty profile; gives a tab."""
    to_browser, from_us = os.pipe()[::-1]
    from_browser, to_us = os.pipe()

    def lend():
        """The browser reads from descriptor 3 and writes to descriptor 4."""
        ours = [fcntl(end, F_DUPFD, 10) for end in (from_us, to_us)]
        for end, place in zip(ours, (3, 4), strict=True):
            os.dup2(end, place)

    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [EXECUTABLE, *SWITCHES, f"--user-data-dir={profile}"],
            preexec_fn=lend, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(from_us)
        os.close(to_us)
        try:
            yield Tab(to_browser, from_browser)
        finally:
            process.terminate()
            process.wait(10)
            os.close(to_browser)
            os.close(from_browser)
