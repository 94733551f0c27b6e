"""The example shops behind real servers, and a visitor who goes shopping there."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import httpx

EXAMPLES = Path(__file__).parents[2] / "examples"
_TOKEN = re.compile(r'name="(csrf\w*)" value="([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One way to run one of the shops, and what that framework calls the cookies."""

    name: str
    server: str
    app: str
    session: str
    language: str
    csrf: str | None  # None: the token is kept in the session


SERVERS = (
    Server(
        name="fastapi-uvicorn",
        server="uvicorn",
        app="fastapi_shop:app",
        session="session",
        language="language",
        csrf="csrftoken",
    ),
    Server(
        name="flask-gunicorn",
        server="gunicorn",
        app="flask_shop:app",
        session="session",
        language="language",
        csrf=None,
    ),
    Server(
        name="django-gunicorn",
        server="gunicorn",
        app="django_shop:wsgi",
        session="sessionid",
        language="django_language",
        csrf="csrftoken",
    ),
    Server(
        name="django-uvicorn",
        server="uvicorn",
        app="django_shop:asgi",
        session="sessionid",
        language="django_language",
        csrf="csrftoken",
    ),
)


def bare_environment(scratch: Path) -> dict[str, str]:
    """Return an environment in which nothing was set up for the examples."""
    left_out = ("CONSENTGATE_SECRET", "SHOP_SECRET", "COLUMNS", "XDG_RUNTIME_DIR")
    environ = {key: value for key, value in os.environ.items() if key not in left_out}
    # Nothing is written outside the scratch folder: gunicorn keeps a socket at home.
    return {**environ, "HOME": str(scratch), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}


@contextmanager
def running(server: Server, shops: Path, scratch: Path) -> Iterator[str]:
    """Run a shop from the folder `shops`, and give its address."""
    port = free_port()
    options = {
        "uvicorn": ["--host", "127.0.0.1", "--port", str(port), "--app-dir", str(shops)],
        "gunicorn": ["--bind", f"127.0.0.1:{port}", "--pythonpath", str(shops)],
    }
    log = scratch / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", server.server, server.app, *options[server.server]],
            cwd=scratch,
            env=bare_environment(scratch),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_listens(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


@contextmanager
def third_parties(scratch: Path) -> Iterator[str]:
    """Run the stand-ins, and give the host and port below which they are."""
    where = f"localhost:{free_port()}"
    log = scratch / "third_parties.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "third_parties.py")],
            cwd=scratch,
            env={**bare_environment(scratch), "SHOP_THIRD_PARTIES": where},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_listens(int(where.partition(":")[2]), process, log)
        yield where
    finally:
        stop(process)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here, gently at first."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            # gunicorn listens before its worker is there: the first answer may take a while.
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server does not listen:\n{log.read_text()}")


class Visitor:
    """A browser's worth of cookies, forms filled in with the token of the page before."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(
            base_url=address,
            headers={"Origin": address},
            timeout=10,
            trust_env=False,
            verify=False,  # all is plain http: loading certificates would take most of the time
        )
        self._token: dict[str, str] = {}

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.close()

    def get(self, path: str) -> httpx.Response:
        """Open a page, and remember the token of its forms."""
        response = self.client.get(path)
        self._token = dict(_TOKEN.findall(response.text)) or self._token
        return response

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the page opened last. Redirects are not followed."""
        return self.client.post(path, data={**self._token, **fields})

    def choose(self, action: str, *grant: str) -> httpx.Response:
        """Make a choice as the preferences page does."""
        form = {"action": action, "grant": list(grant), "next": "/"}
        return self.client.post("/_gate/choice", data=form)

    def step(self, step: str) -> httpx.Response:
        """Take one step such as "GET /" or "POST /login"."""
        method, _, path = step.partition(" ")
        if method == "GET":
            return self.get(path)
        return self.post(path, name="Ada", sku="mug")


def names_set(response: httpx.Response) -> list[str]:
    """Return the cookie names of the answer's Set-Cookie headers, sorted."""
    return sorted(line.partition("=")[0] for line in response.headers.get_list("set-cookie"))


def ordered_headers(response: httpx.Response, without: Sequence[str]) -> list[tuple[str, str]]:
    """Return the header lines as sent, in their order, but for those named (in lower case)."""
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in response.headers.raw
        if name.decode("latin-1").lower() not in without
    ]
