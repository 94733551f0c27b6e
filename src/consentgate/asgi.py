"""The ASGI shell: translates between the server's messages and the gate. It decides nothing."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from copy import copy
from functools import partial
from time import time
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse

from .core.gate import Forward, Gate, NeedBody, Reply
from .core.headers import as_bytes, with_cookie
from .core.http import Header, Request
from .core.own_cookie import host_of
from .core.token import ID_BYTES
from .handler import RequestConsent, is_undecided
from .report import OnDecision, Reporter

# A scope and a message hold anything at all, by their specification.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MARK = "consentgate"  # where the visit lies in the scope; its presence means: gated already
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_TRAILERS = "http.response.trailers"

_log = logging.getLogger("consentgate")
_fresh_id = partial(secrets.token_bytes, ID_BYTES)


class ConsentMiddleware:
    """Wrap an ASGI app so that no cookie leaves without consent.

    `gate` is a Gate, or a callable that takes the request's host and returns one. `eager` counts
    every answer as having read consent, for apps that first read it while streaming.
    """

    __slots__ = ("_app", "_choose", "_eager", "_gate", "_report", "_told")

    def __init__(
        self,
        app: App,
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.handle(scope, receive, send)
        except BaseException:
            scope.pop(MARK, None)  # whoever asks again with this scope is gated again
            raise
        self.forget(scope)

    def around(self, app: App) -> ConsentMiddleware:
        """Return the same gate around another app."""
        other = copy(self)
        other._app = app
        return other

    def handle(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Do what calling does, without a coroutine of its own: one layer less per request."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            return self._app(scope, receive, send)
        if MARK in scope and is_undecided(scope[MARK]):
            self._tell("gated twice", "the app is wrapped twice: the outer gate decides alone")
            return self._app(scope, receive, send)
        if "app" in scope:
            self._tell(
                "inside",
                "the gate lies inside another app, whose own error pages therefore lie outside it; "
                "consentgate.wrap(app, ...) around the whole covers them too",
            )
        headers = scope["headers"]
        if type(headers) is not list:
            headers = list(headers)  # it may be readable only once
            scope["headers"] = headers
        try:
            request = Request(
                scope["method"],
                scope["path"],
                scope["root_path"],
                scope["scheme"],
                headers,
                scope["query_string"],
            )
        except KeyError:  # a WebSocket has no method, and servers may leave out what is empty
            request = Request(
                scope.get("method", "GET"),
                scope["path"],
                scope.get("root_path", ""),
                scope.get("scheme", "http"),
                headers,
                scope.get("query_string", b""),
            )
        gate = self._gate
        if gate is None:
            assert self._choose is not None
            gate = self._choose(host_of(request))
        if gate.locates and scope.get("client"):
            request.client = scope["client"][0]
        # Most paths cannot be the gate's own, and then there is no need to ask.
        if kind == "http" and (gate.policy.prefix in request.path or gate.states):
            step = gate.begin(request, time(), _fresh_id, RequestConsent)
            if not isinstance(step, Forward):
                return _answer(step, scope, receive, send, self._report)
        else:
            step = gate.admit(request, time(), _fresh_id, RequestConsent)
        visit = step.visit
        if self._eager:
            visit.read = True
        scope[MARK] = visit
        # A dict of this request's own: some servers hand the same one to every request.
        state = scope.get("state")
        scope["state"] = {**state, "consent": visit} if state else {"consent": visit}
        # Before version 2.1 of the WebSocket protocol an accept takes no headers.
        can_add = kind == "http" or scope.get("asgi", {}).get("spec_version", "2.0") >= "2.1"
        if step.cookie is None:
            return self._app(scope, receive, _gated(send, step, can_add, self._report))
        # The app gets a scope of its own, without the cookies that it may not see.
        inner = {**scope, "headers": with_cookie(headers, step.cookie, step.dropped)}
        return self._behind(scope, inner, receive, send, step, can_add)

    async def _behind(
        self,
        scope: Scope,
        inner: Scope,
        receive: Receive,
        send: Send,
        step: Forward,
        can_add: bool,
    ) -> None:
        known = partial(_tell_outside, scope, inner)
        try:
            await self._app(inner, receive, _gated(send, step, can_add, self._report, known))
        finally:
            known()

    @staticmethod
    def forget(scope: Scope) -> None:
        """Take the mark away unless it has done its work: who asks again is gated again."""
        visit = scope.get(MARK)
        if visit is not None and not visit.sealed:
            del scope[MARK]

    def _tell(self, key: str, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            _log.warning("%s", text)


def _tell_outside(scope: Scope, inner: Scope) -> None:
    """Let those outside see what the app has set: tracing asks for `route` and `endpoint`."""
    for key, value in inner.items():
        if key != "headers" and scope.get(key) is not value:
            scope[key] = value


def _gated(
    send: Send,
    step: Forward,
    can_add: bool,
    report: Reporter,
    before_start: Callable[[], object] | None = None,
) -> Send:
    """Return a `send` whose messages carry the headers that the gate lets through.

    It hands back what `send` returns: a coroutine of its own would cost more than all it does.
    `before_start` is called before an answer starts.
    """

    def send_gated(message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "http.response.body":
            return send(message)
        if kind in _STARTS:
            if before_start is not None:
                before_start()
            # What is handed on is ours alone: GZip and the like read the headers when the body
            # comes, and by then the app may have added to its own list.
            headers: list[Header] = [*message.get("headers", ())]
            status = message.get("status", 200)
            try:
                passes = step.passes(headers)
                finish = (
                    None if passes else step.finish(headers, time(), can_add=can_add, status=status)
                )
            except (TypeError, AttributeError, ValueError):
                # Not pairs of bytes. Some servers take text all the same, so it is read as well.
                finish = step.finish(as_bytes(headers), time(), can_add=can_add, status=status)
            if finish is not None:
                headers = finish.headers
                if finish.decisions:
                    report(finish.decisions)
            if headers or "headers" in message:
                message = message.copy() if type(message) is dict else dict(message)
                message["headers"] = headers
            if kind == "websocket.accept":
                # Endpoints read after accepting, and no cache keeps what they then send.
                step.visit.read = True
        elif kind == _TRAILERS and message.get("headers"):
            message = {**message, "headers": step.trailers(as_bytes(message["headers"]))}
        return send(message)

    return send_gated


async def _answer(
    step: NeedBody | Reply, scope: Scope, receive: Receive, send: Send, report: Reporter
) -> None:
    if isinstance(step, NeedBody):
        try:
            step = await _read(step, scope, receive)
        except ClientDisconnect:
            return
    report(step.decisions)
    response = StarletteResponse(step.response.body, step.response.status)
    response.raw_headers = step.response.headers
    await response(scope, receive, send)


async def _read(step: NeedBody, scope: Scope, receive: Receive) -> Reply:
    body = bytearray()
    async for chunk in StarletteRequest(scope, receive).stream():
        body += chunk
        if len(body) > step.limit:
            return step.too_large()
    return step.feed(bytes(body))
