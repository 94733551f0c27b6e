"""One small site in every framework, each setting `_ga…` by every means the framework has.

    GET  /page    200   GET  /away    302, elsewhere     POST /page     405
    GET  /empty   204   GET  /stream  200, in pieces     GET  /missing  404
    GET  /same    304   GET  /boom    500, by raising    GET  /sub/page 200, from a mounted app

The name says who set the cookie: `_ga` the framework's set_cookie, `_ga_raw` a raw header,
`_ga_hook` the outermost hook or middleware, `_ga_404` and `_ga_500` the error handlers, `_ga_sub`
the mounted app. Every page also sets a session cookie, with the framework's own session if any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from wrap import asgi_sites, django_site, wsgi_sites

STATUS = {
    "/page": 200,
    "/empty": 204,
    "/same": 304,
    "/away": 302,
    "/stream": 200,
    "POST /page": 405,
    "/missing": 404,
    "/boom": 500,
    "/sub/page": 200,
}
_BY_HANDLER = ("_ga", "_ga_raw", "_ga_hook")
_USUALLY = {
    "/page": _BY_HANDLER,
    "/empty": _BY_HANDLER,
    "/same": _BY_HANDLER,
    "/away": _BY_HANDLER,
    "/stream": _BY_HANDLER,
    "POST /page": ("_ga_hook",),
    "/missing": ("_ga_404", "_ga_hook"),
    "/boom": ("_ga_500", "_ga_hook"),
    "/sub/page": ("_ga_sub", "_ga_hook"),
}


@dataclass(frozen=True, eq=False)
class Site:
    """A framework's site. `differs` says which `_ga…` it sets elsewhere than the others do."""

    name: str
    make: Callable[[], Any]
    is_asgi: bool
    session: str = "session"
    differs: dict[str, tuple[str, ...] | None] = field(default_factory=dict)

    def sets(self, path: str) -> tuple[str, ...] | None:
        """Return the `_ga…` set on this path; None where the framework has no such thing."""
        return self.differs.get(path, _USUALLY[path])


# Starlette runs the handler of 500s outside of every middleware that is added.
_OUTSIDE: dict[str, tuple[str, ...] | None] = {"/boom": ("_ga_500",)}
_NO_MOUNTS: dict[str, tuple[str, ...] | None] = {"/sub/page": None}
# The mounted app is reached before the framework's own hooks.
_BEFORE: dict[str, tuple[str, ...] | None] = {"/sub/page": ("_ga_sub",)}
# Bottle's error pages, and what it mounts, replace the cookies that a hook has set.
_REPLACED: dict[str, tuple[str, ...] | None] = {
    "POST /page": ("_ga_405",),
    "/missing": ("_ga_404",),
    "/boom": ("_ga_500",),
    "/sub/page": ("_ga_sub",),
}
# Raw headers are the one means, and whoever raises leaves the answer to the server.
_BARE: dict[str, tuple[str, ...] | None] = {
    path: ("_ga_raw",) for path, names in _USUALLY.items() if names == _BY_HANDLER
} | {
    "POST /page": ("_ga_raw",),
    "/missing": ("_ga_404",),
    "/boom": None,
    "/sub/page": None,
}

SITES = [
    Site("fastapi", asgi_sites.fastapi_site, True, differs=_OUTSIDE),
    Site("starlette", asgi_sites.starlette_site, True, differs=_OUTSIDE),
    Site("litestar", asgi_sites.litestar_site, True),
    Site("quart", asgi_sites.quart_site, True, differs=_BEFORE),
    Site("django-asgi", django_site.asgi_site, True, session="sessionid", differs=_NO_MOUNTS),
    Site("falcon-asgi", asgi_sites.falcon_site, True, differs=_NO_MOUNTS),
    Site("bare-asgi", asgi_sites.bare_site, True, differs=_BARE),
    Site("flask", wsgi_sites.flask_site, False, differs=_BEFORE),
    Site("django-wsgi", django_site.wsgi_site, False, session="sessionid", differs=_NO_MOUNTS),
    Site("falcon-wsgi", wsgi_sites.falcon_site, False, differs=_NO_MOUNTS),
    Site("pyramid", wsgi_sites.pyramid_site, False),
    Site("bottle", wsgi_sites.bottle_site, False, differs=_REPLACED),
    Site("bare-wsgi", wsgi_sites.bare_site, False, differs=_BARE),
]
