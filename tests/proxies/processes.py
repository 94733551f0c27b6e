"""Children of a test: started on a free port, waited for, and ended with their own children."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_START = 20.0  # seconds until it listens
_STOP = 5.0  # seconds to end in good order


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def child(
    command: Sequence[str], output: Path, environ: Mapping[str, str] = os.environ
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, and end all of that session."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it has ended already
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP)
    with suppress(ProcessLookupError):  # whoever of its children is still there
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(_STOP)


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return once a connection is accepted. Raises RuntimeError, with the log."""
    until = time.monotonic() + _START
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    said = log.read_text(errors="replace") if log.exists() else ""
    raise RuntimeError(f"{process.args!r} does not listen:\n{said}")
