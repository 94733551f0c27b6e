"""From where a document may load: a second Content-Security-Policy, made out of consent.

Rule 1. Browsers enforce every policy that they are sent (https://www.w3.org/TR/CSP3/, 8.1), so ours
        can only forbid. The app's own headers are not looked at, and leave as they came.
Rule 2. It says nothing of inline code: that is for the app's own policy. It has no nonce, no hash
        and no 'strict-dynamic' either, for with one of these in *our* list a script of a refused
        third party would load that carries the page's nonce (6.7.1.1), and 'unsafe-inline' would
        count for nothing (6.7.3.2).
Rule 3. Allowed everywhere are the site itself and the `sources` of what is always on, of what the
        visitor allows, and of the flows on whose path this is.
Rule 4. While it is enforced, a document is answered in full. A browser puts the fields of a 304 in
        place of the stored ones of the same name (RFC 9111 3.2): without ours the policy of an
        earlier choice would stay, and with ours alone the app's own policy would be gone. So a 304
        that is one all the same (scripts ask for pages as well) is given no policy; but if it
        replaces what caches go by, it says anew that the document is its visitor's.

There is one directive, `default-src`, to which all that fetch something fall back (6.8.3): scripts,
requests, images, media and frames, but also style sheets, fonts (a font tells its host who reads
which page: LG München I, 3 O 17493/20), workers, `<object>`, manifests, and whatever browsers come
to know, such as what a `<link rel=prefetch>` fetches (6.8.1). A list of directives would leave out
what it does not name. None reaches what speculation rules fetch from other sites, and WebRTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .caching import DOCUMENTS
from .decision import Decision
from .filter import Filter
from .headers import CACHING
from .http import Header, Request
from .judge import Judge
from .memo import Memo
from .policy import Category, Csp
from .sources import fixed_sources, sourced
from .visit import Visit

ENFORCED = b"content-security-policy"
REPORTED = b"content-security-policy-report-only"
# What asks for an answer without its body (RFC 9110 13.1.2 and 13.1.3).
CONDITIONS = (b"if-none-match", b"if-modified-since")

# Where a browser shows what it gets (https://fetch.spec.whatwg.org/#concept-request-destination).
_SHOWN = frozenset({b"document", b"iframe", b"frame", b"embed", b"object"})
_SOCKETS = ("ws", "wss")
# https://fetch.spec.whatwg.org/#redirect-status
_REDIRECTS = (301, 302, 303, 307, 308)
_NOT_MODIFIED = 304
# A type that says what something is (https://mimesniff.spec.whatwg.org/#parsing-a-mime-type); one
# that does not, browsers ignore, and look what it is.
_TOLD = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+/[!#$%&'*+.^_`|~0-9a-z-]+")
_UNTOLD = (
    b"*/*",
    b"unknown/unknown",
    b"application/unknown",
    # To Chromium the first is XML; Firefox looks into the others.
    b"text/xsl",
    b"application/x-unknown-content-type",
    b"multipart/x-mixed-replace",
)


class Policies:
    """The policies of one lane, one for each set of categories that may be allowed.

    `here` are the sources of the flows on whose path this is. `fixed` is the one that all visitors
    get, where no other one could be made.
    """

    __slots__ = ("_categories", "_fixed_sources", "_made", "_name", "_tail", "fixed")

    def __init__(
        self,
        csp: Csp,
        categories: Iterable[Category],
        here: Iterable[str] = (),
        *,
        enforced: bool = True,
    ) -> None:
        categories = tuple(categories)
        self._name = ENFORCED if enforced and csp.mode == "enforce" else REPORTED
        self._tail = f"; report-uri {csp.report_uri}" if csp.report_uri else ""
        self._fixed_sources = fixed_sources(categories, here)
        self._categories = sourced(categories, self._fixed_sources)
        self._made: Memo[frozenset[str], Header] = Memo(256)
        self.fixed = None if self._categories else self._make(frozenset())

    def header(self, allowed: frozenset[str]) -> Header:
        """Return the header for visitors to whom these categories are allowed."""
        if self.fixed is not None:
            return self.fixed
        made = self._made.young.get(allowed) or self._made.get(allowed)
        if made is None:
            made = self._make(allowed)
            self._made.put(allowed, made)
        return made

    def _make(self, allowed: frozenset[str]) -> Header:
        more = [source for one in self._categories if one.id in allowed for source in one.sources]
        sources = dict.fromkeys((*self._fixed_sources, *more))
        return self._name, f"default-src {' '.join(sources)}{self._tail}".encode()


class DocumentFilter(Filter):
    """A filter that adds the policy to documents. Where there is none, the other one is used."""

    __slots__ = ("_other", "_policies")

    def __init__(self, judge: Judge, policies: Policies, *, enforced: bool) -> None:
        super().__init__(judge, enforced=enforced)
        self._policies = policies
        # By a type: whether what has it is no document, whatever was asked for.
        self._other: Memo[bytes, bool] = Memo(256)

    def passes(self, headers: list[Header]) -> bool:
        """Say whether nothing can be decided or added, quickly: False may be wrong."""
        if not super().passes(headers):
            return False
        harmless = self._kinds.harmless.young
        typed = False
        for name, value in headers:
            # Whatever its letter case; and so spelled nearly always.
            if name == b"content-type" or (
                harmless.get(name) == CACHING and name.strip().lower() == b"content-type"
            ):
                other = self._other.young.get(value)
                if other is None:
                    other = not _is_shown(value) and _tells(value)
                    self._other.put(value, other)
                if not other:
                    return False
                typed = True
        return typed  # else it depends on what was asked for

    def decide(
        self, visit: Visit, headers: list[Header], now: float, status: int = 200
    ) -> tuple[list[Header], tuple[Decision, ...], list[int] | None, bool]:
        """Decide as any filter does, and add the policy to a document."""
        result, decisions, caching, personal = super().decide(visit, headers, now, status)
        fixed = self._policies.fixed
        if status == _NOT_MODIFIED and fixed is None and self._enforced:
            personal = personal or may_update_document(visit.request, result)
        if not is_document(visit.request, result, status):
            return result, decisions, caching, personal
        added = self._policies.header(visit.peek()) if fixed is None else fixed
        return [*result, added], decisions, caching, personal or fixed is None


def is_document(request: Request, headers: Iterable[Header], status: int = 200) -> bool:
    """Say whether browsers may show an answer with these headers as an HTML or XML document.

    One that does not say what it is, is one where a document was asked for: browsers look.
    """
    if request.scheme in _SOCKETS or status == _NOT_MODIFIED:
        return False
    shown = moved = False
    told: bool | None = None
    for name, value in headers:
        name = name.strip().lower()
        if name == b"content-type":
            shown = shown or _is_shown(value)
            told = told is not False and _tells(value)
        elif name == b"location":
            moved = moved or bool(value.strip())
    if moved and status in _REDIRECTS:
        return False  # it is not shown, and may be kept by shared caches
    return shown or (not told and wants_document(request))


def may_update_document(request: Request, headers: Iterable[Header]) -> bool:
    """Say whether a 304 with these headers may replace what caches go by in a stored document."""
    asked = request.values(b"sec-fetch-dest")
    if asked and asked[0] not in (*_SHOWN, b"empty"):
        return False
    accepted = request.values(b"accept")
    if accepted and not any(b"*/*" in one or _is_shown(one) for one in accepted):
        return False
    names = [name.strip().lower() for name, _ in headers]
    return b"vary" in names or b"cache-control" in names


def wants_document(request: Request) -> bool:
    """Say whether what is asked for is to be shown, now or later."""
    asked = request.values(b"sec-fetch-dest")
    if not asked:  # over http, or an older browser
        return any(map(_is_shown, request.values(b"accept")))
    return asked[0] in _SHOWN or any(b"prefetch" in one for one in request.values(b"sec-purpose"))


def _is_shown(value: bytes) -> bool:
    # Wherever it stands: of several types in one field, browsers take the last.
    value = value.lower()
    html, xhtml = DOCUMENTS
    return html in value or xhtml in value


def _tells(value: bytes) -> bool:
    """Say whether browsers go by this type; and not by what is in XML, which may be HTML too."""
    types = [one.partition(b";")[0].strip() for one in value.lower().split(b",")]
    return b"xml" not in value.lower() and all(
        _TOLD.fullmatch(one) and one not in _UNTOLD for one in types
    )
