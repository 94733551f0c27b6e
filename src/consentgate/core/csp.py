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
        earlier choice would stay, and with ours alone the app's own policy would be gone.

There is one directive, `default-src`, to which all that fetch something fall back (6.8.3): scripts,
requests, images, media and frames, but also style sheets, fonts (a font tells its host who reads
which page: LG München I, 3 O 17493/20), workers, `<object>`, manifests, and whatever browsers come
to know. A list of directives would leave out what it does not name, and nothing else reaches what
is fetched in advance (prefetch, prerender: 6.8.1).
"""

from __future__ import annotations

from collections.abc import Iterable

from .caching import DOCUMENTS
from .decision import Decision
from .filter import Filter
from .headers import CACHING
from .http import Header, Request
from .judge import Judge
from .memo import Memo
from .policy import Category, Csp
from .visit import Visit

ENFORCED = b"content-security-policy"
REPORTED = b"content-security-policy-report-only"
# What asks for an answer without its body (RFC 9110 13.1.2 and 13.1.3).
CONDITIONS = (b"if-none-match", b"if-modified-since")

# No request leaves for inline code, `data:` and `blob:`. What allows eval allows WebAssembly too.
_NOWHERE = ("'unsafe-inline'", "'unsafe-eval'", "data:", "blob:")
# Where a browser shows what it gets (https://fetch.spec.whatwg.org/#concept-request-destination).
_SHOWN = frozenset({b"document", b"iframe", b"frame", b"embed", b"object"})
_SOCKETS = ("ws", "wss")


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
        always = [source for one in categories if one.always for source in one.sources]
        self._fixed_sources = ("'self'", *_NOWHERE, *always, *here)
        self._categories = tuple(
            one
            for one in categories
            if not one.always and not set(one.sources).issubset(self._fixed_sources)
        )
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

    __slots__ = ("_policies",)

    def __init__(self, judge: Judge, policies: Policies, *, enforced: bool) -> None:
        super().__init__(judge, enforced=enforced)
        self._policies = policies

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
                if _is_shown(value):
                    return False
                typed = True
        return typed  # without a type it depends on what was asked for

    def decide(
        self, visit: Visit, headers: list[Header], now: float
    ) -> tuple[list[Header], tuple[Decision, ...], list[int] | None, bool]:
        """Decide as any filter does, and add the policy to a document."""
        result, decisions, caching, personal = super().decide(visit, headers, now)
        if not is_document(visit.request, result):
            return result, decisions, caching, personal
        fixed = self._policies.fixed
        added = self._policies.header(visit.peek()) if fixed is None else fixed
        return [*result, added], decisions, caching, personal or fixed is None


def is_document(request: Request, headers: Iterable[Header]) -> bool:
    """Say whether browsers may show an answer with these headers as an HTML document.

    One without a type is one where a document was asked for, in full: browsers look what it is.
    """
    if request.scheme in _SOCKETS:
        return False
    typed = shown = moved = False
    for name, value in headers:
        name = name.strip().lower()
        if name == b"content-type":
            typed = True
            shown = shown or _is_shown(value)
        elif name == b"location":
            moved = True
    if moved and request.method in ("GET", "HEAD"):
        return False  # a redirect, which is not shown and may be kept by shared caches
    if typed:
        return shown
    return wants_document(request) and not any(map(request.values, CONDITIONS))


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
