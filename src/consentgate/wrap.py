"""The one line: recognise the app, put the gate outermost, and give handlers `request.state`.

A framework object is gated in place: its class is replaced by a subclass whose `__call__` is the
gate's. Servers, test clients and mounts all go through `__call__`, while `app.wsgi_app = X(...)`,
`add_middleware` and error handlers stay inside, whenever they are written.
"""

from __future__ import annotations

import inspect
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from threading import Lock
from traceback import format_exception_only
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from .config import gate_of, load_gate
from .core.compiled import Compiled
from .core.consent import Choice
from .core.gate import Forward, Gate
from .core.http import Request
from .core.memo import Memo
from .core.policy import Policy, Rule
from .core.visit import Visit
from .handler import RequestConsent
from .learn import family, rules_of
from .presets import necessary_rules
from .report import OnDecision

if TYPE_CHECKING:
    from . import asgi, wsgi

_log = logging.getLogger("consentgate")

AppT = TypeVar("AppT")
Config = str | os.PathLike[str] | Policy | Gate
_IN_PLACE = ("flask", "quart", "starlette", "litestar", "django")


def wrap(
    app: AppT,
    config: Config | Callable[[str], Config],
    *,
    environ: Mapping[str, str] | None = None,
    eager: bool = False,
    on_decision: OnDecision | None = None,
) -> AppT:
    """Gate an ASGI or WSGI app: no cookie leaves it without consent.

    `config` is the path of a policy file, a Policy, a Gate, or a callable from the request's host
    to one of those. Signing keys come from `environ` (default: os.environ). `eager` counts every
    answer as having read consent. `on_decision` is called with every Decision.

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
        source = _gate(config, environ)
    else:
        source = config
    inner = partial(type(app).__call__, app) if family(app) in _IN_PLACE else app
    entry = _Entry(app, inner, source, environ, is_asgi, eager, on_decision)
    _give_state(app, entry)
    if family(app) in _IN_PLACE:
        _gate_in_place(app, entry, is_asgi)
        return app
    wrapper: Any = _AsgiApp(entry) if is_asgi else _WsgiApp(entry)
    gated: AppT = wrapper  # callable just as the app is
    return gated


def _gate(config: Config, environ: Mapping[str, str] | None) -> Gate:
    if isinstance(config, Gate):
        return config
    if isinstance(config, Policy):
        return gate_of(config, environ=environ)
    return load_gate(config, environ=environ)


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
    ) -> None:
        self._app = app
        self._environ = environ
        self._is_asgi = is_asgi
        self._eager = eager
        self._on_decision = on_decision
        self._lock = Lock()
        self.inner = inner
        self.source = source
        self.ready: Any = None

    def prepare(self) -> Any:
        """Make the shell, unless another thread has."""
        with self._lock:
            if self.ready is None:
                rules = rules_of(self._app)
                gate = (
                    self.source.knowing(rules)
                    if isinstance(self.source, Gate)
                    else _Sites(self.source, self._environ, rules)
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
        return _nobody()


class _NoSite(Gate):
    """The gate of a host without a policy: no category is unknown to it, and each is refused."""

    __slots__ = ()

    def admit(
        self,
        request: Request,
        now: float,
        fresh_id: Callable[[], bytes],
        visit: type[Visit] = RequestConsent,
    ) -> Forward:
        return super().admit(request, now, fresh_id, _Nobody)


class _Sites:
    """Several sites in one process: a gate for each answer of the operator's callable."""

    __slots__ = ("_choose", "_environ", "_fallback", "_gates", "_rules", "_said")

    def __init__(
        self,
        choose: Callable[[str], Config],
        environ: Mapping[str, str] | None,
        rules: list[Rule],
    ) -> None:
        self._choose = choose
        self._environ = environ
        self._rules = rules
        self._gates: Memo[object, tuple[object, Gate]] = Memo(256)
        self._said: set[str] = set()
        # For a host of which the operator says nothing: what frameworks need, and nothing else.
        self._fallback = _NoSite(
            Policy(version=""), [secrets.token_bytes(32)], known=(*necessary_rules(), *rules)
        )

    def __call__(self, host: str) -> Gate:
        try:
            config = self._choose(host)
            # By path, or by the very object: a host is the visitor's word and is no key.
            key = os.fspath(config) if isinstance(config, (str, os.PathLike)) else id(config)
            found = self._gates.get(key)
            if found is not None and (isinstance(key, str) or found[0] is config):
                return found[1]
            gate = _gate(config, self._environ).knowing(self._rules)
            self._gates.put(key, (config, gate))
        except Exception as error:  # the operator's code: whatever it does, the page is served
            # A visitor who makes up hosts must not fill the log.
            text = "".join(format_exception_only(error))[:200]
            if text not in self._said and len(self._said) < 100:
                self._said.add(text)
                _log.exception("no policy for this host: only strictly necessary cookies leave")
            return self._fallback
        return gate


def _gate_in_place(app: Any, entry: _Entry, is_asgi: bool) -> None:
    base = type(app)
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

    def call_wsgi(self: Any, environ: Any, start_response: Any) -> Any:
        shell = entry.ready or entry.prepare()
        if self is not app:  # a copy of it is gated as it is
            shell = shell.around(partial(base.__call__, self))
        return shell(environ, start_response)

    app.__class__ = type(
        base.__name__,
        (base,),
        {
            "__slots__": (),
            "__call__": call_asgi if is_asgi else call_wsgi,
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
        try:
            await (entry.ready or entry.prepare()).handle(scope, receive, send)
        except BaseException:
            scope.pop("consentgate", None)  # see asgi.ConsentMiddleware
            raise


class _WsgiApp:
    """A WSGI app of no known framework, gated."""

    __consentgate__ = True

    def __init__(self, entry: _Entry) -> None:
        self._entry = entry

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        entry = self._entry
        result: Iterable[bytes] = (entry.ready or entry.prepare())(environ, start_response)
        return result


# --- request.state -------------------------------------------------------------------------------


class _State:
    """Gives `request.state.consent` to frameworks whose requests have no `state`.

    Only read: an app that assigns `request.state` itself gets what it assigned.
    """

    def __init__(self, newcomer: Callable[[], RequestConsent]) -> None:
        self._newcomer = newcomer

    def __get__(self, request: Any, owner: object) -> Any:
        if request is None:
            return self
        state = SimpleNamespace(consent=_found(request) or self._newcomer())
        request.__dict__["state"] = state
        return state


def _give_state(app: Any, entry: _Entry) -> None:
    match family(app):
        case "flask":
            app.request_class = _with_state(app.request_class, entry)
        case "quart":
            app.request_class = _with_state(app.request_class, entry)
            app.websocket_class = _with_state(app.websocket_class, entry)
        case "django":
            # Django's test client makes requests without any handler of ours, so the class itself
            # has to know; the latest wrap speaks for it.
            from django.http import HttpRequest

            if isinstance(HttpRequest.__dict__.get("state", _State), (_State, type)):
                HttpRequest.state = _State(entry.newcomer)


def _with_state(cls: type, entry: _Entry) -> type:
    if "state" in dir(cls):
        return cls
    return type(
        cls.__name__, (cls,), {"state": _State(entry.newcomer), "__module__": cls.__module__}
    )


def consent_from(request: Any) -> RequestConsent:
    """Return the visitor's consent for any framework's request, an ASGI scope or a WSGI environ.

    Outside the gate it is a newcomer who granted nothing.
    """
    return _found(request) or _nobody()


def _found(request: Any) -> RequestConsent | None:
    # Falcon calls its environ `env`.
    names = ("scope", "environ", "META", "env")
    places = [request, *(getattr(request, name, None) for name in names)]
    for place in places:
        if isinstance(place, Mapping):
            for key in ("consentgate", "consentgate.consent"):
                visit = place.get(key)
                if isinstance(visit, RequestConsent):
                    return visit
    return None


class _Nobody(RequestConsent):
    """A newcomer where no policy is at hand: every category is refused, none is unknown."""

    __slots__ = ()

    def allows(self, category: str) -> bool:
        return False

    def choice(self, category: str) -> Choice:
        return Choice.UNSET


def _nobody() -> RequestConsent:
    return _Nobody(_NO_POLICY, Request("GET", "/"), 0.0, bytes)


_NO_POLICY = Compiled(Policy(version=""), [b"\0" * 32])

__all__ = ["consent_from", "wrap"]
