"""A small shop in Flask, gated in one line: the last one.

pip install consentgate flask gunicorn
gunicorn flask_shop:app
"""

import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import (
    Flask,
    Response,
    abort,
    make_response,
    redirect,
    render_template_string,
    request,
    send_file,
    session,
)
from flask.typing import ResponseReturnValue

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

app = Flask(__name__)
app.secret_key = os.environ["SHOP_SECRET"]


# --- Pages ---------------------------------------------------------------------------------------


@app.get("/")
def home() -> ResponseReturnValue:
    session["visits"] = session.get("visits", 0) + 1
    response = make_response(page("Shop", ITEMS))
    # Needed to run the shop.
    response.set_cookie("language", request.cookies.get("language", "en"), 365 * DAY)
    response.set_cookie("currency", request.cookies.get("currency", "EUR"), 365 * DAY)
    # Not needed. Nothing here asks for consent: the gate decides what leaves.
    response.set_cookie("catalogue_view", "grid", 180 * DAY)
    response.set_cookie("_ga", f"GA1.1.{secrets.randbelow(10**9)}", 390 * DAY)
    response.set_cookie("_ga_SHOP1", f"GS1.1.{secrets.randbelow(10**9)}", 390 * DAY)
    response.set_cookie("ab_test", secrets.choice(["blue", "green"]), 30 * DAY)
    response.set_cookie("promo_popup", "seen", 365 * DAY)  # the policy never heard of it
    return response


@app.get("/product/<sku>")
def product(sku: str) -> ResponseReturnValue:
    if sku not in ITEMS:
        abort(404)
    session["last_seen"] = sku
    name = ITEMS[sku]["name"]
    film = request.state.consent.embed(
        "marketing", f"http://player.{THIRD_PARTIES}/film", title=f"{name}: the film"
    )
    response = make_response(page(name, [sku], film=film))
    response.set_cookie("reco_id", secrets.token_hex(8), 90 * DAY)
    return response


@app.get("/basket")
def basket() -> ResponseReturnValue:
    return page("Basket", basket_of_visitor())


@app.get("/statistics")
def statistics() -> ResponseReturnValue:
    """Ask for consent where more than a cookie depends on it."""
    if request.state.consent.allows("analytics"):
        return page("Statistics", text="You allow analytics: this visit is counted.")
    return page("Statistics", text="No analytics: this visit is not counted.")


@app.get("/about")
@app.get("/shop.css")
@app.get("/shop.js")
def file() -> ResponseReturnValue:
    name, kind = FILES[request.path.strip("/")]
    response = send_file(HERE / name, mimetype=kind)
    response.headers["Cache-Control"] = "public, max-age=600"
    return response


@app.after_request
def strictly(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


# --- Forms: each carries the token that is kept in the session, as Flask-WTF does it -------------


@app.before_request
def check_token() -> None:
    if request.method == "POST":
        known = session.get("csrf", "")
        sent = request.form.get("csrf", "")
        if not known or not secrets.compare_digest(sent.encode(), known.encode()):
            abort(403)


@app.post("/basket")
def add_to_basket() -> ResponseReturnValue:
    response = redirect("/basket", 303)
    if request.form["sku"] in ITEMS:
        items = [*basket_of_visitor(), request.form["sku"]][-20:]
        response.set_cookie("basket", ".".join(items), 7 * DAY, httponly=True)
    return response


@app.post("/login")
def login() -> ResponseReturnValue:
    session["name"] = request.form["name"][:40]  # a real shop asks for a password
    return redirect("/", 303)


@app.post("/logout")
def logout() -> ResponseReturnValue:
    session.clear()
    return redirect("/", 303)


def basket_of_visitor() -> list[str]:
    return [sku for sku in request.cookies.get("basket", "").split(".") if sku in ITEMS]


# --- HTML ----------------------------------------------------------------------------------------

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{ title }}</title>
{{ request.state.consent.head() }}
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css">
<script type="text/plain" data-category="analytics"
 src="http://analytics.{{ third_parties }}/tag.js"></script>
<script type="text/plain" data-category="marketing"
 src="http://ads.{{ third_parties }}/tag.js"></script>
<script type="text/plain" data-category="preferences"
 src="http://chat.{{ third_parties }}/widget.js"></script>
<body>
{{ request.state.consent.banner() }}
{% set token %}<input type="hidden" name="csrf" value="{{ csrf }}">{% endset %}
<nav><a href="/">Shop</a> · <a href="/basket">Basket ({{ in_basket }})</a> ·
<a href="/statistics">Statistics</a> · <a href="/about">About</a>
{% if session.name %}Signed in as {{ session.name }}
<form method="post" action="/logout">{{ token }}<button>Sign out</button></form>
{% else %}
<form method="post" action="/login">{{ token }}
<input name="name" placeholder="Name" aria-label="Name" required>
<button>Sign in</button></form>{% endif %}</nav>
<h1>{{ title }}</h1>
<p>{{ text }}</p>
<ul>{% for item in items %}
<li><a href="/product/{{ item.sku }}">{{ item.name }}</a>, {{ item.price }} {{ currency }}
<form method="post" action="/basket">{{ token }}
<input type="hidden" name="sku" value="{{ item.sku }}"><button>Add to basket</button></form>
{% endfor %}</ul>
{% if film %}{{ film }}
<p><label>A note to go with it <input id="note"></label></p>{% endif %}
<footer><a href="/_gate/?next={{ request.path | urlencode }}">Privacy choices</a></footer>
<script src="/shop.js" defer></script>
"""


def page(title: str, skus: Iterable[str] = (), text: str = "", film: str = "") -> str:
    return render_template_string(
        PAGE,
        title=title,
        text=text,
        film=film,
        third_parties=THIRD_PARTIES,
        items=[ITEMS[sku] for sku in skus],
        csrf=session.setdefault("csrf", secrets.token_urlsafe(16)),
        currency=request.cookies.get("currency", "EUR"),
        in_basket=len(basket_of_visitor()),
    )


# --- The app -------------------------------------------------------------------------------------


def ad_pixel(app: Callable[..., Any]) -> Callable[..., Any]:
    """Do what an advertiser's snippet does: a raw header, past every method of the framework."""

    def with_pixel(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"].strip("/") in FILES:
            return app(environ, start_response)

        def start(status: str, headers: Any, *more: Any) -> Any:
            line = f"_fbp=fb.1.{secrets.randbelow(10**9)}; Path=/; Max-Age={90 * DAY}"
            return start_response(status, [*headers, ("Set-Cookie", line)], *more)

        return app(environ, start)

    return with_pixel


app.wsgi_app = ad_pixel(app.wsgi_app)
app = wrap(app, Path(__file__).with_name("shop.toml"))
