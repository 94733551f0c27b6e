"""`request.state.consent`: where requests have no state of their own, and outside the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from .core.compiled import Compiled
from .core.consent import Choice
from .core.http import Request
from .core.policy import Policy
from .core.standing import Basis
from .handler import RequestConsent
from .learn import apps_within, family

Newcomer = Callable[[], RequestConsent]


class _State:
    """Gives `request.state.consent` to frameworks whose requests have no `state`.

    Only read: an app that assigns `request.state` itself gets what it assigned.
    """

    def __init__(self, newcomer: Newcomer) -> None:
        self._newcomer = newcomer

    def __get__(self, request: Any, owner: object) -> Any:
        if request is None:
            return self
        state = SimpleNamespace(consent=_found(request) or self._newcomer())
        request.__dict__["state"] = state
        return state


def give_state(app: object, newcomer: Newcomer) -> None:
    """Give `request.state` to the app, and to every app within it, where its requests have none."""
    for one in apps_within(app):
        _give_state_to(one, newcomer)


def _give_state_to(app: Any, newcomer: Newcomer) -> None:
    match family(app):
        case "flask":
            app.request_class = _with_state(app.request_class, newcomer)
            _give_templates(app, _flask_context)
        case "quart":
            app.request_class = _with_state(app.request_class, newcomer)
            app.websocket_class = _with_state(app.websocket_class, newcomer)
            _give_templates(app, _quart_context)
        case "django":
            give_django_state(newcomer)


def _give_templates(app: Any, context: Callable[[], dict[str, RequestConsent]]) -> None:
    """Let templates say `consent`, unless the view gives them something else of that name."""
    processors = app.template_context_processors[None]
    if context not in processors:
        processors.append(context)


def _flask_context() -> dict[str, RequestConsent]:
    from flask import has_request_context, request

    return template_context(request if has_request_context() else None)


def _quart_context() -> dict[str, RequestConsent]:
    from quart import has_request_context, has_websocket_context, request, websocket

    if has_websocket_context():
        return template_context(websocket)
    return template_context(request if has_request_context() else None)


def template_context(request: Any) -> dict[str, RequestConsent]:
    """Return {"consent": …} for templates: a context processor of Starlette and of Django.

    Flask and Quart have it from `wrap`.
    """
    return {"consent": consent_from(request)}


def banner(request: Any, language: str = "", *, inline: bool = False, nonce: str = "") -> Markup:
    """Return the banner for any framework's request; see `RequestConsent.banner`.

    It may be a global of any template engine: `{{ banner(request) }}`.
    """
    return consent_from(request).banner(language, inline=inline, nonce=nonce)


def head(request: Any, *, nonce: str = "") -> Markup:
    """Return the guard for any framework's request; see `RequestConsent.head`."""
    return consent_from(request).head(nonce=nonce)


def embed(
    request: Any, category: str, src: str, title: str, *, language: str = "", **attributes: object
) -> Markup:
    """Return third parties' content, or what asks for a yes; see `RequestConsent.embed`."""
    return consent_from(request).embed(category, src, title, language=language, **attributes)


def give_django_state(newcomer: Newcomer) -> None:
    """Give `request.state` to Django's requests; the latest word counts.

    Django's test client makes requests without any handler of ours, so the class has to know.
    """
    from django.http import HttpRequest

    if isinstance(HttpRequest.__dict__.get("state"), _State | None):
        HttpRequest.state = _State(newcomer)


def _with_state(cls: type, newcomer: Newcomer) -> type:
    if "state" in dir(cls):
        return cls
    return type(cls.__name__, (cls,), {"state": _State(newcomer), "__module__": cls.__module__})


def consent_from(request: Any) -> RequestConsent:
    """Return the visitor's consent for any framework's request, an ASGI scope or a WSGI environ.

    Outside the gate it is a newcomer who granted nothing.
    """
    return _found(request) or nobody()


def _found(request: Any) -> RequestConsent | None:
    # Falcon calls its environ `env`; a2wsgi keeps the scope in the environ that it makes of it.
    names = ("scope", "environ", "META", "env")
    places = [request, *(getattr(request, name, None) for name in names)]
    for place in places:
        if isinstance(place, Mapping):
            inner = place.get("asgi.scope")
            outer = inner.get("consentgate") if isinstance(inner, Mapping) else None
            for visit in (place.get("consentgate"), place.get("consentgate.consent"), outer):
                if isinstance(visit, RequestConsent):
                    return visit
    return None


class Nobody(RequestConsent):
    """A newcomer where no policy is at hand: every category is refused, none is unknown."""

    __slots__ = ()

    def allows(self, category: str) -> bool:
        return False

    def choice(self, category: str) -> Choice:
        return Choice.UNSET

    def basis(self, category: str) -> Basis | None:
        return None

    def _known(self, category: str) -> None:
        """Take any category for one of the policy's: nobody knows which those are."""


def nobody() -> RequestConsent:
    """Return a newcomer where no policy is at hand."""
    return Nobody(_NO_POLICY, Request("GET", "/"), 0.0, bytes)


# It signs nothing, and verifies nothing: the request that it is asked of has no cookies.
_NO_POLICY = Compiled(Policy(version=""), [b"\0" * 32])
