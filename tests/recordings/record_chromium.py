"""Record what a real Chromium stores for odd ``Set-Cookie`` lines.

    python tests/recordings/record_chromium.py           rewrite chromium.json
    python tests/recordings/record_chromium.py --check   record anew and compare, 1 on a difference

The lines come from ``set_cookie_lines.py``.  They are written as raw bytes on a raw socket, so
that any byte can be sent.  The browser is the ``chromium`` of the search path, or ``$CHROMIUM``.
It is driven as in tests/browsers: every case is opened as if its address had been typed, so
that ``SameSite`` never hides a cookie, and has a host of its own below ``localhost``, so that no
case sees the cookies of another one.  A case is a chain of redirects,

    (seed ->) line -> read

and its result is the Cookie header of the last request.  Three kinds of case exist:

``set``
    The line is sent to an empty jar.
``delete``
    The seed is stored first; then comes the line.
``canonical``
    As ``delete``, with the line that ``canonical_deletion`` makes of every line that
    ``is_deletion`` accepts, in a jar of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import difflib
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import NotRequired, Self, TypedDict

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from set_cookie_lines import Case, Kind, cases  # noqa: E402

from browsers.chromium import Chromium, find_chromium  # noqa: E402
from browsers.driving import CALL_SECONDS, BrowserError  # noqa: E402

RECORDING = HERE / "chromium.json"


class RecordingError(Exception):
    """The recording could not be made."""


class Row(TypedDict):
    """What one case came to."""

    kind: Kind
    group: str
    text: str
    """The line under test, for the eye; `line` is the same, for programs."""
    sent_text: str
    """The Cookie header that came back, for the eye; `sent` is the same, for programs."""
    stored: int
    """How many cookies of the host the jar holds afterwards, whatever their path."""
    seed_gone: NotRequired[bool]
    """Whether the seed, as it was, is no longer sent."""
    same_cookie: NotRequired[bool]
    """Whether the line speaks of the seed."""
    refused: NotRequired[bool]
    """Whether the browser took the whole response for an error."""
    host: str
    directory: str
    seed: NotRequired[str]
    line: str
    sent: str


class Recording(TypedDict):
    """The file as a whole."""

    browser: str
    recorded_at: str
    cases: list[Row]


# --- bytes as text --------------------------------------------------------------------------------

_RUN = re.compile(rb"(..??)\1{31,}", re.DOTALL)


def pack(data: bytes) -> str:
    """Bytes as hexadecimal, with `61*4093` for 4093 times the byte 61; runs of pairs likewise."""
    parts: list[str] = []
    end = 0
    for run in _RUN.finditer(data):
        parts.append(data[end : run.start()].hex())
        parts.append(f"{run[1].hex()}*{len(run[0]) // len(run[1])}")
        end = run.end()
    parts.append(data[end:].hex())
    return " ".join(part for part in parts if part)


def unpack(text: str) -> bytes:
    """The bytes that `pack` was given."""
    found = b""
    for part in text.split():
        digits, _, count = part.partition("*")
        found += bytes.fromhex(digits) * int(count or 1)
    return found


def readable(data: bytes) -> str:
    """Bytes as printable ASCII, long runs shortened."""
    short = _RUN.sub(lambda run: run[1] * 3 + b"[*%d]" % (len(run[0]) // len(run[1])), data)
    return "".join(
        chr(code) if 0x20 <= code < 0x7F and code != 0x5C else f"\\x{code:02x}" for code in short
    )


# --- the server -----------------------------------------------------------------------------------


class _Origin:
    """Answers every host with the lines of its case, and remembers the Cookie headers."""

    def __init__(self) -> None:
        self._cases: dict[tuple[str, str], Case] = {}
        self._cookies: dict[tuple[str, str, str], bytes] = {}
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._socket.close()

    def serve(self, case: Case) -> None:
        self._cases[case.kind, case.host] = case

    def url(self, case: Case, step: str) -> str:
        return f"http://{case.host}:{self.port}{case.directory}{case.kind}-{step}"

    def cookie(self, case: Case, step: str) -> bytes | None:
        """The Cookie header that came with a step; None when the step was not asked for."""
        return self._cookies.get((case.kind, case.host, step))

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(CALL_SECONDS)
            head = b""
            while b"\r\n\r\n" not in head:
                chunk = connection.recv(65536)
                if not chunk:
                    return
                head += chunk
            connection.sendall(self._response(head.split(b"\r\n\r\n")[0].split(b"\r\n")))

    def _response(self, head: list[bytes]) -> bytes:
        fields = [line.partition(b":")[::2] for line in head[1:]]
        host = b"".join(value for name, value in fields if name.lower() == b"host")
        sent = b"; ".join(value.strip(b" ") for name, value in fields if name.lower() == b"cookie")
        host_name = host.strip().rpartition(b":")[0].decode("latin-1")
        target = head[0].split(b" ")[1].decode("latin-1")
        kind, _, step = target.rpartition("/")[2].partition("-")
        case = self._cases.get((kind, host_name))
        if case is None:
            return b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        self._cookies[kind, host_name, step] = sent
        if step == "read":
            # A navigation that ends in 204 leaves the tab as it is: no page, no new process.
            return b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
        following, line = ("line", case.seed) if step == "seed" else ("read", case.line)
        return (
            b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: "
            + f"{case.directory}{case.kind}-{following}\r\n".encode()
            + b"Set-Cookie: "
            + line
            + b"\r\n\r\n"
        )


# --- the browser ----------------------------------------------------------------------------------


class _Jar:
    """A cookie jar of the browser, with a tab that fills it."""

    def __init__(self, browser: Chromium) -> None:
        self._browser = browser
        self._context: str = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call(
            "Target.createTarget", url="about:blank", browserContextId=self._context
        )["targetId"]
        self._session: str = browser.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]

    def visit(self, url: str) -> None:
        self._browser.call("Page.navigate", self._session, url=url)

    def domains(self) -> list[str]:
        """The domain of every cookie in the jar."""
        found = self._browser.call("Storage.getCookies", browserContextId=self._context)
        return [cookie["domain"] for cookie in found["cookies"]]


# --- the recording --------------------------------------------------------------------------------


def canonical_cases(found: Iterable[Case], now: float) -> list[Case]:
    """The library's own form of every deletion it recognises among the cases."""
    from consentgate.core.cookies import canonical_deletion, is_deletion

    return [
        dataclasses.replace(case, kind="canonical", line=canonical_deletion(case.line))
        for case in found
        if case.kind == "delete" and is_deletion(case.line, now)
    ]


def _visit(jar: _Jar, origin: _Origin, case: Case) -> tuple[bytes, bool]:
    """The Cookie header after the line, and whether the response to it was refused."""
    origin.serve(case)
    jar.visit(origin.url(case, "seed" if case.seed else "line"))
    if case.seed and _pair(case.seed) != origin.cookie(case, "line"):
        raise RecordingError(f"{case.host}: the seed was not stored")
    sent = origin.cookie(case, "read")
    if sent is not None:
        return sent, False
    jar.visit(origin.url(case, "read"))
    sent = origin.cookie(case, "read")
    if sent is None:
        raise RecordingError(f"{case.host}: no request came")
    return sent, True


def _pair(seed: bytes) -> bytes:
    return seed.partition(b";")[0]


def _run(browser: Chromium, origin: _Origin, found: list[Case]) -> list[Row]:
    """Run cases in one new jar."""
    jar = _Jar(browser)
    seen = [(case, *_visit(jar, origin, case)) for case in found]
    domains = [f".{domain.lstrip('.')}" for domain in jar.domains()]
    rows: list[Row] = []
    for case, sent, refused in seen:
        parent = "." + case.host.removeprefix("www.")
        row: Row = {
            "kind": case.kind,
            "group": case.group,
            "text": readable(case.line),
            "sent_text": readable(sent),
            "stored": sum(domain.endswith(parent) for domain in domains),
            "host": case.host,
            "directory": case.directory,
            "line": pack(case.line),
            "sent": pack(sent),
        }
        if case.seed:
            row["seed"] = pack(case.seed)
            row["seed_gone"] = _pair(case.seed) not in sent.split(b"; ")
            row["same_cookie"] = case.same_cookie
        if refused:
            row["refused"] = True
        rows.append(row)
    return rows


def record(executable: str, found: Iterable[Case]) -> Recording:
    """Ask a browser about the cases, each kind in a jar of its own."""
    now = time.time()
    kinds: dict[Kind, list[Case]] = {}
    for case in found:
        kinds.setdefault(case.kind, []).append(case)
    rows: list[Row] = []
    with _Origin() as origin, Chromium(executable) as browser:
        for some in kinds.values():
            rows += _run(browser, origin, some)
        version = browser.version
    rows.sort(key=_order)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    return {"browser": version, "recorded_at": moment, "cases": rows}


_KEYS = [*Row.__annotations__]


def _order(row: Row) -> tuple[str, ...]:
    return (row["kind"], row["group"], row.get("seed", ""), row["text"], row["host"])


def row_text(row: Row) -> str:
    """A row as one line of text, keys always in the same order."""
    return json.dumps({key: row[key] for key in _KEYS if key in row})  # type: ignore[literal-required]


def recording_text(recording: Recording) -> str:
    """The file: a head, then one line for every case."""
    browser, moment = json.dumps(recording["browser"]), json.dumps(recording["recorded_at"])
    rows = ",\n".join(row_text(row) for row in recording["cases"])
    return f'{{\n"browser": {browser},\n"recorded_at": {moment},\n"cases": [\n{rows}\n]\n}}\n'


def load(path: Path = RECORDING) -> Recording:
    """The recording on file."""
    recording: Recording = json.loads(path.read_text("ascii"))
    return recording


def differences(old: Iterable[Row], new: Iterable[Row]) -> list[str]:
    """What changed between two recordings, as a diff without context."""
    return list(
        difflib.unified_diff(
            [row_text(row) for row in old],
            [row_text(row) for row in new],
            "recorded",
            "now",
            lineterm="",
            n=0,
        )
    )


def main() -> int:
    """Rewrite the recording, or compare it with a new one."""
    parser = argparse.ArgumentParser(description="Record what Chromium stores for odd lines.")
    parser.add_argument("--check", action="store_true", help="compare instead of rewriting")
    check: bool = parser.parse_args().check
    executable = find_chromium()
    if executable is None:
        print("no chromium found: install it, or name it in $CHROMIUM", file=sys.stderr)
        return 2
    found = cases()
    try:
        recording = record(executable, [*found, *canonical_cases(found, time.time())])
    except (RecordingError, BrowserError) as error:
        print(f"not recorded: {error}", file=sys.stderr)
        return 2
    if not check:
        RECORDING.write_text(recording_text(recording), "ascii")
        print(f"{len(recording['cases'])} cases recorded with {recording['browser']}")
        return 0
    committed = load()
    changed = differences(committed["cases"], recording["cases"])
    print("\n".join(changed) or f"{len(recording['cases'])} cases as recorded")
    if changed and committed["browser"] != recording["browser"]:
        print(f"(recorded with {committed['browser']}, compared with {recording['browser']})")
    return 1 if changed else 0


if __name__ == "__main__":
    raise SystemExit(main())
