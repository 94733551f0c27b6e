"""What the servers serve: an app that answers exactly the headers it is asked for, gated and not.

    /gated/6e616d65:76616c7565/...    each part is one header: name and value in hexadecimal
    /plain/...                        the same without the gate
    /gated/generator/...              (ASGI) the same headers, readable only once
    ws /gated/...                     (ASGI) the same headers on the handshake

After those comes an ordinary session cookie. Run as a script it serves the WSGI app on wsgiref or
werkzeug's development server: `emitting.py wsgiref PORT`.
"""

from __future__ import annotations

import sys
from typing import Any

from consentgate import Category, Policy, Rule, wrap

POLICY = Policy(
    version="1",
    categories=(
        Category(id="necessary", always=True),
        Category(id="analytics", rules=(Rule(name="_ga*", category="analytics"),)),
    ),
)
SESSION = (b"Set-Cookie", b"session=1")


def _headers(path: str) -> list[tuple[bytes, bytes]]:
    pairs = [part.split(":") for part in path.split("/") if ":" in part]
    return [(bytes.fromhex(name), bytes.fromhex(value)) for name, value in pairs] + [SESSION]


async def plain_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer the headers that the path asks for."""
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    headers: Any = _headers(scope["path"])
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept", "headers": headers})
        await send({"type": "websocket.close"})
        return
    headers.append((b"Content-Length", b"4"))
    if "/generator/" in scope["path"]:
        headers = (header for header in headers)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"page"})


def plain_wsgi(environ: Any, start_response: Any) -> Any:
    """Answer the headers that the path asks for."""
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in _headers(environ["PATH_INFO"])
    ]
    start_response("200 OK", [*headers, ("Content-Length", "4")])
    return [b"page"]


gated_asgi = wrap(plain_asgi, POLICY)
gated_wsgi = wrap(plain_wsgi, POLICY)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Both ASGI apps on one server."""
    app = plain_asgi if scope.get("path", "").startswith("/plain/") else gated_asgi
    await app(scope, receive, send)


def wsgi(environ: Any, start_response: Any) -> Any:
    """Both WSGI apps on one server."""
    app = plain_wsgi if environ["PATH_INFO"].startswith("/plain/") else gated_wsgi
    return app(environ, start_response)


if __name__ == "__main__":
    server, port = sys.argv[1], int(sys.argv[2])
    if server == "wsgiref":
        from wsgiref.simple_server import make_server

        make_server("127.0.0.1", port, wsgi).serve_forever()
    else:
        from werkzeug.serving import run_simple

        run_simple("127.0.0.1", port, wsgi)
