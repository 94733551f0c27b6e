"""`INSTALLED_APPS = [..., "consentgate"]`, in a process in which nothing was ever wrapped."""

from __future__ import annotations

import subprocess
import sys

PROJECT = """
import django
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

def home(request):
    consent = request.state.consent
    return HttpResponse(f"{consent.allows('analytics')} {consent.decided}")

urlpatterns = [path("", home)]
settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", INSTALLED_APPS=["consentgate"]
)
django.setup()
print(Client().get("/").content.decode(), RequestFactory().get("/").state.consent.choice("x"))
"""


def test_djangos_test_client_finds_a_newcomer_where_nothing_was_wrapped() -> None:
    """The settings are enough: tests do not import the module that wraps the handler."""
    done = subprocess.run(
        [sys.executable, "-c", PROJECT], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("False False unset\n", "")
