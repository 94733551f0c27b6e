"""One small app in both dialects, gated by both shells and driven by httpx."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from consentgate import Category, Gate, Policy, RequestConsent, Rule, asgi, wsgi
from consentgate.presets import necessary_rules

KEY = b"a key of more than thirty-two bytes for tests"


def policy(**changes: Any) -> Policy:
    """Return the policy that most tests speak of."""
    fields: dict[str, Any] = {
        "version": "2026-11",
        "categories": (
            Category(
                id="necessary", always=True, rules=(Rule(name="basket", category="necessary"),)
            ),
            Category(
                id="analytics",
                rules=(
                    Rule(name="_gid", category="analytics"),
                    Rule(name="_ga*", category="analytics"),
                ),
            ),
            Category(id="marketing", rules=(Rule(name="_fbp", category="marketing"),)),
        ),
    }
    return Policy(**{**fields, **changes})


def gate(**changes: Any) -> Gate:
    """Return a gate over `policy(**changes)`."""
    return Gate(policy(**changes), [KEY], known=necessary_rules())


@dataclass(frozen=True)
class Script:
    """What the app answers, and what its handler does to the visitor's consent meanwhile."""

    headers: tuple[tuple[bytes, bytes], ...] = ()
    act: Callable[[RequestConsent], object] | None = None
    body: bytes = b"page"
    status: int = 200
    echo: bool = False  # answer with the Cookie header that the app sees
    stored: bytes = b""  # the ETag of what the app would answer: 304 where it is asked for


@dataclass(frozen=True)
class Answer:
    """All of an answer that a browser could see."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def cookies(self) -> list[bytes]:
        """The Set-Cookie values, in order."""
        return [value for name, value in self.headers if name.lower() == b"set-cookie"]

    def without_tokens(self) -> Answer:
        """The same with the consent token, which holds time and chance, blotted out."""
        blot = re.compile(rb"^((?:__Host-)?gate=)[EG][\w-]+\.[\w-]+")
        headers = tuple((name, blot.sub(rb"\1TOKEN", value)) for name, value in self.headers)
        return Answer(self.status, headers, self.body)


def asgi_app(script: Script) -> asgi.App:
    """The script as an ASGI app."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if script.act is not None:
            script.act(scope["state"]["consent"])
        headers = list(script.headers)
        if script.stored and (b"if-none-match", script.stored) in scope["headers"]:
            await send({"type": "http.response.start", "status": 304, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        body = script.body
        if script.echo:
            body = b"|".join(value for name, value in scope["headers"] if name == b"cookie")
        await send({"type": "http.response.start", "status": script.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def wsgi_app(script: Script) -> Any:
    """The script as a WSGI app."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if script.act is not None:
            script.act(environ["consentgate.consent"])
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in script.headers
        ]
        if script.stored and environ.get("HTTP_IF_NONE_MATCH") == script.stored.decode():
            start_response("304 Not Modified", [])
            return []
        start_response(f"{script.status} X", headers)
        return [environ.get("HTTP_COOKIE", "").encode("latin-1") if script.echo else script.body]

    return app


def through_asgi(gate: Gate, script: Script, request: httpx.Request) -> Answer:
    """Send the request through the ASGI shell."""

    async def exchange() -> Answer:
        transport = httpx.ASGITransport(asgi.ConsentMiddleware(asgi_app(script), gate))
        async with httpx.AsyncClient(transport=transport) as client:
            return _answer(await client.send(request))

    return asyncio.run(exchange())


def through_wsgi(gate: Gate, script: Script, request: httpx.Request) -> Answer:
    """Send the request through the WSGI shell."""
    with httpx.Client(
        transport=httpx.WSGITransport(wsgi.ConsentMiddleware(wsgi_app(script), gate))
    ) as client:
        return _answer(client.send(request))


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, tuple(response.headers.raw), response.content)
