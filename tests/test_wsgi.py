"""The WSGI shell: only start_response is wrapped, and it is wrapped whenever it is called."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from consentgate import Flow, Gate, RequestConsent, ResponseStarted
from consentgate.testing import consent_cookie
from consentgate.wsgi import MARK, ConsentMiddleware
from shells import gate

GA = ("Set-Cookie", "_ga=1")
SID = ("Set-Cookie", "sessionid=1")
TEXT = ("Content-Type", "text/plain")
PRIVATE = [("vary", "Cookie"), ("cache-control", "private")]


class Server:
    """Calls an app as a server would, and keeps what it was told."""

    def __init__(self) -> None:
        self.started: list[tuple[Any, ...]] = []

    def start_response(self, *args: Any) -> Any:
        self.started.append(args)
        return self.write

    def write(self, data: bytes) -> None:
        """Stand for the server's legacy write."""

    def call(self, app: Any, **environ: Any) -> Any:
        defaults: dict[str, Any] = {"HTTP_HOST": "testserver"}
        setup_testing_defaults(defaults)
        return app({**defaults, **environ}, self.start_response)


def gated(app: Any) -> ConsentMiddleware:
    return ConsentMiddleware(app, gate())


def granting() -> dict[str, str]:
    cookies = consent_cookie(gate(), "analytics")
    return {"HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def test_the_iterable_and_write_are_the_apps_and_the_servers_own() -> None:
    """Sendfile, close() and identity checks work as without the gate."""
    result = FileWrapper(io.BytesIO(b"x"))
    writes: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        writes.append(start_response("200 OK", [SID, GA]))
        return result

    server = Server()
    assert server.call(gated(app)) is result
    assert writes == [server.write]
    assert server.started == [("200 OK", [SID, *PRIVATE])]


def test_a_lazy_generator_is_filtered_when_it_starts() -> None:
    """start_response may be called on the first next()."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [SID, GA])
        yield b"x"

    server = Server()
    result = server.call(gated(app))
    assert server.started == []
    assert list(result) == [b"x"]
    assert server.started == [("200 OK", [SID, *PRIVATE])]


def test_each_call_of_start_response_is_filtered_and_exc_info_is_passed_on() -> None:
    """An error page that replaces a half-begun answer is gated like any other."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [GA])
        try:
            raise ValueError("late")
        except ValueError:
            start_response("500 Oops", [SID, GA], sys.exc_info())
        return [b""]

    server = Server()
    server.call(gated(app))
    assert server.started[0] == ("200 OK", PRIVATE)
    status, headers, exc_info = server.started[1]
    assert (status, headers, exc_info[0]) == ("500 Oops", [SID, *PRIVATE], ValueError)


def test_what_the_server_raises_from_start_response_reaches_the_app() -> None:
    """Headers already sent: the server re-raises, and the app's own error is what is seen."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b""]

    def start_response(*args: Any) -> Any:
        raise AssertionError("sent already")

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    with pytest.raises(AssertionError, match="sent already"):
        gated(app)(environ, start_response)


def test_an_untouched_header_list_leaves_as_a_copy() -> None:
    """Nothing to do means nothing changed; but the app may go on changing its own list."""
    headers = [SID, TEXT]

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [b""]

    server = Server()
    server.call(gated(app))
    assert server.started[0][1] == headers
    assert server.started[0][1] is not headers


def test_the_apps_header_list_is_never_mutated() -> None:
    """It may be shared between requests."""
    headers = [SID, GA]

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [b""]

    server = Server()
    server.call(gated(app))
    assert headers == [SID, GA]
    assert server.started[0][1] == [SID, *PRIVATE]


@pytest.mark.parametrize("path", ["/", "/_gate/state", "/_gate/", "/_gate/none"])
def test_the_validator_is_content_on_both_sides(path: str) -> None:
    """wsgiref's validator finds nothing wrong between server and gate, nor gate and app."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        environ[MARK].reject_all()
        start_response("200 OK", [TEXT, SID, GA])
        return [b"x"]

    server = Server()
    shell = validator(ConsentMiddleware(validator(app), gate()))
    result = server.call(shell, PATH_INFO=path, QUERY_STRING="")
    assert b"".join(result)
    result.close()


def test_bytes_beyond_ascii_survive_as_they_came() -> None:
    """WSGI's text is bytes in disguise: latin-1 in, latin-1 out."""
    odd = ("X-Name", "caf\xc3\xa9 \xff")

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [odd, GA])
        return [b""]

    server = Server()
    server.call(gated(app))
    assert server.started[0][1] == [odd, *PRIVATE]


def test_text_that_no_server_could_send_hides_no_cookie() -> None:
    """A header beyond latin-1 is left out; the cookies beside it are still filtered."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("X-Name", "\u20ac"), SID, GA])
        return [b""]

    server = Server()
    server.call(gated(app))
    assert server.started[0][1] == [SID, *PRIVATE]


@pytest.mark.parametrize("cookie", [("Set-Cookie", "_ga=\u20ac"), ("Set-Cookie", "_ga=1", "")])
def test_a_cookie_that_cannot_be_read_is_not_handed_on(cookie: tuple[str, ...]) -> None:
    """Some servers send text beyond latin-1 as UTF-8, so it is left out, alone or not."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [TEXT, cookie])
        return [b""]

    server = Server()
    server.call(gated(app))
    assert server.started[0][1] == [TEXT]


def test_consent_is_in_the_environ_and_read_from_its_cookie() -> None:
    """Handlers of any WSGI framework find it under one key."""
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append(environ[MARK].allows("analytics"))
        start_response("200 OK", [GA])
        return [b""]

    server = Server()
    server.call(gated(app))
    server.call(gated(app), **granting())
    assert seen == [False, True]
    assert [started[1] for started in server.started] == [PRIVATE, [GA, *PRIVATE]]


def test_a_change_after_the_start_is_an_error() -> None:
    """The headers are the server's by then."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        with pytest.raises(ResponseStarted):
            environ[MARK].reject_all()
        return [b""]

    Server().call(gated(app))


def test_a_choice_is_read_to_its_length_and_never_beyond() -> None:
    """A body that is shorter than promised is no choice; one without a length has none."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise AssertionError("the gate answers its own address")

    body = b"action=reject"
    form = {
        "PATH_INFO": "/_gate/choice",
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
    }

    def status(data: bytes, **more: Any) -> str:
        server = Server()
        list(server.call(gated(app), **form, **more, **{"wsgi.input": io.BytesIO(data)}))
        return str(server.started[0][0]).partition(" ")[0]

    assert status(body, CONTENT_LENGTH=str(len(body))) == "303"
    assert status(body + b"&action=accept", CONTENT_LENGTH=str(len(body))) == "303"
    assert status(body, CONTENT_LENGTH="200") == "400"
    assert status(body) == "400"
    assert status(b"", CONTENT_LENGTH="5000") == "413"
    assert status(b"x" * 9000, **{"wsgi.input_terminated": True}) == "413"
    assert status(body, **{"wsgi.input_terminated": True}) == "303"
    assert status(body, CONTENT_LENGTH="nonsense") == "400"


def test_non_ascii_paths_are_read_as_utf_8() -> None:
    """PEP 3333 hides UTF-8 in latin-1; an excluded path is written in the file as people do."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [GA])
        return [b""]

    server = Server()
    shell = ConsentMiddleware(app, gate(exclude=("/é/*",)))
    server.call(shell, PATH_INFO="/é/x".encode().decode("latin-1"))
    assert server.started[0][1] == [GA]


def test_a_gate_may_be_chosen_by_the_host() -> None:
    """Several sites in one process, each with its own policy."""
    strict, lenient = gate(), gate(unknown="allow")

    def choose(host: str) -> Gate:
        return lenient if host == "b.example" else strict

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Set-Cookie", "stray=1")])
        return [b""]

    shell = ConsentMiddleware(app, choose)
    server = Server()
    server.call(shell, HTTP_HOST="a.example")
    server.call(shell, HTTP_HOST="b.example")
    assert [started[1] for started in server.started] == [PRIVATE, [("Set-Cookie", "stray=1")]]


def test_under_a_gated_asgi_app_the_outer_gate_decides_alone() -> None:
    """An adapter keeps the scope in the environ: its visit is the one that handlers get."""
    outer = gate().newcomer(RequestConsent)
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append(environ[MARK])
        start_response("200 OK", [GA])
        return [b""]

    server = Server()
    server.call(gated(app), **{"asgi.scope": {"consentgate": outer}})
    assert seen == [outer]
    assert server.started == [("200 OK", [GA])]


def test_the_app_gets_an_environ_of_its_own_without_refused_cookies() -> None:
    """The server's keeps its cookies; what else the app sets is seen there, as without a gate."""
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append(environ)
        environ["early"] = 1
        start_response("200 OK", [("Content-Type", "text/html")])
        environ["late"] = 2
        environ["PATH_INFO"] = "/changed"
        return [b""]

    environ: dict[str, Any] = {"HTTP_COOKIE": "sessionid=1; _ga=2", "HTTP_HOST": "testserver"}
    setup_testing_defaults(environ)
    before = dict(environ)
    server = Server()
    early: list[Any] = []

    def start_response(*args: Any) -> Any:
        early.append(environ.get("early"))
        return server.start_response(*args)

    gated(app)(environ, start_response)
    (inner,) = seen
    assert type(inner) is dict
    assert inner["HTTP_COOKIE"] == "sessionid=1"
    assert early == [1]
    changed = {"PATH_INFO": "/changed", "early": 1, "late": 2, MARK: inner[MARK]}
    assert environ == {**before, **changed}
    assert ("set-cookie", "_ga=; Max-Age=0; Path=/") in server.started[0][1]


def test_without_anything_to_hide_the_environ_is_the_servers_own() -> None:
    """No copy for nothing; and where nothing may be seen, there is no header at all."""
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append(environ)
        start_response("200 OK", [TEXT])
        return [b""]

    for cookie, visible in (("sessionid=1", True), ("_ga=1; stray=2", False)):
        environ: dict[str, Any] = {"HTTP_COOKIE": cookie}
        setup_testing_defaults(environ)
        gated(app)(environ, Server().start_response)
        assert (seen[-1] is environ, "HTTP_COOKIE" in seen[-1]) == (visible, visible)


def test_cookies_beyond_ascii_are_hidden_and_seen_byte_for_byte() -> None:
    """WSGI disguises bytes as latin-1 text."""
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append(environ.get("HTTP_COOKIE"))
        start_response("200 OK", [TEXT])
        return [b""]

    Server().call(gated(app), HTTP_COOKIE="basket=\xe9\xff; _ga=\xe9; \xa0basket=2")
    assert seen == ["basket=\xe9\xff"]


def test_a_path_that_looks_mounted_twice_is_not_taken_for_another() -> None:
    """PATH_INFO never begins with SCRIPT_NAME: what looks so is one more folder of the app."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [TEXT, ("Set-Cookie", "_fbp=1")])
        return [b""]

    flow = Flow(paths=("/checkout/*",), cookies=("_fbp",))
    shell = ConsentMiddleware(app, gate(exclude=("/hooks/*",), flows=(flow,)))
    sent = {}
    for path in ("/shop/hooks/x", "/shop/checkout/x", "/hooks/x", "/checkout/x"):
        server = Server()
        server.call(shell, SCRIPT_NAME="/shop", PATH_INFO=path)
        sent[path] = ("Set-Cookie", "_fbp=1") in server.started[0][1]
    assert sent == {
        "/shop/hooks/x": False,
        "/shop/checkout/x": False,
        "/hooks/x": True,
        "/checkout/x": True,
    }
