"""Embeds in templates of frameworks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import flask

import consentgate
from consentgate import consent_from
from wrap.driving import ENVIRON
from wrap.driving import POLICY as FILE
from wrap.driving import ask as call


def test_a_view_and_a_template_say_it(tmp_path: Path) -> None:
    """In Flask by the name that templates know; by a function anywhere else."""
    path = tmp_path / "policy.toml"
    path.write_text(FILE)
    app = flask.Flask("shop")
    page = "{{ consent.embed('analytics', 'https://maps.example/', 'A map') }}"
    app.add_url_rule("/", view_func=lambda: flask.render_template_string(page))

    @app.get("/function")
    def function() -> str:
        same = consentgate.embed(flask.request, "analytics", "https://maps.example/", "A map")
        assert same == consent_from(flask.request).embed(
            "analytics", "https://maps.example/", title="A map"
        )
        return str(same)

    app = consentgate.wrap(app, path, environ=ENVIRON)
    for address in ("/", "/function"):
        response = call(app, address)
        assert '<iframe data-category="analytics" data-src="https://maps.example/"' in response.text
        assert response.headers["cache-control"] == "private"


DJANGO = """
import sys
import django
from django.conf import settings
from django.http import HttpResponse
from django.template import Context, Template
from django.urls import path

TAG = "{% load consentgate %}{% embed 'analytics' 'https://maps.example/' 'A map' width=5 %}"

def tag(request):
    return HttpResponse(Template(TAG).render(Context({"request": request})))

urlpatterns = [path("", tag)]
settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", INSTALLED_APPS=["consentgate"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()
from django.core.wsgi import get_wsgi_application
from consentgate import wrap
from wrap.driving import ENVIRON, ask
print(ask(wrap(get_wsgi_application(), sys.argv[1], environ=ENVIRON)).text)
"""


def test_django_has_a_tag_for_it(tmp_path: Path) -> None:
    """Which escapes nothing that is HTML."""
    path = tmp_path / "policy.toml"
    path.write_text(FILE)
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.stderr == ""
    assert '<iframe data-category="analytics" data-src="https://maps.example/" title="A map" ' in (
        done.stdout
    )
