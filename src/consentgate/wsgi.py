"""The WSGI shell: translates between the server's environ and the gate. It decides nothing.

Only `start_response` is wrapped. The app's iterable, its `close`, `write` and `file_wrapper` pass
through untouched, so sendfile and connection handling work as without the gate.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from time import time
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response as WerkzeugResponse

from .core.gate import Forward, Gate, NeedBody, Reply
from .core.headers import as_bytes
from .core.http import Request
from .core.own_cookie import host_of
from .core.token import ID_BYTES
from .handler import RequestConsent, is_undecided
from .report import OnDecision, Reporter

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
    Write = Callable[[bytes], object]

MARK = "consentgate.consent"  # where the visit lies in the environ; its presence means: gated

_log = logging.getLogger("consentgate")
_fresh_id = partial(secrets.token_bytes, ID_BYTES)


class _EnvironRequest(Request):
    """A request whose headers are looked up in the environ when asked for."""

    __slots__ = ("_environ",)

    def __init__(self, environ: WSGIEnvironment) -> None:
        super().__init__(
            environ.get("REQUEST_METHOD", "GET"),
            _decoded(environ.get("PATH_INFO", "")),
            _decoded(environ.get("SCRIPT_NAME", "")),
            environ.get("wsgi.url_scheme", "http"),
            (),
            environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
        )
        self._environ = environ

    def routed_path(self) -> str:
        return self.path  # PATH_INFO never begins with SCRIPT_NAME (PEP 3333): it may only look so

    def values(self, name: bytes) -> list[bytes]:
        key = name.decode().upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        value = self._environ.get(key)
        return [value.encode("latin-1", "replace")] if value else []


def _through_adapter(environ: WSGIEnvironment) -> object:
    """Return the visit of a gate around an ASGI app in which this WSGI app is mounted.

    a2wsgi keeps the scope in the environ that it makes of it.
    """
    scope = environ.get("asgi.scope")
    return scope.get("consentgate") if isinstance(scope, dict) else None


def _decoded(path: str) -> str:
    """Undo PEP 3333's latin-1 disguise of UTF-8."""
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")


class ConsentMiddleware:
    """Wrap a WSGI app so that no cookie leaves without consent.

    `gate` is a Gate, or a callable that takes the request's host and returns one. `eager` counts
    every answer as having read consent, for apps that first read it while streaming.
    """

    __slots__ = ("_app", "_choose", "_eager", "_gate", "_report", "_told")

    def __init__(
        self,
        app: WSGIApplication,
        gate: Gate | Callable[[str], Gate],
        *,
        eager: bool = False,
        on_decision: OnDecision | None = None,
    ) -> None:
        self._app = app
        self._gate = gate if isinstance(gate, Gate) else None
        self._choose = None if isinstance(gate, Gate) else gate
        self._eager = eager
        self._report = Reporter(on_decision)
        self._told: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        outer = environ.get(MARK) or _through_adapter(environ)
        if is_undecided(outer):
            self._tell("the app is wrapped twice: the outer gate decides alone")
            environ[MARK] = outer
            return self._app(environ, start_response)
        request = _EnvironRequest(environ)
        gate = self._gate
        if gate is None:
            assert self._choose is not None
            gate = self._choose(host_of(request))
        if gate.locates:
            request.client = environ.get("REMOTE_ADDR", "")
        step = gate.begin(request, time(), _fresh_id, RequestConsent)
        if not isinstance(step, Forward):
            return _answer(step, environ, start_response, self._report)
        if self._eager:
            step.visit.read = True
        environ[MARK] = step.visit
        report = self._report
        forward = step
        inner = environ
        if step.cookie is not None:
            # The app gets an environ of its own, without the cookies that it may not see.
            inner = {**environ, "HTTP_COOKIE": step.cookie.decode("latin-1")}
            if not step.cookie:
                del inner["HTTP_COOKIE"]
            for name in step.dropped:
                inner.pop("HTTP_" + name.decode().upper().replace("-", "_"), None)

        def start_gated(
            status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
        ) -> Write:
            # Copies: the app may go on changing its own list, and servers read late. A status that
            # could end its own line is a header in disguise.
            headers = list(headers)
            _tell_outside(environ, inner)
            if isinstance(status, str) and ("\r" in status or "\n" in status):
                status = status.replace("\r", " ").replace("\n", " ")
            try:
                sent = [
                    (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers
                ]
                changed = False
            except (TypeError, AttributeError, ValueError):
                # Not pairs of latin-1 text. What cannot be read is not handed on: some server
                # might send it all the same.
                sent = as_bytes(headers)
                changed = True
            if changed or not forward.passes(sent):
                finish = forward.finish(sent, time(), status=_code(status))
                if finish.decisions:
                    report(finish.decisions)
                if changed or finish.headers is not sent:
                    headers = [
                        (name.decode("latin-1"), value.decode("latin-1"))
                        for name, value in finish.headers
                    ]
            if exc_info is None:
                return start_response(status, headers)
            return start_response(status, headers, exc_info)

        try:
            result = self._app(inner, start_gated)
            _tell_outside(environ, inner)
            return result
        except BaseException:
            environ.pop(MARK, None)  # whoever asks again with this environ is gated again
            raise

    def around(self, app: WSGIApplication) -> ConsentMiddleware:
        """Return the same gate around another app."""
        other = copy(self)
        other._app = app
        return other

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            _log.warning("%s", text)


class _Response(WerkzeugResponse):
    """A response whose headers are all said already."""

    default_mimetype = None
    automatically_set_content_length = False

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        return self.headers


def _code(status: object) -> int:
    """Return the number that a status begins with; 200 where it begins with none."""
    try:
        return int(str(status)[:3])
    except ValueError:
        return 200


def _tell_outside(environ: WSGIEnvironment, inner: WSGIEnvironment) -> None:
    """Let those outside see what the app has set: tracing asks for its route."""
    if inner is not environ:
        for key, value in inner.items():
            if key != "HTTP_COOKIE" and environ.get(key) is not value:
                environ[key] = value


def _answer(
    step: NeedBody | Reply,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    report: Reporter,
) -> Iterable[bytes]:
    if isinstance(step, NeedBody):
        step = _read(step, environ)
    report(step.decisions)
    response = _Response(
        step.response.body,
        step.response.status,
        [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in step.response.headers
        ],
    )
    return response(environ, start_response)


def _read(step: NeedBody, environ: WSGIEnvironment) -> Reply:
    request = WerkzeugRequest(environ)
    # One more than may be: where no length was declared, werkzeug stops at its maximum silently.
    request.max_content_length = step.limit + 1
    try:
        return step.feed(request.stream.read())
    except RequestEntityTooLarge:
        return step.too_large()
    except ClientDisconnected:
        return step.feed(b"")
