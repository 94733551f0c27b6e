"""`{{ consent.banner() }}` in the template engines of real frameworks."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import jinja2
import pytest
import quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount, Route
from starlette.templating import Jinja2Templates

from consentgate import banner, consent_from, head, template_context, wrap
from wrap.driving import ENVIRON, POLICY, ask
from wrap.test_request_state import choose

PAGE = "<body>\n{{ consent.banner() }}\n<h1>Page</h1>"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


def flask_app(policy: Path) -> Any:
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: flask.render_template_string(PAGE))
    return wrap(app, policy, environ=ENVIRON)


def quart_app(policy: Path) -> Any:
    app = quart.Quart("shop")

    @app.get("/")
    async def home() -> str:
        return await quart.render_template_string(PAGE)

    return wrap(app, policy, environ=ENVIRON)


def starlette_app(policy: Path) -> Any:
    loader = jinja2.DictLoader({"page.html": PAGE})
    templates = Jinja2Templates(
        env=jinja2.Environment(loader=loader, autoescape=True),
        context_processors=[template_context],
    )

    async def home(request: Request) -> Any:
        return templates.TemplateResponse(request, "page.html")

    return wrap(Starlette(routes=[Route("/", home)]), policy, environ=ENVIRON)


def jinja_app(policy: Path) -> Any:
    environment = jinja2.Environment(autoescape=True)
    environment.globals["banner"] = banner
    page = environment.from_string("<body>\n{{ banner(request, 'de') }}\n<h1>Page</h1>")

    def app(environ: Any, start_response: Any) -> list[bytes]:
        html = page.render(request=environ)
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [html.encode()]

    return wrap(app, policy, environ=ENVIRON)


APPS: dict[str, Callable[[Path], Any]] = {
    "flask": flask_app,
    "quart": quart_app,
    "starlette": starlette_app,
    "any Jinja environment": jinja_app,
}


@pytest.mark.parametrize("make", APPS.values(), ids=APPS)
def test_a_template_says_banner_and_gets_it(make: Callable[[Path], Any], policy: Path) -> None:
    """A newcomer gets banner and script, whoever has chosen the script; caches keep both apart."""
    app = make(policy)
    response = ask(app)
    language = "de" if make is jinja_app else "en"
    assert re.search(
        r'<body>\n<link rel="stylesheet" href="/_gate/g\.\w{12}\.css"[^>]*>\n'
        r'<script src="/_gate/g\.\w{12}\.js"[^>]*></script>\n'
        rf'<section class="gate" data-gate="banner" lang="{language}"',
        response.text,
    )
    assert response.headers["cache-control"] == "private"
    again = ask(app, cookie=choose(app, "accept"))
    assert "<section" not in again.text
    assert re.search(r'<body>\n<script src="/_gate/g\.\w{12}\.js"', again.text)


@pytest.mark.parametrize("kind", ["js", "css"])
def test_what_the_banner_points_at_is_there(policy: Path, kind: str) -> None:
    """Below any mount, kept for good, and with the digest that the page demands."""
    inner = starlette_app(policy)
    app = Starlette(routes=[Mount("/shop", inner)])
    html = ask(app, "/shop/").text
    found = re.search(rf'(?:src|href)="(/shop/_gate/g\.\w+\.{kind})" integrity="([^"]+)"', html)
    assert found is not None
    response = ask(app, found[1])
    assert (response.status_code, response.headers["cache-control"]) == (
        200,
        "public, max-age=31536000, immutable",
    )
    etag = response.headers["etag"]
    again = ask(app, found[1], headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert re.search(rf'data-gate="banner"|{kind}', html)


def test_a_view_may_give_its_template_another_consent(policy: Path) -> None:
    """What the site itself calls `consent` stays what it is."""
    app = flask.Flask("shop")
    app.add_url_rule(
        "/", view_func=lambda: flask.render_template_string("{{ consent }}", consent=7)
    )
    assert ask(wrap(app, policy, environ=ENVIRON)).text == "7"


def test_templates_work_outside_of_any_request(policy: Path) -> None:
    """Mails, say: the visitor is nobody, and the banner nothing."""
    app = flask_app(policy)
    with app.app_context():
        assert (
            flask.render_template_string("{{ consent.banner() }}{{ consent.decided }}") == "False"
        )

    async def rendered() -> str:
        async with quart_app(policy).app_context():
            return str(await quart.render_template_string("{{ consent.banner() }}-"))

    assert asyncio.run(rendered()) == "-"
    assert (banner(None), template_context(None)["consent"].decided) == ("", False)


def test_a_mistake_of_ours_costs_the_banner_and_not_the_page(
    policy: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is served without it, and the log says so once."""
    monkeypatch.setattr("consentgate.handler._told", set())

    def fails(*arguments: object, **more: object) -> str:
        raise RuntimeError

    monkeypatch.setattr("consentgate.handler.front.banner", fails)
    app = flask_app(policy)
    with caplog.at_level(logging.ERROR, "consentgate"):
        assert [ask(app).text for _ in range(2)] == ["<body>\n\n<h1>Page</h1>"] * 2
    assert len(caplog.records) == 1


def test_all_of_it_may_stand_in_the_page(policy: Path) -> None:
    """With the hashes that a Content-Security-Policy needs for it."""
    app = flask.Flask("shop")

    @app.get("/")
    def home() -> str:
        consent = consent_from(flask.request)
        script, style = consent.inline_sources
        return f"{script} {style}\n{consent.banner('en', inline=True)}"

    sources, html = ask(wrap(app, policy, environ=ENVIRON)).text.split("\n", 1)
    assert re.fullmatch(r"'sha384-[\w+/=]{64}' 'sha384-[\w+/=]{64}'", sources)
    assert html.startswith("<style data-gate-style>")
    assert '</style>\n<script data-base="/_gate" data-rendered>' in html


def test_a_template_says_head_and_gets_the_guard(policy: Path) -> None:
    """First in the head, with what this visitor allows; and by a function for any framework."""
    app = flask.Flask("shop")

    @app.get("/")
    def home() -> str:
        page = flask.render_template_string("<head>{{ consent.head(nonce='n') }}")
        return page + str(head(flask.request))

    wrapped = wrap(app, policy, environ=ENVIRON)
    tag = r'<script src="/_gate/first\.\w{12}\.js" integrity="sha384-[^"]{64}"'
    found = ask(wrapped)
    assert re.fullmatch(
        rf'<head>{tag} nonce="n" data-allowed=""></script>\n{tag} data-allowed=""></script>\n',
        found.text,
    )
    assert found.headers["cache-control"] == "private"
    again = ask(wrapped, cookie=choose(wrapped, "accept"))
    assert re.search(r'data-allowed="[a-z ]+"', again.text)
    assert head(None) == ""
    file = re.search(r'src="([^"]+)"', found.text)
    assert file is not None
    assert ask(wrapped, file[1]).headers["content-type"] == "text/javascript; charset=utf-8"


DJANGO = """
import django
from django.conf import settings
from django.http import HttpResponse
from django.template import Context, RequestContext, Template
from django.test import Client
from django.urls import path

TAG = "<body>{% load consentgate %}{% banner 'de' nonce='n' %}{% gate_head nonce='n' %}"
CONTEXT = "<body>{{ consent.banner }}"

def tag(request):
    return HttpResponse(Template(TAG).render(Context({"request": request})))

def context(request):
    return HttpResponse(Template(CONTEXT).render(RequestContext(request)))

urlpatterns = [path("tag", tag), path("context", context)]
settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", INSTALLED_APPS=["consentgate"],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"context_processors": ["consentgate.template_context"]},
    }],
)
django.setup()
from django.core.wsgi import get_wsgi_application
from consentgate import wrap
from wrap.driving import ENVIRON, ask
import sys
app = wrap(get_wsgi_application(), sys.argv[1], environ=ENVIRON)
for address in ("/tag", "/context"):
    print(ask(app, address).text)
    print(ask(app, address).headers["vary"])
print(Template(TAG).render(Context({})))
"""


def test_django_has_a_tag_and_a_context_processor(policy: Path) -> None:
    """Neither escapes what is HTML; without a request the tag is empty."""
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, str(policy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.stderr == ""
    by_tag, _, rest = done.stdout.partition("\nCookie, Sec-GPC\n")
    by_context, _, nothing = rest.partition("\nCookie, Accept-Language, Sec-GPC\n")
    assert re.match(r'<body><link rel="stylesheet"[^>]* nonce="n"', by_tag)
    assert '<section class="gate" data-gate="banner" lang="de"' in by_tag
    assert re.search(r'<script src="/_gate/first\.\w+\.js"[^>]* nonce="n" data-allowed="">', by_tag)
    assert re.match(r'<body><link rel="stylesheet"', by_context)
    assert '<section class="gate" data-gate="banner" lang="en"' in by_context
    assert nothing == "<body>\n"
