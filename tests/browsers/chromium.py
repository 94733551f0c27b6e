"""A headless Chromium, driven through its debugging pipe."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from browsers.driving import (
    CALL_SECONDS,
    MIDDLE,
    START_SECONDS,
    TOTAL_SECONDS,
    BrowserError,
    StoredCookie,
)

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--remote-debugging-pipe",
]
# Every host below .test is this machine, whatever its certificate, and http stays http.
OWN_HOSTS = [
    "--host-resolver-rules=MAP *.test 127.0.0.1",
    "--ignore-certificate-errors",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
]

# The debugging pipe is file descriptors 3 and 4 of the browser, whatever they are here.
_LAUNCH = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
Message = dict[str, Any]


def find_chromium() -> str | None:
    """The browser to ask, if there is one."""
    return shutil.which(os.environ.get("CHROMIUM") or "chromium")


class Chromium:
    """A headless browser with a profile of its own, gone when the block is left."""

    def __init__(self, executable: str, *flags: str) -> None:
        self._executable = executable
        self._flags = flags
        self._cleanup = ExitStack()
        self._deadline = time.monotonic() + TOTAL_SECONDS
        self._unread = b""
        self._calls = 0
        self._events: deque[Message] = deque(maxlen=1000)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            home = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
            )
            browser_reads, self._write = os.pipe()
            self._read, browser_writes = os.pipe()
            stack.callback(os.close, self._write)
            stack.callback(os.close, self._read)
            try:
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-c",
                        _LAUNCH,
                        str(browser_reads),
                        str(browser_writes),
                        self._executable,
                        *FLAGS,
                        *self._flags,
                        f"--user-data-dir={home}",
                        "about:blank",
                    ],
                    pass_fds=(browser_reads, browser_writes),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "HOME": home, "TZ": "UTC"},
                    start_new_session=True,
                )
            finally:
                os.close(browser_reads)
                os.close(browser_writes)
            stack.callback(self._stop)
            self.version: str = self.call("Browser.getVersion", seconds=START_SECONDS)["product"]
            self._cleanup = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def _stop(self) -> None:
        with suppress(BrowserError, subprocess.TimeoutExpired):
            self.call("Browser.close", seconds=5.0)
            self._process.wait(5.0)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(CALL_SECONDS)

    @contextmanager
    def visitor(self) -> Iterator[ChromiumVisitor]:
        """Let somebody new in, whose jar and tab are gone when the block is left."""
        context: str = self.call("Target.createBrowserContext")["browserContextId"]
        try:
            yield ChromiumVisitor(self, context)
        finally:
            self.call("Target.disposeBrowserContext", browserContextId=context)

    def call(
        self, method: str, session: str | None = None, seconds: float = CALL_SECONDS, **params: Any
    ) -> Message:
        """Give the browser one order and wait for the answer."""
        self._calls += 1
        message: Message = {"id": self._calls, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        try:
            os.write(self._write, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise BrowserError(f"{method}: the browser went away") from None
        deadline = min(time.monotonic() + seconds, self._deadline)
        for answer in self._messages(method, deadline):
            if answer.get("id") == self._calls:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error'].get('message')}")
                result: Message = answer["result"]
                return result
            self._events.append(answer)
        raise BrowserError(f"{method}: the browser went away")

    def overlook(self) -> None:
        """Forget what the browser has told of its own accord so far."""
        self._events.clear()

    def wait(self, what: str, wanted: Callable[[Message], bool]) -> None:
        """Wait until the browser has told, after what was overlooked, what is wanted."""
        while self._events:
            if wanted(self._events.popleft()):
                return
        deadline = min(time.monotonic() + CALL_SECONDS, self._deadline)
        for message in self._messages(what, deadline):
            if wanted(message):
                return
        raise BrowserError(f"{what}: the browser went away")

    def _messages(self, what: str, deadline: float) -> Iterator[Message]:
        while True:
            message, found, rest = self._unread.partition(b"\0")
            if found:
                self._unread = rest
                yield json.loads(message.decode("utf-8", "replace"))
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._read], [], [], left)[0]:
                raise BrowserError(f"{what}: no answer in time")
            chunk = os.read(self._read, 1 << 20)
            if not chunk:
                return
            self._unread += chunk


class ChromiumVisitor:
    """A browser context with one tab."""

    def __init__(self, browser: Chromium, context: str) -> None:
        self._browser = browser
        self._context = context
        self._target: str = browser.call(
            "Target.createTarget", url="about:blank", browserContextId=context
        )["targetId"]
        self._session: str = browser.call(
            "Target.attachToTarget", targetId=self._target, flatten=True
        )["sessionId"]
        self._call("Page.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)

    def visit(self, url: str) -> None:
        """Open an address as if it had been typed, and wait until it is loaded."""
        self._browser.overlook()
        begun = self._call("Page.navigate", url=url)
        if "errorText" in begun:
            raise BrowserError(f"{url}: {begun['errorText']}")
        self._wait_until_loaded(url, begun["loaderId"])

    def press(self, selector: str) -> None:
        """Click an element with the mouse, and wait until what it leads to is loaded."""
        middle = self.evaluate(MIDDLE % json.dumps(selector))
        if middle is None:
            raise BrowserError(f"there is no {selector} on the page")
        self._browser.overlook()
        for kind in ("mousePressed", "mouseReleased"):
            self._call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=middle[0],
                y=middle[1],
                button="left",
                clickCount=1,
            )
        self._wait_until_loaded(selector)

    def evaluate(self, script: str) -> Any:
        """Return what an expression comes to in the page; promises are waited for."""
        answer = self._call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def cookies(self) -> list[StoredCookie]:
        """Return the whole jar, sorted."""
        found = self._browser.call("Storage.getCookies", browserContextId=self._context)
        return sorted(
            StoredCookie(
                name=cookie["name"],
                domain=cookie["domain"].removeprefix("."),
                host_only=not cookie["domain"].startswith("."),
                path=cookie["path"],
                secure=cookie["secure"],
                http_only=cookie["httpOnly"],
                same_site=cookie.get("sameSite", ""),
                partitioned="partitionKey" in cookie,
                value=cookie["value"],
                expires=0 if cookie["session"] else int(cookie["expires"]),
            )
            for cookie in found["cookies"]
        )

    def forget(self) -> None:
        """Delete all cookies, as by hand in the settings."""
        self._browser.call("Storage.clearCookies", browserContextId=self._context)

    def _call(self, method: str, **params: Any) -> Message:
        return self._browser.call(method, self._session, **params)

    def _wait_until_loaded(self, what: str, loader: str | None = None) -> None:
        def loaded(message: Message) -> bool:
            told: Message = message.get("params", {})
            return (
                message.get("method") == "Page.lifecycleEvent"
                and message.get("sessionId") == self._session
                and told["name"] == "load"
                and told["frameId"] == self._target
                and loader in (None, told["loaderId"])
            )

        self._browser.wait(what, loaded)
