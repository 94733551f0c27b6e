"""Who is asking: all that the gate makes out of one request, and the app does not change.

Rule 1. Nothing is looked at before somebody asks: most requests need no consent at all.
Rule 2. Who cannot be made out is a newcomer nowhere; who may have said no has said no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from .caching import COOKIE
from .changes import DAY
from .compiled import Compiled
from .consent import NEWCOMER, Consent
from .http import Request
from .own_cookie import LONGEST
from .proof import carries_choice
from .recorded import recorded
from .regions import STRICTEST, Law
from .request_cookies import RequestCookies
from .standing import Basis, Situation, Standing

_NOBODY = frozenset[str]()
# A no is written again when half of what browsers keep a cookie for is over.
RENEWED_AFTER = LONGEST // 2


def written_at(consent: Consent) -> int:
    """Return when a choice was written last, in seconds since 1970."""
    return (consent.decided_at or 0) + consent.renewed * DAY


def with_no(consent: Consent, other: Consent) -> Consent:
    """Return a choice with the noes of another one, if that is newer or there is no choice."""
    if consent is NEWCOMER:
        if not other.readable or other.refuses:
            return replace(other, granted=frozenset(), older=frozenset(), id=None)
        return consent
    if not consent.readable or not other.refuses or other.age_order() <= consent.age_order():
        return consent
    return replace(
        consent,
        granted=consent.granted - other.denied - other.reopened,
        denied=consent.denied | other.denied,
        reopened=consent.reopened | (other.reopened - consent.denied),
    )


def says_one(values: list[bytes]) -> bool:
    """Say whether a field says exactly "1" (W3C GPC), once or more often: WSGI joins lines."""
    return any(item.strip() == b"1" for value in values for item in value.split(b","))


class Visitor:
    """One request's visitor, as the gate knows them."""

    __slots__ = (
        "_allowed",
        "_consent",
        "_fresh_id",
        "_law",
        "_noticed",
        "_place",
        "_signal_read",
        "_standing",
        "action",
        "ages",
        "astray",
        "before",
        "cookies",
        "now",
        "read",
        "request",
        "restricted",
        "sealed",
        "site",
        "spare",
        "strict",
        "took_back",
        "worded",
    )
    _consent: Consent | None
    _allowed: frozenset[str] | None
    _standing: Standing | None
    _law: Law | None
    _place: str | None
    before: frozenset[str] | None

    def __init__(
        self,
        site: Compiled,
        request: Request,
        now: float,
        fresh_id: Callable[[], bytes],
        cookies: RequestCookies | None = None,
    ) -> None:
        self.site = site
        self.request = request
        self.cookies = cookies
        self.now = now
        self._fresh_id = fresh_id
        # One of these is made for every request, so nothing is done here that can wait.
        self._consent = self._allowed = self._standing = self._law = None
        self.before = None  # what was allowed before the choice was changed
        self._place = ""  # nobody has asked yet
        self.restricted = _NOBODY  # categories that the app allows by no means
        self._noticed = self._signal_read = self.spare = self.ages = False
        self.read = self.sealed = self.took_back = False
        self.strict = False  # whether the app asks for consent, whatever the place
        self.astray = False  # whether scripts are told something else than was chosen
        self.worded = False  # whether the answer is in the language that the browser asked for
        self.action = ""

    @property
    def said(self) -> Consent:
        """What the visitor said, now or on an earlier visit."""
        consent = self._consent
        if consent is None:
            consent = self._consent = self._recorded()
        return consent

    def peek(self) -> frozenset[str]:
        """Return the ids allowed now, without counting as a read by the app."""
        allowed = self._allowed
        if allowed is None:
            consent = self._consent
            if consent is None:
                consent = self._consent = self._recorded()
            site = self.site
            if site.plain and not self.restricted:  # nothing else can matter
                allowed = site.allowed(consent.granted)
            else:
                allowed = self.standing.allowed
            self._allowed = allowed
        return allowed

    @property
    def unasked(self) -> Mapping[str, Basis]:
        """The bases of the categories that are used without consent."""
        return self.standing.unasked if self.site.lenient else {}

    @property
    def standing(self) -> Standing:
        """All that follows of who the visitor is, where they are, and what they said."""
        standing = self._standing
        if standing is None:
            standing = self._standing = self._standing_if(self.signals or self._signalled)
        return standing

    def _standing_if(self, signalled: bool) -> Standing:
        return self.site.standings.of(
            Situation(self.said, self._law_here(), signalled, self.restricted)
        )

    def _law_here(self) -> Law:
        if self._law is None:
            self._law = STRICTEST
            if self.site.lenient and not (self._hears_nothing() and not self._would_hear()):
                self._law = self.site.atlas.law(self.place)
        return self._law

    def _hears_nothing(self) -> bool:
        """Whether no choice came with the request, under the name that it has now.

        What came in another form, a mark of a signal say, may have been sent where this is not.
        """
        cookies = self.cookies
        return cookies is None or self.site.own_cookie(self.request).name not in cookies.row.own

    def _would_hear(self) -> bool:
        """Whether a browser that holds a choice would have sent it along; see `carries_choice`."""
        return carries_choice(self.request, self.site.policy, plain=self.plain)

    def stay_nowhere(self) -> None:
        """Be outside of any request: there is no place to be asked for."""
        self._law, self._place = STRICTEST, None

    @property
    def place(self) -> str | None:
        """Where the visitor is, as far as the policy knows."""
        if self._place == "":
            try:
                self._place = self.site.locate(self.request)
            except Exception as error:  # the operator's code; who is nowhere is asked for consent
                self._place = None
                self.not_located(error)
        return self._place

    def not_located(self, error: Exception) -> None:
        """Take note that the site's own callable failed; the core has nowhere to tell."""

    @property
    def signals(self) -> bool:
        """Whether this very request carries a signal: exactly "1" counts (W3C GPC)."""
        if says_one(self.request.values(b"sec-gpc")):
            return True
        return self.site.policy.gpc.dnt and says_one(self.request.values(b"dnt"))

    @property
    def _signalled(self) -> bool:
        """Whether an earlier request carried one; a later absence takes nothing back."""
        return self._mark() is not None

    def _mark(self) -> bytes | None:
        """Return what the mark of an earlier signal says, in whatever form it was written."""
        if self.cookies is None or not self.cookies.row.own:
            return None
        for name in self.site.signal_names:
            for value in self.cookies.own(name):
                return value
        return None

    @property
    def records_signal(self) -> bool:
        """Whether a signal was sent for the first time, and forgetting it would allow more.

        Also beside a yes that goes before it: of all else it still holds.
        """
        site = self.site
        if not (site.lenient or site.sold):
            return False
        mark = self._mark()
        if mark is not None:  # it must not lapse, so it is written again now and then
            written = int(mark) * DAY if len(mark) < 7 and mark.isdigit() else 0
            return not 0 <= self.now - written <= RENEWED_AFTER
        if not self.signals:
            return False
        return site.lenient or not site.sold.isdisjoint(self.said.granted)

    def varies_on(self) -> tuple[bytes, ...]:
        """Return the request header fields on which what was decided depends."""
        fields: tuple[bytes, ...] = COOKIE
        if self.worded:
            fields += (b"Accept-Language",)
        if self._standing is None and self._place == "" and not self._signal_read:
            return fields
        if self._signal_read or self._signal_matters():
            fields += (b"Sec-GPC", b"DNT") if self.site.policy.gpc.dnt else (b"Sec-GPC",)
        if self._place != "":
            fields += self.site.locate.fields
        if self.site.lenient and self._hears_nothing():
            fields += (b"Sec-Fetch-Site", b"Sec-Fetch-Mode", b"Sec-Fetch-Dest")
        return fields

    def _signal_matters(self) -> bool:
        standing = self._standing
        if standing is None:
            return False
        other = self._standing_if(self._signalled or not self.signals)
        if not self.read:
            return other.allowed != standing.allowed
        return _told(other) != _told(standing)

    @property
    def renews(self) -> bool:
        """Whether a no has grown old that must not be forgotten: see `record`."""
        consent = self._consent
        if consent is None:
            # Where nothing is used unasked, nobody is asked for it alone.
            if not self.site.lenient or self.cookies is None or not self.cookies.row.own:
                return False
            consent = self.said
        at = consent.decided_at
        if at is None or self.now - at <= RENEWED_AFTER:  # nearly always
            return False
        # Over plain http browsers refuse what is Secure; behind a proxy it may only look so.
        http = self.request.scheme == "http" and not self.plain
        if http and not self.request.values(b"sec-fetch-site"):
            return False
        if self.action or self.site.policy.mode == "report":
            return False
        if consent.grants or not consent.refuses:
            return False
        return not 0 <= self.now - written_at(consent) <= RENEWED_AFTER

    @property
    def changed(self) -> bool:
        """Whether the choice was changed during this request."""
        return bool(self.action)

    @property
    def plain(self) -> bool:
        """Whether cookies must do without Secure: on a developer's machine, or without https."""
        site = self.site
        return not site.policy.secure or site.own_cookie(self.request) is site.development

    def _recorded(self) -> Consent:
        if self.cookies is None:
            return NEWCOMER
        site = self.site
        name = site.own_cookie(self.request).name
        consent, self.spare = recorded(self.cookies, name, site.tokens, site.policy, self.now)
        self.ages = self.now - (consent.decided_at or self.now) > RENEWED_AFTER
        for other in site.other_names(name):
            if other in self.cookies.row.own:
                # A no of before `domain` was set, or taken out, still is one; a yes is not.
                old, _ = recorded(self.cookies, other, site.tokens, site.policy, self.now)
                consent = with_no(consent, old)
        return consent


def _told(standing: Standing) -> tuple[object, ...]:
    return standing.allowed, standing.denied, standing.asks
