"""The one line: recognise the app, put the gate outermost, and give handlers `request.state`.

A framework object is gated in place: its class is replaced by a subclass whose `__call__` is the
gate's. Servers, test clients and mounts all go through `__call__`, while `app.wsgi_app = X(...)`,
`add_middleware` and error handlers stay inside, whenever they are written.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from .core.gate import Gate
from .core.policy import Policy
from .core.regions import Locate
from .handler import RequestConsent, is_undecided
from .learn import family, rules_of
from .report import OnDecision
from .sites import Config, Sites, gate_from
from .state import give_state, nobody

if TYPE_CHECKING:
    from . import asgi, wsgi

_log = logging.getLogger("consentgate")

AppT = TypeVar("AppT")
_IN_PLACE = ("flask", "quart", "starlette", "litestar", "django")


def wrap(
    app: AppT,
    config: Config | Callable[[str], Config],
    *,
    environ: Mapping[str, str] | None = None,
    eager: bool = False,
    on_decision: OnDecision | None = None,
    locate: Locate | None = None,
) -> AppT:
    """Gate an ASGI or WSGI app: no cookie leaves it without consent.

    `config` is the path of a policy file, a Policy, a Gate, or a callable from the request's host
    to one of those. Signing keys come from `environ` (default: os.environ). `eager` counts every
    answer as having read consent. `on_decision` is called with every Decision. `locate` is given
    the request (its `path`, `client`, `single(b"header")`) and returns where it comes from, as
    "FR" or "US-CA", or None; it is asked before the headers that the policy names.

    Returns the same object where it is one of a framework that can be gated in place (Flask,
    Quart, Starlette, FastAPI, Litestar, Django's handlers), else a callable that wraps it.
    Raises ConfigError with every problem of the configuration, and TypeError for what is neither
    an ASGI nor a WSGI app.
    """
    # Asked of the type: a middleware that hands out its app's attributes is no gate.
    if getattr(type(app), "__consentgate__", False):
        _log.warning("the app is wrapped already: the first gate stays, this one is left out")
        return app
    if not callable(app):
        raise TypeError(f"an ASGI or WSGI app is callable; {type(app).__name__} is not")
    is_asgi = _is_asgi(app)
    source: Gate | Callable[[str], Config]
    if isinstance(config, (str, os.PathLike, Policy, Gate)):
        source = gate_from(config, environ, locate)
    else:
        source = config
    inner = partial(type(app).__call__, app) if family(app) in _IN_PLACE else app
    entry = _Entry(app, inner, source, environ, is_asgi, eager, on_decision, locate)
    give_state(app, entry.newcomer)
    if family(app) in _IN_PLACE:
        _gate_in_place(app, entry, is_asgi)
        return app
    wrapper: Any = _AsgiApp(entry) if is_asgi else _WsgiApp(entry)
    gated: AppT = wrapper  # callable just as the app is
    return gated


def _is_asgi(app: Any) -> bool:
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__):
        return True
    try:
        parameters = list(inspect.signature(app).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    required = [
        one
        for one in parameters
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty
    ]
    if len(required) in (2, 3):
        return len(required) == 3
    raise TypeError(
        "cannot tell whether the app is ASGI or WSGI: use consentgate.asgi.ConsentMiddleware or "
        "consentgate.wsgi.ConsentMiddleware"
    )


class _Entry:
    """What the callers of a gated app reach.

    On the first call the app is asked for its cookie names, and the shell is made, once, with a
    gate that knows them; by then its configuration is complete.
    """

    __slots__ = (
        "_app",
        "_eager",
        "_environ",
        "_is_asgi",
        "_locate",
        "_lock",
        "_on_decision",
        "inner",
        "ready",
        "source",
    )

    def __init__(
        self,
        app: object,
        inner: Any,
        source: Gate | Callable[[str], Config],
        environ: Mapping[str, str] | None,
        is_asgi: bool,
        eager: bool,
        on_decision: OnDecision | None,
        locate: Locate | None,
    ) -> None:
        self._app = app
        self._environ = environ
        self._is_asgi = is_asgi
        self._eager = eager
        self._on_decision = on_decision
        self._locate = locate  # of the sites of a callable; a single gate has it already
        self._lock = Lock()
        self.inner = inner
        self.source = source
        self.ready: Any = None

    def prepare(self) -> Any:
        """Make the shell, unless another thread has."""
        with self._lock:
            if self.ready is None:
                give_state(self._app, self.newcomer)  # to what was mounted since
                rules = rules_of(self._app)
                gate = (
                    self.source.knowing(rules)
                    if isinstance(self.source, Gate)
                    else Sites(self.source, self._environ, rules, self._locate)
                )
                self.ready = self._shell(gate)
            return self.ready

    def _shell(
        self, gate: Gate | Callable[[str], Gate]
    ) -> asgi.ConsentMiddleware | wsgi.ConsentMiddleware:
        if self._is_asgi:
            from . import asgi

            return asgi.ConsentMiddleware(
                self.inner, gate, eager=self._eager, on_decision=self._on_decision
            )
        from . import wsgi

        return wsgi.ConsentMiddleware(
            self.inner, gate, eager=self._eager, on_decision=self._on_decision
        )

    def newcomer(self) -> RequestConsent:
        """Return a visitor who granted nothing."""
        if isinstance(self.source, Gate):
            visit = self.source.newcomer(RequestConsent)
            assert isinstance(visit, RequestConsent)
            return visit
        return nobody()


def _gate_in_place(app: Any, entry: _Entry, is_asgi: bool) -> None:
    base: Any = type(app)
    # FastAPI puts its own root_path into the scope, but only once it is called.
    root_path = getattr(app, "root_path", "") if family(app) == "starlette" else ""

    async def call_asgi(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await base.__call__(self, scope, receive, send)
            return
        if root_path:
            scope["root_path"] = root_path
        shell = entry.ready or entry.prepare()
        if self is not app:  # a copy of it is gated as it is
            shell = shell.around(partial(base.__call__, self))
        try:
            await shell.handle(scope, receive, send)
        except BaseException:
            scope.pop("consentgate", None)  # see asgi.ConsentMiddleware
            raise
        shell.forget(scope)

    def call_wsgi(self: Any, environ: Any, start_response: Any) -> Any:
        shell = entry.ready or entry.prepare()
        if self is not app:  # a copy of it is gated as it is
            shell = shell.around(partial(base.__call__, self))
        return shell(environ, start_response)

    # `app.wsgi_app` and `app.asgi_app`: whoever serves these goes around `__call__`.
    async def inner_asgi(self: Any, scope: Any, receive: Any, send: Any) -> None:
        inner = partial(base.asgi_app, self)
        if scope["type"] != "lifespan" and not is_undecided(scope.get("consentgate")):
            inner = (entry.ready or entry.prepare()).around(inner)
        await inner(scope, receive, send)

    def inner_wsgi(self: Any, environ: Any, start_response: Any) -> Any:
        inner = partial(base.wsgi_app, self)
        if not is_undecided(environ.get("consentgate.consent")):
            inner = (entry.ready or entry.prepare()).around(inner)
        return inner(environ, start_response)

    inner_methods: dict[str, dict[str, Any]] = {
        "flask": {"wsgi_app": inner_wsgi},
        "quart": {"asgi_app": inner_asgi},
    }
    app.__class__ = type(
        base.__name__,
        (base,),
        {
            "__slots__": (),
            "__call__": call_asgi if is_asgi else call_wsgi,
            **inner_methods.get(family(app), {}),
            "__consentgate__": True,
            "__module__": base.__module__,
            "__qualname__": base.__qualname__,
            "__doc__": base.__doc__,
        },
    )


class _AsgiApp:
    """An ASGI app of no known framework, gated."""

    __consentgate__ = True

    def __init__(self, entry: _Entry) -> None:
        self._entry = entry

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        entry = self._entry
        if scope["type"] == "lifespan":
            await entry.inner(scope, receive, send)
            return
        shell = entry.ready or entry.prepare()
        try:
            await shell.handle(scope, receive, send)
        except BaseException:
            scope.pop("consentgate", None)  # see asgi.ConsentMiddleware
            raise
        shell.forget(scope)


class _WsgiApp:
    """A WSGI app of no known framework, gated."""

    __consentgate__ = True

    def __init__(self, entry: _Entry) -> None:
        self._entry = entry

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        entry = self._entry
        result: Iterable[bytes] = (entry.ready or entry.prepare())(environ, start_response)
        return result
