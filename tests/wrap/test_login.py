"""Log in, refuse every optional cookie, and still be logged in: with renamed session cookies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import httpx
import pytest
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test.utils import override_settings
from django.urls import path as django_path
from fastapi import FastAPI, Request
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse

from consentgate import wrap
from wrap import django_site
from wrap.driving import ENVIRON, ask


class Browser:
    """Keeps cookies, and sends them."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.cookies = httpx.Cookies()

    def open(self, path: str, **form: str) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = ask(self.app, path, form=form or None, cookie=cookie.encode())
        self.cookies.extract_cookies(response)
        return response


GA = {"Set-Cookie": "_ga=1; Path=/"}


def _flask() -> Any:
    app = flask.Flask(__name__)
    app.secret_key = "k"
    app.config["SESSION_COOKIE_NAME"] = "shop_session"

    @app.route("/login", methods=["GET", "POST"])
    def login() -> Any:
        if flask.request.method == "POST":
            flask.session["user"] = flask.request.form["user"]
        return "", GA

    @app.get("/me")
    def me() -> Any:
        return flask.session.get("user", "nobody"), GA

    return app


def _fastapi() -> Any:
    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key="k", session_cookie="shop_session")

    @app.api_route("/login", methods=["GET", "POST"])
    async def login(request: Request) -> PlainTextResponse:
        if request.method == "POST":
            request.session["user"] = (await request.body()).decode().partition("=")[2]
        return PlainTextResponse("", headers=GA)

    @app.get("/me")
    async def me(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.session.get("user", "nobody"), headers=GA)

    return app


def _django_login(request: Any) -> HttpResponse:
    if request.method == "POST":  # only with the CSRF cookie and the form's token: 403 otherwise
        request.session["user"] = request.POST["user"]
        return HttpResponse(headers=GA)
    return HttpResponse(f'csrfmiddlewaretoken" value="{get_token(request)}"', headers=GA)


def _django_me(request: Any) -> HttpResponse:
    return HttpResponse(request.session.get("user", "nobody"), headers=GA)


urlpatterns = [django_path("login", _django_login), django_path("me", _django_me)]


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    with override_settings(
        ROOT_URLCONF=type("urls", (), {"urlpatterns": urlpatterns}),
        MIDDLEWARE=django_site.SETTINGS["MIDDLEWARE"][1:],
        SESSION_COOKIE_NAME="shop_session",
        CSRF_COOKIE_NAME="shop_csrf",
    ):
        yield


@pytest.mark.parametrize(
    "make",
    [_flask, _fastapi, django_site.wsgi_site, django_site.asgi_site],
    ids=["flask", "fastapi", "django-wsgi", "django-asgi"],
)
@pytest.mark.parametrize("refuse_first", [False, True], ids=["then refuse", "after refusing"])
def test_a_refusal_logs_nobody_out(
    make: Callable[[], Any], refuse_first: bool, policy_file: Path
) -> None:
    """Before and after a full refusal the login holds, and no analytics cookie was ever stored."""

    browser = Browser(wrap(make(), policy_file, environ=ENVIRON))

    if refuse_first:
        assert browser.open("POST /_gate/choice", action="reject").status_code == 303
    token = re.search('csrfmiddlewaretoken" value="(.+)"', browser.open("/login").text)
    form = {"csrfmiddlewaretoken": token[1]} if token else {}
    assert browser.open("POST /login", user="ada", **form).status_code == 200
    assert browser.open("/me").text == "ada"
    assert browser.open("POST /_gate/choice", action="reject").status_code == 303
    assert browser.open("/me").text == "ada"
    assert browser.open("/_gate/state").json()["decided"] is True
    expected = {"shop_session", "gate", "gate-choice"} | ({"shop_csrf"} if token else set())
    assert set(browser.cookies) == expected
