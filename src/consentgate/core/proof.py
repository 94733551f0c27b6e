"""Was this asked for by a page of the site itself? And is this path one of the site's?

A forced yes is the forgery this product must fear: an accept needs no cookie to do harm, so
SameSite protects nothing. Refusing needs no proof: nobody gains by forcing a no.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from .http import Request
from .own_cookie import host_of
from .policy import Policy

_DEFAULT_PORTS = {"http": "80", "https": "443"}
MAX_NEXT = 2048
_EMBEDDED = frozenset({b"iframe", b"frame", b"fencedframe", b"object", b"embed", b"manifest"})


def origin_of(text: str) -> tuple[str, str] | None:
    """Return (scheme, host[:port]) of an origin, its default port left out; None: not an origin."""
    scheme, separator, host = text.lower().partition("://")
    if not separator or scheme not in _DEFAULT_PORTS or not host or "/" in host or "@" in host:
        return None
    return scheme, host.removesuffix(":" + _DEFAULT_PORTS[scheme])


def is_same_origin(request: Request, policy: Policy) -> bool:
    """Say whether the request proves that a page of the site made it.

    Fetch Metadata first (`Sec-Fetch-Site: same-origin`, which no page can forge), else Origin: it
    must be `site`, or the host asked for where no `site` is set, or one of `origins`.
    """
    if request.single(b"sec-fetch-site") == b"same-origin":
        return True
    if listed_origin(request, policy) is not None:
        return True
    origin = _origin(request)
    if origin is None:
        return False
    if policy.site:
        return origin == origin_of(policy.site)
    scheme, host = origin
    # A page over http never speaks for https. Behind a proxy that ends TLS the request says http;
    # but browsers send Sec-Fetch-Site to https only (and to this machine), so it tells.
    if scheme != "https" and (request.scheme == "https" or request.values(b"sec-fetch-site")):
        return False
    return host == host_of(request).lower().removesuffix(":" + _DEFAULT_PORTS[scheme])


def carries_choice(request: Request, policy: Policy, *, plain: bool) -> bool:
    """Say whether a browser that holds the consent cookie would have sent it with this request.

    Only then does a request without it come from a newcomer: SameSite withholds it from others'
    forms and frames (RFC 6265bis 5.6.7), and Secure from plain http, but for its `plain` form.
    Browsers say what a request is by Fetch Metadata, to https only; older ones by Origin at least.
    """
    if request.method == "OPTIONS":
        return False  # a preflight never carries a cookie
    site = request.single(b"sec-fetch-site")
    if not request.values(b"sec-fetch-site"):
        if request.scheme in ("http", "ws") and not plain:
            return False
        if policy.same_site == "strict" and page_before(request) is None:
            return False
        return not request.values(b"origin") or is_same_origin(request, policy)
    mode, dest = request.single(b"sec-fetch-mode"), request.single(b"sec-fetch-dest")
    if dest in _EMBEDDED:
        return False  # whose page is around it nothing says
    if site in (b"same-origin", b"none"):
        return True
    if site == b"same-site":
        return mode != b"cors"  # a script asks for cookies by name, or does not
    if site != b"cross-site" or policy.same_site == "strict":
        return False
    if mode != b"navigate" or dest != b"document":
        return False
    return policy.same_site == "none" or request.method in ("GET", "HEAD")


def listed_origin(request: Request, policy: Policy) -> bytes | None:
    """Return the Origin header as sent when it is one of the policy's `origins`, else None."""
    origin = _origin(request)
    if origin is None or origin not in map(origin_of, policy.origins):
        return None
    return request.single(b"origin")


def _origin(request: Request) -> tuple[str, str] | None:
    sent = request.single(b"origin")
    return origin_of(sent.decode("latin-1")) if sent is not None else None


def safe_next(text: str) -> str | None:
    """Return `text` as a Location when it is one path of this site, else None.

    Refused: schemes, `//host`, any backslash (browsers read it as a slash) and control characters
    (browsers remove tabs and line ends before they read).
    """
    # One slash and then no other: nothing that begins so has a scheme or a host.
    if not text.startswith("/") or text.startswith("//"):
        return None
    if "\\" in text or any(character < " " or character == "\x7f" for character in text):
        return None
    try:
        path = quote(text, safe="/?#[]@!$&'()*+,;=:%~", errors="strict")
    except UnicodeEncodeError:  # an unpaired surrogate
        return None
    return path if len(path) <= MAX_NEXT else None


def page_before(request: Request) -> str | None:
    """Return the path of the page that the visitor came from, when it is one of this site's."""
    referer = request.single(b"referer")
    if referer is None:
        return None
    try:
        parts = urlsplit(referer.decode("latin-1"))
    except ValueError:
        return None
    if parts.netloc.lower() != host_of(request).lower():
        return None
    return safe_next(parts.path + ("?" + parts.query if parts.query else ""))
