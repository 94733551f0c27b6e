"""Addresses: where the gate's own pages are for this browser, and what an address asks for."""

from __future__ import annotations

from urllib.parse import parse_qs, quote

from .compiled import Compiled
from .http import Request
from .proof import safe_next
from .visit import SAFE_METHODS


def base_of(request: Request, site: Compiled) -> str:
    """Return the path of the gate's own pages as browsers ask for it, without a last slash."""
    # One slash: two would make a host of what follows, and a proxy's word is not the site's.
    root = request.root.strip("/")
    return ("/" + quote(root, safe="/~") if root else "") + site.policy.prefix


def this_page(request: Request) -> str:
    """Return the path and query of the page asked for, as `next`; "" where it was not a GET."""
    if request.method not in SAFE_METHODS:
        return ""
    query = quote(request.query, safe=_QUERY)
    return safe_next(quote(request.full_path(), safe="/~") + (f"?{query}" if query else "")) or ""


_QUERY = "!$&'()*+,-./:;=?@_~%"  # RFC 3986 3.4, and what is percent-encoded already


def query_of(request: Request) -> dict[str, str]:
    """Return the first value of each field of the query; {} where it cannot be read."""
    try:
        fields = parse_qs(request.query.decode("latin-1"), max_num_fields=200)
    except ValueError:  # more fields than a link of anybody's has
        return {}
    return {name: values[0] for name, values in fields.items()}


def kept(request: Request) -> str:
    """Return the query that keeps the language which the address names; "" if it names none."""
    language = query_of(request).get("lang", "")
    return f"?lang={quote(language[:_MAX_TAG], safe='')}" if language else ""


_MAX_TAG = 35  # RFC 5646 4.4.1: the longest that need be supported
