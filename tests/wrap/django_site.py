"""The small site of `sites.py` in Django, through both of its handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

RAW = "_ga_raw=1; Path=/"
PIECES = [b"one ", b"two ", b"three"]
SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["*"],
    "DEBUG": False,
    "INSTALLED_APPS": [],
    "MIDDLEWARE": [
        "wrap.django_site.hook",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    "ROOT_URLCONF": "wrap.django_site",
    "SECRET_KEY": "not a secret",
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
}
if not settings.configured:
    settings.configure(**SETTINGS, LOGGING_CONFIG=None)
    django.setup()


def wsgi_site() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def asgi_site() -> Any:
    from django.core.asgi import get_asgi_application

    return get_asgi_application()


def hook(get_response: Any) -> Any:
    """The outermost middleware."""

    def middleware(request: Any) -> Any:
        response = get_response(request)
        response.set_cookie("_ga_hook", "1")
        return response

    return middleware


async def _pieces() -> AsyncIterator[bytes]:
    for piece in PIECES:
        yield piece


def _page(make: Any) -> Any:
    @csrf_exempt
    @require_safe
    def view(request: Any) -> Any:
        request.session["basket"] = 1
        response = make(request)
        response.set_cookie("_ga", "1")
        response.headers["Set-Cookie"] = RAW
        return response

    return view


def _stream(request: Any) -> Any:
    return StreamingHttpResponse(_pieces() if isinstance(request, ASGIRequest) else iter(PIECES))


def _boom(request: Any) -> Any:
    raise RuntimeError("boom")


def handler404(request: Any, exception: Exception) -> Any:
    return HttpResponse("none", status=404, headers={"Set-Cookie": "_ga_404=1"})


def handler500(request: Any) -> Any:
    return HttpResponse("sorry", status=500, headers={"Set-Cookie": "_ga_500=1"})


urlpatterns = [
    path("page", _page(lambda request: HttpResponse("page"))),
    path("empty", _page(lambda request: HttpResponse(status=204))),
    path("same", _page(lambda request: HttpResponse(status=304))),
    path("away", _page(lambda request: HttpResponseRedirect("/page"))),
    path("stream", _page(_stream)),
    path("boom", _boom),
    path("seen", lambda request: HttpResponse(" ".join(sorted(request.COOKIES)))),
]
