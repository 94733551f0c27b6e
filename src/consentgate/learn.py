"""The cookie names that an app has configured for itself, asked of its own settings.

A renamed session cookie must not log anybody out, so what the app says of its session, CSRF,
language, messages and remember-me cookies is taken as strictly necessary. Frameworks are never
imported here: an app that uses one has imported it.
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .core.policy import NECESSARY, Rule

_log = logging.getLogger("consentgate")

# Litestar splits a session that outgrows one cookie into numbered pieces; the gate's cap on the
# Cookie header leaves room for sixteen.
_PIECES = 16

_DJANGO_SETTINGS = (
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_NAME",
    "LANGUAGE_COOKIE_NAME",
    "MFA_TRUST_COOKIE_NAME",  # django-allauth
)
_FLASK_SETTINGS = (
    "SESSION_COOKIE_NAME",
    "REMEMBER_COOKIE_NAME",  # Flask-Login
    "JWT_ACCESS_COOKIE_NAME",  # Flask-JWT-Extended
    "JWT_REFRESH_COOKIE_NAME",
    "JWT_ACCESS_CSRF_COOKIE_NAME",
    "JWT_REFRESH_CSRF_COOKIE_NAME",
    "CSRF_COOKIE_NAME",  # Flask-SeaSurf
    "SECURITY_CSRF_COOKIE_NAME",  # Flask-Security
    "SECURITY_TWO_FACTOR_VALIDITY_COOKIE_NAME",
    "QUART_AUTH_COOKIE_NAME",
)
_REMEMBER_PREFIX = "Django's TWO_FACTOR_REMEMBER_COOKIE_PREFIX"
# What a middleware calls the argument that names its cookie.
_COOKIE_ARGUMENTS = ("session_cookie", "csrf_cookie_name", "auth_cookie_key")
# Others call it `cookie_name`. Only these are taken at their word: a session *replay* has one too.
_COOKIE_NAME_OF = ("SessionMiddleware", "CSRFMiddleware", "CsrfMiddleware", "CSRFProtectMiddleware")
# Attributes by which wrappers, routes and routers hold what they pass a request on to.
_HOLDING = (
    "app",
    "_app",
    "wsgi_app",
    "asgi_app",
    "application",
    "wsgi_application",  # asgiref's WsgiToAsgi
    "wsgi",  # OpenTelemetry
    "inner",  # Django Channels
    "wrapped",
    "__wrapped__",
    "router",
    "original_router",  # a router that FastAPI includes
)
_TABLES = ("mounts", "application_mapping")  # werkzeug's dispatcher, Django Channels
# Far more than any app has routes; a limit all the same, for objects that make up others.
_MOST_OBJECTS = 50_000


def rules_of(app: object) -> list[Rule]:
    """Return a rule for each cookie name that `app`, or an app within it, has configured."""
    found: dict[str, str] = {}
    for one in apps_within(app):
        for name, origin in _names_of(one):
            if isinstance(name, str) and name:
                found.setdefault(name, origin)
    if found:
        listing = ", ".join(f'"{name}" ({origin})' for name, origin in sorted(found.items()))
        _log.info("strictly necessary, because the app is configured to use them: %s", listing)
    return [
        Rule(name=name, category=NECESSARY, origin=origin)
        for name, origin in found.items()
        # In a rule an asterisk would stand for any text: only where we put it there ourselves.
        if "*" not in name or origin == _REMEMBER_PREFIX
    ]


def family(app: object) -> str:
    """Return the framework that an app object belongs to, or ""."""
    known = {
        "flask.app.Flask": "flask",
        "quart.app.Quart": "quart",
        "starlette.applications.Starlette": "starlette",
        "litestar.app.Litestar": "litestar",
        "django.core.handlers.base.BaseHandler": "django",
    }
    for one in type(app).__mro__:
        name = known.get(f"{one.__module__}.{one.__qualname__}")
        if name:
            return name
    return ""


def _names_of(app: object) -> Iterator[tuple[object, str]]:
    readers: dict[str, Callable[[Any], Iterator[tuple[object, str]]]] = {
        "flask": _flask,
        "quart": _flask,
        "starlette": _starlette,
        "litestar": _litestar,
        "django": _django,
    }
    try:
        yield from readers.get(family(app), _middleware)(app)
    except Exception:  # an app's settings may do anything; not knowing a name breaks no page
        _log.exception("could not ask the app for its cookie names")


def apps_within(app: object) -> Iterator[object]:
    """Yield the app, and whatever it wraps, routes to and mounts."""
    waiting: list[object] = [app]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_OBJECTS:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, (str, bytes, type)) or one is None:
            continue
        seen.add(id(one))
        yield one
        try:
            waiting += _held_by(one)
        except Exception:  # a stand-in for another object may refuse to be looked at
            _log.debug("could not look into %s", type(one))


def _held_by(app: object) -> list[object]:
    own = getattr(app, "__dict__", {})
    slots = {slot for cls in type(app).__mro__ for slot in _list(cls.__dict__.get("__slots__"))}
    tables = [own.get(key) for key in _TABLES]
    return [
        *(getattr(app, key, None) for key in _HOLDING if key in own or key in slots),
        *(getattr(app, key, None) for key in ("__self__", "func")),  # methods, partials
        *_list(own.get("routes")),
        *(one for table in tables if isinstance(table, dict) for one in table.values()),
    ]


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _flask(app: Any) -> Iterator[tuple[object, str]]:
    get_name = getattr(app.session_interface, "get_cookie_name", None)
    if get_name is not None:
        yield get_name(app), "the app's session"
    for key in _FLASK_SETTINGS:
        if key in app.config:
            yield app.config[key], f"the app's {key}"


def _django(_: object) -> Iterator[tuple[object, str]]:
    settings = sys.modules["django.conf"].settings
    for key in _DJANGO_SETTINGS:
        yield getattr(settings, key, None), f"Django's {key}"
    prefix = getattr(settings, "TWO_FACTOR_REMEMBER_COOKIE_PREFIX", None)  # django-two-factor-auth
    if prefix:
        yield f"{prefix}*", _REMEMBER_PREFIX
    rest_auth = getattr(settings, "REST_AUTH", None) or {}  # dj-rest-auth
    for key in ("JWT_AUTH_COOKIE", "JWT_AUTH_REFRESH_COOKIE"):
        yield rest_auth.get(key), f"Django's REST_AUTH[{key!r}]"
    storage = str(getattr(settings, "MESSAGE_STORAGE", "")).rpartition(".")
    messages = sys.modules.get("django.contrib.messages.storage.cookie")
    for module, name in ((sys.modules.get(storage[0]), storage[2]), (messages, "CookieStorage")):
        yield getattr(getattr(module, name, None), "cookie_name", None), "Django's messages"


def _starlette(app: Any) -> Iterator[tuple[object, str]]:
    for middleware in app.user_middleware:
        yield from _arguments(middleware.cls, (None, *middleware.args), middleware.kwargs)


def _litestar(app: Any) -> Iterator[tuple[object, str]]:
    if app.csrf_config is not None:
        yield app.csrf_config.cookie_name, "Litestar's csrf_config"
    for middleware in app.middleware:
        kwargs = getattr(middleware, "kwargs", {})
        key = getattr(getattr(kwargs.get("backend"), "config", None), "key", None)
        if isinstance(key, str):
            yield key, "Litestar's session"
            for number in range(_PIECES):
                yield f"{key}-{number}", "Litestar's session"
        yield kwargs.get("auth_cookie_key"), "Litestar's sign-in"


def _middleware(app: Any) -> Iterator[tuple[object, str]]:
    """Yield the cookie names that a middleware, put around an app by hand, has kept."""
    yield from _cookie_names(type(app).__name__, getattr(app, "__dict__", {}))


def _arguments(
    cls: Any, args: tuple[object, ...], kwargs: dict[str, object]
) -> Iterable[tuple[object, str]]:
    """Yield the cookie names among the arguments of a middleware class, defaults included."""
    try:
        bound = inspect.signature(cls).bind_partial(*args, **kwargs)
        bound.apply_defaults()
    except (TypeError, ValueError):
        return
    name = getattr(cls, "__name__", str(cls))
    yield from _cookie_names(name, {**bound.arguments, **kwargs})


def _cookie_names(name: str, values: dict[str, object]) -> Iterator[tuple[object, str]]:
    for key, value in values.items():
        if key in _COOKIE_ARGUMENTS or (key == "cookie_name" and name in _COOKIE_NAME_OF):
            yield value, f"{name}({key}=…)"
