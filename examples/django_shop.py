"""A small shop in Django, in one file and without a database, gated in one line: the last ones.

pip install consentgate django gunicorn uvicorn
gunicorn django_shop:wsgi     or     uvicorn django_shop:asgi
"""

import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import get_language
from django.views.decorators.http import require_POST

from consentgate import wrap

# New keys at every start, so that the example runs without any setup. A real shop sets both to
# fixed values in the environment: several workers must share them, and so must tomorrow's restart.
os.environ.setdefault("CONSENTGATE_SECRET", secrets.token_urlsafe(48))
os.environ.setdefault("SHOP_SECRET", secrets.token_urlsafe(48))

DAY = 24 * 3600
ITEMS = {
    "mug": {"sku": "mug", "name": "Mug", "price": 12},
    "scarf": {"sku": "scarf", "name": "Scarf", "price": 30},
    "lamp": {"sku": "lamp", "name": "Lamp", "price": 55},
}
THIRD_PARTIES = os.environ.get("SHOP_THIRD_PARTIES", "localhost:8010")  # see third_parties.py
OTHERS = f"http://*.{THIRD_PARTIES}"
# All that may ever load: the gate takes away what the visitor has not allowed. No code in the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; "
    f"script-src 'self' {OTHERS}; connect-src 'self' {OTHERS}; img-src {OTHERS}; frame-src {OTHERS}"
)
HERE = Path(__file__).parent
# The same for everybody. Any cache may keep them: the gate has nothing to add there.
FILES = {
    "about": ("about.html", "text/html; charset=utf-8"),
    "shop.css": ("shop.css", "text/css; charset=utf-8"),
    "shop.js": ("shop.js", "text/javascript; charset=utf-8"),
}
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{ title }}</title>
{{ request.state.consent.head }}
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css">
<script type="text/plain" data-category="analytics"
 src="http://analytics.{{ third_parties }}/tag.js"></script>
<script type="text/plain" data-category="marketing"
 src="http://ads.{{ third_parties }}/tag.js"></script>
<script type="text/plain" data-category="preferences"
 src="http://chat.{{ third_parties }}/widget.js"></script>
<body>
{{ request.state.consent.banner }}
<nav><a href="/">Shop</a> · <a href="/basket">Basket ({{ in_basket }})</a> ·
<a href="/statistics">Statistics</a> · <a href="/about">About</a>
{% if name %}Signed in as {{ name }}
<form method="post" action="/logout">{% csrf_token %}<button>Sign out</button></form>
{% else %}
<form method="post" action="/login">{% csrf_token %}
<input name="name" placeholder="Name" aria-label="Name" required>
<button>Sign in</button></form>{% endif %}</nav>
<h1>{{ title }}</h1>
<p>{{ text }}</p>
<ul>{% for item in items %}
<li><a href="/product/{{ item.sku }}">{{ item.name }}</a>, {{ item.price }} {{ currency }}
<form method="post" action="/basket">{% csrf_token %}
<input type="hidden" name="sku" value="{{ item.sku }}"><button>Add to basket</button></form>
{% endfor %}</ul>
{% if film %}{{ film }}
<p><label>A note to go with it <input id="note"></label></p>{% endif %}
<footer><a href="/_gate/?next={{ request.path | urlencode }}">Privacy choices</a></footer>
<script src="/shop.js" defer></script>
"""

settings.configure(
    SECRET_KEY=os.environ["SHOP_SECRET"],
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        f"{__name__}.ad_pixel",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [("django.template.loaders.locmem.Loader", {"page.html": PAGE})],
                "context_processors": ["django.template.context_processors.request"],
            },
        }
    ],
)


# --- Pages ---------------------------------------------------------------------------------------


def home(request: HttpRequest) -> HttpResponse:
    request.session["visits"] = request.session.get("visits", 0) + 1
    response = page(request, "Shop", ITEMS)
    # Needed to run the shop.
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, get_language(), 365 * DAY)
    response.set_cookie("currency", request.COOKIES.get("currency", "EUR"), 365 * DAY)
    # Not needed. Nothing here asks for consent: the gate decides what leaves.
    response.set_cookie("catalogue_view", "grid", 180 * DAY)
    response.set_cookie("_ga", f"GA1.1.{secrets.randbelow(10**9)}", 390 * DAY)
    response.set_cookie("_ga_SHOP1", f"GS1.1.{secrets.randbelow(10**9)}", 390 * DAY)
    response.set_cookie("ab_test", secrets.choice(["blue", "green"]), 30 * DAY)
    response.set_cookie("promo_popup", "seen", 365 * DAY)  # the policy never heard of it
    return response


def product(request: HttpRequest, sku: str) -> HttpResponse:
    if sku not in ITEMS:
        raise Http404("There is no such product.")
    request.session["last_seen"] = sku
    name = ITEMS[sku]["name"]
    film = request.state.consent.embed(
        "marketing", f"http://player.{THIRD_PARTIES}/film", title=f"{name}: the film"
    )
    response = page(request, name, [sku], film=film)
    response.set_cookie("reco_id", secrets.token_hex(8), 90 * DAY)
    return response


def basket(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return page(request, "Basket", basket_of(request))
    response = HttpResponseRedirect("/basket", status=303)
    if request.POST.get("sku") in ITEMS:
        items = [*basket_of(request), request.POST["sku"]][-20:]
        response.set_cookie("basket", ".".join(items), 7 * DAY, httponly=True)
    return response


def statistics(request: HttpRequest) -> HttpResponse:
    """Ask for consent where more than a cookie depends on it."""
    if request.state.consent.allows("analytics"):
        return page(request, "Statistics", text="You allow analytics: this visit is counted.")
    return page(request, "Statistics", text="No analytics: this visit is not counted.")


def file(request: HttpRequest) -> HttpResponse:
    name, kind = FILES[request.path.strip("/")]
    response = HttpResponse((HERE / name).read_bytes(), content_type=kind)
    response.headers["Cache-Control"] = "public, max-age=600"
    return response


@require_POST
def login(request: HttpRequest) -> HttpResponse:
    request.session["name"] = request.POST.get("name", "")[:40]  # a real shop asks for a password
    return HttpResponseRedirect("/", status=303)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    request.session.flush()
    return HttpResponseRedirect("/", status=303)


def basket_of(request: HttpRequest) -> list[str]:
    return [sku for sku in request.COOKIES.get("basket", "").split(".") if sku in ITEMS]


def page(
    request: HttpRequest, title: str, skus: Iterable[str] = (), text: str = "", film: str = ""
) -> HttpResponse:
    context = {"title": title, "text": text, "items": [ITEMS[sku] for sku in skus]}
    context |= {"film": film, "third_parties": THIRD_PARTIES}
    context["name"] = request.session.get("name")
    context["currency"] = request.COOKIES.get("currency", "EUR")
    context["in_basket"] = len(basket_of(request))
    return render(request, "page.html", context)


# --- The app -------------------------------------------------------------------------------------


def ad_pixel(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Do what an advertiser's snippet does: a raw header, past set_cookie."""

    def with_pixel(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        if request.path.strip("/") in FILES:
            return response
        line = f"_fbp=fb.1.{secrets.randbelow(10**9)}; Path=/; Max-Age={90 * DAY}"
        response.headers["Set-Cookie"] = line
        return response

    return with_pixel


urlpatterns = [
    path("", home),
    path("product/<sku>", product),
    path("basket", basket),
    path("statistics", statistics),
    path("login", login),
    path("logout", logout),
    *(path(name, file) for name in FILES),
]

wsgi = get_wsgi_application()
wsgi = wrap(wsgi, Path(__file__).with_name("shop.toml"))

asgi = get_asgi_application()
asgi = wrap(asgi, Path(__file__).with_name("shop.toml"))
