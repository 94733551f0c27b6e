"""A headless Firefox, driven by WebDriver BiDi: https://w3c.github.io/webdriver-bidi/."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

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
    "--no-remote",
    "--remote-debugging-port=0",
    "--remote-allow-system-access",
]

# Nothing is fetched but what a test asks for, and what it asks for is fetched as asked.
PREFERENCES: dict[str, bool | int | str] = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.chrome.site_icons": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.usage.uploadEnabled": False,
    "devtools.jsonview.enabled": False,
    "dom.push.connection.enabled": False,
    "dom.security.https_first": False,
    "dom.security.https_only_mode": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.http.speculative-parallel-limit": 0,
    "network.prefetch-next": False,
    "network.proxy.type": 0,
    "network.trr.mode": 5,
    "security.OCSP.enabled": 0,
    "services.settings.server": "data:,",
    "signon.autofillForms": False,
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "data:,",
    "toolkit.telemetry.unified": False,
}

# BiDi does not say which cookies are partitioned, so the browser's own service is asked.
_NEWEST_USER = """Math.max(...ChromeUtils.importESModule(
  "resource://gre/modules/ContextualIdentityService.sys.mjs"
).ContextualIdentityService.getPublicUserContextIds())"""
_JAR = """Services.cookies.cookies
  .filter((cookie) => cookie.originAttributes.userContextId === %d)
  .map((cookie) => ({
    name: cookie.name,
    domain: cookie.host.replace(/^[.]/, ""),
    host_only: !cookie.isDomain,
    path: cookie.path,
    secure: cookie.isSecure,
    http_only: cookie.isHttpOnly,
    same_site: {0: "None", 1: "Lax", 2: "Strict"}[cookie.sameSite] || "",
    partitioned: cookie.isPartitioned,
    value: cookie.value,
    expires: cookie.isSession ? 0 : Math.floor(cookie.expiry / 1000),
  }))"""
_FORGET = """Services.cookies.removeCookiesWithOriginAttributes('{"userContextId": %d}')"""
_ADDRESS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
Message = dict[str, Any]


def find_firefox() -> str | None:
    """The browser to ask, if there is one."""
    named = os.environ.get("FIREFOX")
    return shutil.which(named) if named else shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """A headless browser with a profile of its own, for which some hosts are this machine."""

    def __init__(self, executable: str, hosts: Iterable[str] = ()) -> None:
        self._executable = executable
        self._hosts = ",".join(hosts)
        self._cleanup = ExitStack()
        self._deadline = time.monotonic() + TOTAL_SECONDS
        self._calls = 0
        self._events: deque[Message] = deque(maxlen=1000)
        self._listeners: list[Callable[[Message], None]] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            home = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True)
                )
            )
            self._process, log = self._launch(home)
            stack.callback(self._kill)
            address = self._address(log)
            try:
                self._socket = stack.enter_context(
                    # A whole jar may be one message.
                    connect(f"{address}/session", proxy=None, max_size=None, open_timeout=10)
                )
            except (OSError, WebSocketException) as error:
                raise BrowserError(f"no connection to the browser: {error}") from error
            stack.callback(self._close)
            session = self.call(
                "session.new",
                seconds=START_SECONDS,
                capabilities={"alwaysMatch": {"acceptInsecureCerts": True}},
            )["capabilities"]
            self.version = f"{session['browserName']}/{session['browserVersion']}"
            self.call("session.subscribe", events=["browsingContext.load"])
            windows = self.call("browsingContext.getTree", **{"moz:scope": "chrome"})
            self._window: str = windows["contexts"][0]["context"]
            self._cleanup = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def _launch(self, home: Path) -> tuple[subprocess.Popen[bytes], Path]:
        profile = home / "profile"
        profile.mkdir()
        preferences = {**PREFERENCES, "network.dns.localDomains": self._hosts}
        (profile / "user.js").write_text(
            "".join(
                f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
                for name, value in preferences.items()
            )
        )
        log = home / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self._executable, *FLAGS, "--profile", str(profile)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                env={**os.environ, "HOME": str(home), "TMPDIR": str(home), "TZ": "UTC"},
                start_new_session=True,
            )
        return process, log

    def _address(self, log: Path) -> str:
        """Return where the browser says that it listens."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            if found := _ADDRESS.search(log.read_text("utf-8", "replace")):
                return found[1]
            time.sleep(0.02)
        raise BrowserError(f"the browser does not listen:\n{log.read_text('utf-8', 'replace')}")

    def _close(self) -> None:
        with suppress(BrowserError, subprocess.TimeoutExpired):
            self.call("browser.close", seconds=5.0)
            self._process.wait(5.0)

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(CALL_SECONDS)

    @contextmanager
    def visitor(self) -> Iterator[FirefoxVisitor]:
        """Let somebody new in, whose jar and tab are gone when the block is left."""
        user: str = self.call("browser.createUserContext")["userContext"]
        try:
            yield FirefoxVisitor(self, user, self.ask(_NEWEST_USER))
        finally:
            self.call("browser.removeUserContext", userContext=user)

    def call(self, method: str, seconds: float = CALL_SECONDS, **params: Any) -> Message:
        """Give the browser one order and wait for the answer."""
        self._calls += 1
        order = json.dumps({"id": self._calls, "method": method, "params": params})
        deadline = min(time.monotonic() + seconds, self._deadline)
        try:
            self._socket.send(order)
        except WebSocketException as error:
            raise BrowserError(f"{method}: the browser went away") from error
        while True:
            answer = self._receive(method, deadline)
            if answer.get("id") == self._calls:
                if answer["type"] == "error":
                    raise BrowserError(f"{method}: {answer['error']}: {answer['message']}")
                result: Message = answer["result"]
                return result
            self._events.append(answer)

    def evaluate(self, script: str, context: str) -> Any:
        """Return what an expression comes to in a context; promises are waited for."""
        answer = self.call(
            "script.evaluate",
            expression=f"Promise.resolve({script}).then((found) => JSON.stringify(found))",
            target={"context": context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BrowserError(f"{script}: {answer['exceptionDetails'].get('text')}")
        value = answer["result"].get("value")
        return None if value is None else json.loads(value)

    def ask(self, script: str) -> Any:
        """Return what an expression comes to in the browser itself."""
        return self.evaluate(script, self._window)

    def overlook(self) -> None:
        """Forget what the browser has told of its own accord so far."""
        self._events.clear()

    def wait(self, what: str, wanted: Callable[[Message], bool]) -> None:
        """Wait until the browser has told, after what was overlooked, what is wanted."""
        while self._events:
            if wanted(self._events.popleft()):
                return
        deadline = min(time.monotonic() + CALL_SECONDS, self._deadline)
        while not wanted(self._receive(what, deadline)):
            pass

    @contextmanager
    def told(self, listener: Callable[[Message], None], *events: str) -> Iterator[None]:
        """Hand everything to a listener that the browser tells of its own accord."""
        subscription = self.call("session.subscribe", events=list(events))["subscription"]
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
            self.call("session.unsubscribe", subscriptions=[subscription])

    @contextmanager
    def preferring(self, **preferences: bool | int) -> Iterator[None]:
        """Have settings of the browser be other than usual; "__" stands for a dot."""
        named = {name.replace("__", "."): value for name, value in preferences.items()}
        for name, value in named.items():
            kind = "Bool" if isinstance(value, bool) else "Int"
            self.ask(f"Services.prefs.set{kind}Pref({json.dumps(name)}, {json.dumps(value)}) ?? 0")
        try:
            yield
        finally:
            for name in named:
                self.ask(f"Services.prefs.clearUserPref({json.dumps(name)}) ?? 0")

    def _receive(self, what: str, deadline: float) -> Message:
        try:
            message: Message = json.loads(
                self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            )
        except TimeoutError:
            raise BrowserError(f"{what}: no answer in time") from None
        except WebSocketException as error:
            raise BrowserError(f"{what}: the browser went away") from error
        if "method" in message:
            for listener in self._listeners:
                listener(message)
        return message


# What WebDriver calls the keys that are no characters.
KEYS = {"Tab": "\ue004", "Shift": "\ue008", "Enter": "\ue006", "Escape": "\ue00c", "Space": " "}
_SCRIPTING = """[...Services.wm.getEnumerator("navigator:browser")]
  .flatMap((window) => [...window.gBrowser.tabs])
  .filter((tab) => tab.userContextId === %d)
  .forEach((tab) => { tab.linkedBrowser.browsingContext.allowJavascript = %s; }) ?? 0"""


class FirefoxVisitor:
    """A user context with one tab."""

    def __init__(self, browser: Firefox, user: str, number: int) -> None:
        self._browser = browser
        self._user = user
        self._number = number
        self._tab: str = browser.call("browsingContext.create", type="tab", userContext=user)[
            "context"
        ]
        self._scripting = True

    @property
    def name(self) -> str:
        """What the browser calls the tab in what it tells."""
        return self._tab

    def tab(self) -> FirefoxVisitor:
        """Open another tab, with the same jar."""
        return FirefoxVisitor(self._browser, self._user, self._number)

    def without_scripting(self) -> None:
        """Let no script run in any page that is opened from now on."""
        self._browser.ask(_SCRIPTING % (self._number, "false"))
        self._scripting = False

    def resize(self, width: int, height: int) -> None:
        """Give the window another size, in CSS pixels."""
        size = {"width": width, "height": height}
        self._browser.call("browsingContext.setViewport", context=self._tab, viewport=size)

    def visit(self, url: str) -> None:
        """Open an address as if it had been typed, and wait until it is loaded."""
        self._browser.call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def press(self, selector: str) -> None:
        """Click an element with the mouse, and wait until what it leads to is loaded."""
        middle = self.evaluate(MIDDLE % json.dumps(selector))
        if middle is None:
            raise BrowserError(f"there is no {selector} on the page")
        self._browser.overlook()
        self._act("pointer", *_click(*middle))
        self._browser.wait(
            selector,
            lambda message: (
                message.get("method") == "browsingContext.load"
                and message["params"]["context"] == self._tab
            ),
        )

    def click(self, selector: str) -> None:
        """Click an element that does not lead to another page."""
        middle = self.evaluate(MIDDLE % json.dumps(selector))
        if middle is None:
            raise BrowserError(f"there is no {selector} on the page")
        self._act("pointer", *_click(*middle))

    def key(self, name: str) -> None:
        """Press a key such as "Tab" or "Shift+Tab"."""
        keys = [KEYS[one] for one in name.split("+")]
        down = [{"type": "keyDown", "value": key} for key in keys]
        up = [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self._act("key", *down, *up)

    def back(self) -> None:
        """Go to the page before, as by the browser's button."""
        self._browser.call("browsingContext.traverseHistory", context=self._tab, delta=-1)

    def until(self, script: str) -> None:
        """Wait until an expression is true in the page, whichever is open."""
        end = time.monotonic() + CALL_SECONDS
        while time.monotonic() < end:
            with suppress(BrowserError):  # a page that is being left
                if self.evaluate(script):
                    return
            time.sleep(0.01)
        raise BrowserError(f"{script}: not in time")

    def _act(self, kind: str, *actions: Message) -> None:
        source = {"type": kind, "id": kind, "actions": list(actions)}
        self._browser.call("input.performActions", context=self._tab, actions=[source])

    def evaluate(self, script: str) -> Any:
        """Return what an expression comes to in the page; promises are waited for."""
        if self._scripting:
            return self._browser.evaluate(script, self._tab)
        # Nothing runs in the page, but a sandbox of the driver's sees its document.
        answer = self._browser.call(
            "script.evaluate",
            expression=f"JSON.stringify({script})",
            target={"context": self._tab, "sandbox": "looking"},
            awaitPromise=False,
        )
        if answer["type"] == "exception":
            raise BrowserError(f"{script}: {answer['exceptionDetails'].get('text')}")
        value = answer["result"].get("value")
        return None if value is None else json.loads(value)

    def cookies(self) -> list[StoredCookie]:
        """Return the whole jar, sorted."""
        found = self._browser.ask(_JAR % self._number)
        return sorted(StoredCookie(**cookie) for cookie in found)

    def forget(self) -> None:
        """Delete all cookies, as by hand in the settings."""
        self._browser.ask(_FORGET % self._number)


def _click(x: int, y: int) -> list[Message]:
    return [
        {"type": "pointerMove", "x": x, "y": y},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerUp", "button": 0},
    ]
