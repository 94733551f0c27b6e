"""A small shop in FastAPI, gated in one line: the last one.

pip install consentgate fastapi uvicorn python-multipart
uvicorn fastapi_shop:app
"""

import os
import secrets
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

from consentgate import wrap

# New keys at every start, so that the example runs without any setup. A real shop sets both to
# fixed values in the environment: several workers must share them, and so must tomorrow's restart.
os.environ.setdefault("CONSENTGATE_SECRET", secrets.token_urlsafe(48))
os.environ.setdefault("SHOP_SECRET", secrets.token_urlsafe(48))

DAY = 24 * 3600
ITEMS = {"mug": ("Mug", 12), "scarf": ("Scarf", 30), "lamp": ("Lamp", 55)}
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

shop = APIRouter()


# --- Pages ---------------------------------------------------------------------------------------


@shop.get("/")
def home(request: Request) -> HTMLResponse:
    request.session["visits"] = request.session.get("visits", 0) + 1
    response = page(request, "Shop", listing(request, ITEMS))
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


@shop.get("/product/{sku}")
def product(request: Request, sku: str) -> HTMLResponse:
    if sku not in ITEMS:
        raise HTTPException(404, "There is no such product.")
    request.session["last_seen"] = sku
    name = ITEMS[sku][0]
    film = request.state.consent.embed(
        "marketing", f"http://player.{THIRD_PARTIES}/film", title=f"{name}: the film"
    )
    note = '<p><label>A note to go with it <input id="note"></label></p>'
    response = page(request, name, f"{listing(request, [sku])}{film}{note}")
    response.set_cookie("reco_id", secrets.token_hex(8), 90 * DAY)
    return response


@shop.get("/basket")
def basket(request: Request) -> HTMLResponse:
    return page(request, "Basket", listing(request, basket_of(request)))


@shop.get("/statistics")
def statistics(request: Request) -> HTMLResponse:
    """Ask for consent where more than a cookie depends on it."""
    if request.state.consent.allows("analytics"):
        return page(request, "Statistics", "<p>You allow analytics: this visit is counted.</p>")
    return page(request, "Statistics", "<p>No analytics: this visit is not counted.</p>")


@shop.get("/about")
@shop.get("/shop.css")
@shop.get("/shop.js")
def file(request: Request) -> FileResponse:
    name, kind = FILES[request.url.path.strip("/")]
    headers = {
        "Cache-Control": "public, max-age=600",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    }
    return FileResponse(HERE / name, media_type=kind, headers=headers)


# --- Forms: each carries the token of the csrftoken cookie ---------------------------------------


def check_token(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    known = request.cookies.get("csrftoken", "")
    if not known or not secrets.compare_digest(csrf.encode(), known.encode()):
        raise HTTPException(403, "This form did not come from the shop.")


@shop.post("/basket", dependencies=[Depends(check_token)])
def add_to_basket(request: Request, sku: Annotated[str, Form()]) -> RedirectResponse:
    response = RedirectResponse("/basket", 303)
    if sku in ITEMS:
        items = [*basket_of(request), sku][-20:]
        response.set_cookie("basket", ".".join(items), 7 * DAY, httponly=True)
    return response


@shop.post("/login", dependencies=[Depends(check_token)])
def login(request: Request, name: Annotated[str, Form(max_length=40)]) -> RedirectResponse:
    request.session["name"] = name  # a real shop asks for a password
    return RedirectResponse("/", 303)


@shop.post("/logout", dependencies=[Depends(check_token)])
def logout(request: Request) -> RedirectResponse:
    request.session.clear()
    return RedirectResponse("/", 303)


def basket_of(request: Request) -> list[str]:
    return [sku for sku in request.cookies.get("basket", "").split(".") if sku in ITEMS]


# --- HTML ----------------------------------------------------------------------------------------


def listing(request: Request, skus: Iterable[str]) -> str:
    lines = ""
    currency = escape(request.cookies.get("currency", "EUR"))
    for sku in skus:
        name, price = ITEMS[sku]
        add = form(request, "/basket", "Add to basket", f"<input type=hidden name=sku value={sku}>")
        lines += f'<li><a href="/product/{sku}">{name}</a>, {price} {currency} {add}\n'
    return f"<ul>{lines}</ul>"


def form(request: Request, action: str, button: str, fields: str = "") -> str:
    # A new visitor's token: the answer that holds the form brings the cookie along.
    if not hasattr(request.state, "token"):
        request.state.token = request.cookies.get("csrftoken") or secrets.token_urlsafe(16)
    token = f'<input type="hidden" name="csrf" value="{escape(request.state.token)}">'
    return f'<form method="post" action="{action}">{token}{fields}<button>{button}</button></form>'


def page(request: Request, title: str, body: str) -> HTMLResponse:
    name = request.session.get("name")
    if name:
        account = f"Signed in as {escape(name)} {form(request, '/logout', 'Sign out')}"
    else:
        field = "<input name=name placeholder=Name aria-label=Name required>"
        account = form(request, "/login", "Sign in", field)
    response = HTMLResponse(f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
{request.state.consent.head()}
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css">
<script type="text/plain" data-category="analytics"
 src="http://analytics.{THIRD_PARTIES}/tag.js"></script>
<script type="text/plain" data-category="marketing"
 src="http://ads.{THIRD_PARTIES}/tag.js"></script>
<script type="text/plain" data-category="preferences"
 src="http://chat.{THIRD_PARTIES}/widget.js"></script>
<body>
{request.state.consent.banner()}
<nav><a href="/">Shop</a> · <a href="/basket">Basket ({len(basket_of(request))})</a> ·
<a href="/statistics">Statistics</a> · <a href="/about">About</a> {account}</nav>
<h1>{title}</h1>
{body}
<footer><a href="/_gate/?next={quote(request.url.path)}">Privacy choices</a></footer>
<script src="/shop.js" defer></script>
""")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.set_cookie("csrftoken", request.state.token, 365 * DAY, samesite="lax")
    return response


# --- The app -------------------------------------------------------------------------------------


class AdPixel:
    """What an advertiser's snippet does: a raw header, past every method of the framework."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].strip("/") in FILES:
            return await self.app(scope, receive, send)

        async def send_with_pixel(message: Any) -> None:
            if message["type"] == "http.response.start":
                line = f"_fbp=fb.1.{secrets.randbelow(10**9)}; Path=/; Max-Age={90 * DAY}"
                message["headers"] = [*message["headers"], (b"set-cookie", line.encode())]
            await send(message)

        return await self.app(scope, receive, send_with_pixel)


def create_app() -> FastAPI:
    app = FastAPI()
    app.include_router(shop)
    app.add_middleware(SessionMiddleware, secret_key=os.environ["SHOP_SECRET"])
    app.add_middleware(AdPixel)
    return app


app = create_app()
app = wrap(app, Path(__file__).with_name("shop.toml"))
