"""The gate's own addresses: what is asked of them, and what they answer."""

from __future__ import annotations

import json

from . import embeds, front
from .addresses import kept, query_of
from .companion import says_more
from .compiled import Compiled
from .consent import GrantRefused, UnknownCategory
from .http import Header, Request, Response
from .policy import Category, Rule
from .proof import listed_origin, page_before, safe_next
from .standing import HONOURED
from .views import View
from .visit import Visit
from .wish import FORM, JSON, MAX_BODY, BadWish, Wish, media_type, read_wish

_HTML = b"text/html; charset=utf-8"
# Files and forms of this very site, and nothing written into the page itself.
_CONTENT_SECURITY_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_PAGES = ("/", "/banner", "/embed", "/declaration", "/opt-out")
# Nothing of ours is ever stored, framed, sniffed or indexed.
_ALWAYS: list[Header] = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", _CONTENT_SECURITY_POLICY),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
]
_METHODS = {
    "/": "GET, HEAD, OPTIONS",
    "/state": "GET, HEAD, OPTIONS",
    "/banner": "GET, HEAD, OPTIONS",
    "/embed": "GET, HEAD, OPTIONS",
    "/declaration": "GET, HEAD, OPTIONS",
    "/choice": "POST, OPTIONS",
    "/opt-out": "GET, HEAD, POST, OPTIONS",
}
STATEMENT = "/.well-known/gpc.json"


class OwnPages:
    """Answers below the prefix."""

    __slots__ = ("_site",)

    def __init__(self, site: Compiled) -> None:
        self._site = site

    def answer(self, path: str, visit: Visit, request: Request) -> Response | None:
        """Answer what needs no body; None: it is a choice, and its body is needed.

        `path` is the part after the prefix.
        """
        methods = _METHODS.get(path)
        if self._site.renderer is None and path in _PAGES and request.method != "POST":
            methods = None
        if methods is None and path == "":
            return self._with_slash(request)
        if methods is None:
            return self.refuse(request, 404, "There is no such page here.")
        if request.method == "OPTIONS":
            return self._options(request, methods)
        if request.method not in methods.split(", "):
            response = self.refuse(request, 405, f"This address takes {methods}.")
            response.headers.append((b"allow", methods.encode()))
            return response
        if path == "/opt-out" and request.method == "POST":
            return self._before_body(request, lenient=True)
        match path:
            case "/state":
                return self._respond(request, 200, _json(state(self._site, visit)), JSON)
            case "/banner":
                return self._fragment(request, visit)
            case "/embed":
                return self._place(request, visit)
            case "/":
                target = safe_next(query_of(request).get("next", "")) or ""
                view: View = front.choices(self._site, visit, target, self.home(request))
                return self._page(request, view)
            case "/opt-out":
                return self._page(request, front.opt_out(self._site, visit, self.home(request)))
            case "/declaration":
                return self._page(request, front.declaration(self._site, self.home(request)))
            case _:
                return self._before_body(request, lenient=False)

    def asset(self, path: str, request: Request) -> Response | None:
        """Answer for one of the files that go with the pages; None: it is none of these."""
        assets = self._site.assets(request)
        return None if assets is None else assets.answer(path, request)

    def _with_slash(self, request: Request) -> Response:
        target = request.path.rstrip("/").rpartition("/")[2] + "/"
        query = request.query.decode("latin-1")
        if query.isascii() and query.isprintable() and query:
            target += "?" + query
        return self._respond(request, 308, b"", location=target.encode())

    def _page(self, request: Request, view: View) -> Response:
        language = query_of(request).get("lang", "")
        html, language = front.render(self._site, request, view, ".", language)
        return self._respond(request, 200, html.encode(), _HTML, language=language)

    def _fragment(self, request: Request, visit: Visit) -> Response:
        html, language = front.fragment(self._site, visit, request, standing(visit))
        # A companion that says more goes; none is written, see `companion`.
        visit.astray = says_more(visit)
        return self._respond(request, 200, html.encode(), _HTML, language=language)

    def _place(self, request: Request, visit: Visit) -> Response:
        page = embeds.place(self._site, visit, request)
        if page is None:
            return self.refuse(request, 404, "There is no such category, or it needs no consent.")
        return self._respond(request, 200, page.html.encode(), _HTML, language=page.language)

    def _before_body(self, request: Request, *, lenient: bool) -> Response | None:
        kind = media_type(request.single(b"content-type"))
        if kind not in (FORM, JSON) and (kind or not lenient):
            return self.refuse(request, 415, "Send a form (urlencoded) or JSON.")
        length = request.single(b"content-length") or b""
        # More digits than these are too many bytes, whatever they say.
        if length.isdigit() and (len(length) > 9 or int(length) > MAX_BODY):
            return self.too_large(request)
        return None

    def choose(self, path: str, visit: Visit, request: Request, body: bytes) -> Response:
        """Carry out the choice that a body, sent to `path`, asks for."""
        opts_out = path == "/opt-out"
        if len(body) > MAX_BODY:
            return self.too_large(request)
        kind = media_type(request.single(b"content-type"))
        try:
            wish = read_wish(body, kind, "opt-out" if opts_out else "")
        except BadWish as problem:
            return self.refuse(request, 400, str(problem))
        if wish.next:
            target = safe_next(wish.next)
        else:  # the page of the opt-out says that it was carried out
            again = "opt-out" + kept(request)
            target = again if opts_out else page_before(request) or self.home(request)
        if target is None:
            return self.refuse(request, 400, "The field next must be a path of this site.")
        try:
            _carry_out(wish, visit)
        except GrantRefused:
            return self.refuse(request, 403, "Only a page of this site can accept for you.")
        except UnknownCategory as problem:
            known = ", ".join(problem.known)
            return self.refuse(request, 400, f"There is no such category; known: {known}.")
        if kind == JSON:
            return self._respond(request, 200, _json(state(self._site, visit)), JSON)
        return self._respond(request, 303, b"", location=target.encode())

    def home(self, request: Request) -> str:
        """Return the path of the site's own start."""
        return safe_next(request.root.rstrip("/") + "/") or "/"

    def statement(self, request: Request) -> Response:
        """Answer /.well-known/gpc.json: the same for everybody (https://www.w3.org/TR/gpc/)."""
        if request.method not in ("GET", "HEAD"):
            response = self.refuse(request, 405, "This address takes GET, HEAD.")
            response.headers.append((b"allow", b"GET, HEAD"))
            return response
        body = _json({"gpc": True, "lastUpdate": self._site.policy.gpc.updated})
        headers = [
            (b"cache-control", b"public, max-age=3600"),
            (b"content-type", JSON),
            (b"content-length", str(len(body)).encode()),
        ]
        return Response(200, headers, b"" if request.method == "HEAD" else body)

    def _options(self, request: Request, methods: str) -> Response:
        response = self._respond(request, 204, b"")
        response.headers.append((b"allow", methods.encode()))
        if listed_origin(request, self._site.policy) is not None:
            response.headers.extend(
                [
                    (b"access-control-allow-methods", methods.encode()),
                    (b"access-control-allow-headers", b"content-type"),
                    (b"access-control-max-age", b"600"),
                ]
            )
        return response

    def too_large(self, request: Request) -> Response:
        return self.refuse(request, 413, f"The body may have {MAX_BODY} bytes.")

    def refuse(self, request: Request, status: int, sentence: str) -> Response:
        """Return an error: one plain sentence, nothing changed."""
        body = sentence.encode() + b"\n"
        return self._respond(request, status, body, b"text/plain; charset=utf-8")

    def _respond(
        self,
        request: Request,
        status: int,
        body: bytes,
        content_type: bytes = b"",
        location: bytes = b"",
        language: str = "",
    ) -> Response:
        headers = list(_ALWAYS)
        if language:
            headers.append((b"content-language", language.encode()))
        if content_type:
            headers.append((b"content-type", content_type))
        if location:
            headers.append((b"location", location))
        if self._site.policy.origins:
            headers.append((b"vary", b"Origin"))
            origin = listed_origin(request, self._site.policy)
            if origin is not None:
                headers.append((b"access-control-allow-origin", origin))
                headers.append((b"access-control-allow-credentials", b"true"))
        if status not in (204, 304):
            headers.append((b"content-length", str(len(body)).encode()))
        return Response(status, headers, b"" if request.method == "HEAD" else body)


def _carry_out(wish: Wish, visit: Visit) -> None:
    if wish.over_gpc:
        visit.conflict_was_shown()
    match wish.action:
        case "accept":
            visit.accept_all()
        case "save":
            visit.save(wish.grant, wish.leave - wish.object)
        case "opt-out":
            visit.opt_out()
        case "reject":
            visit.reject_all()
        case _:
            visit.withdraw()


def state(site: Compiled, visit: Visit) -> dict[str, object]:
    """Return what `GET state` says of this visitor, and what a banner needs to say to them."""
    return {**standing(visit), "details": [_described(category) for category in site.categories]}


def standing(visit: Visit) -> dict[str, object]:
    """Return what holds for this visitor."""
    return {
        "version": visit.version,
        "decided": visit.decided,
        "needs_choice": visit.needs_choice,
        "gpc": bool(visit.gpc),
        "signal": visit.gpc,
        "region": visit.region,
        "notice": HONOURED if visit.gpc else "",
        "allowed": sorted(visit.granted),
        "basis": {id: visit.basis(id) for id in sorted(visit.granted)},
        "categories": {id: visit.choice(id) for id in visit.site.ids},
    }


def _described(category: Category) -> dict[str, object]:
    return {
        "id": category.id,
        "title": category.label,
        "description": category.description,
        "always": category.always,
        "sale_or_sharing": category.sale_or_sharing,
        "items": [_item(rule, "cookie") for rule in category.rules]
        + [_item(rule, kind) for kind, rule in category.stored],
    }


def _item(rule: Rule, storage: str) -> dict[str, object]:
    return {
        "name": rule.name,
        "provider": rule.provider,
        "purpose": rule.purpose,
        "duration": rule.duration,
        "recipients": list(rule.recipients),
        "storage": storage,
    }


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
