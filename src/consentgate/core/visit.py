"""One request's visitor: what handlers read and change. The core's one mutable object.

Rule 1. Nothing is looked at before somebody asks: most requests need no consent at all.
Rule 2. What the app has read, its answer depends on (and says so to caches), so a first read after
        the answer has started is answered as if everything were refused.
Rule 3. Granting needs proof that the visitor asked for it; refusing always works.
Rule 4. A yes can lapse, a no cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from .compiled import Compiled
from .consent import (
    NEWCOMER,
    UNREADABLE,
    Choice,
    Consent,
    GrantRefused,
    Receipt,
    ResponseStarted,
    Tries,
    UnknownCategory,
)
from .http import Request
from .own_cookie import OwnCookie, host_of
from .proof import is_same_origin
from .recorded import recorded
from .request_cookies import RequestCookies

DAY = 86_400
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Visit:
    """The visitor's consent for one request."""

    __slots__ = (
        "_action",
        "_allowed",
        "_consent",
        "_fresh_id",
        "_site",
        "cookies",
        "now",
        "read",
        "request",
        "sealed",
        "spare",
        "took_back",
    )

    def __init__(
        self,
        site: Compiled,
        request: Request,
        now: float,
        fresh_id: Callable[[], bytes],
        cookies: RequestCookies | None = None,
    ) -> None:
        self._site = site
        self.request = request
        self.cookies = cookies
        self.now = now
        self._fresh_id = fresh_id
        self._consent: Consent | None = None
        self._allowed: frozenset[str] | None = None
        self._action = ""
        self.took_back = False
        self.spare = False
        self.read = False
        self.sealed = False

    # --- what handlers read ---------------------------------------------------------------------

    def allows(self, category: str) -> bool:
        """Say whether this category may be used now. Raises UnknownCategory."""
        if category not in self._site.ids:
            raise UnknownCategory(category, self._site.ids)
        return category in self.granted

    def choice(self, category: str) -> Choice:
        """Return what the visitor said of this category. Raises UnknownCategory."""
        if category not in self._site.ids:
            raise UnknownCategory(category, self._site.ids)
        return self._choice(category, self._for_app())

    @property
    def granted(self) -> frozenset[str]:
        """The ids of the categories allowed now."""
        consent = self._for_app()
        return self.peek() if consent is self._consent else self._site.always

    @property
    def decided(self) -> bool:
        """Whether the visitor has made a valid choice."""
        consent = self._for_app()
        return bool(consent.granted or consent.denied)

    @property
    def needs_choice(self) -> bool:
        """Whether there is something to ask the visitor."""
        consent = self._for_app()
        return any(self._choice(id, consent) is Choice.UNSET for id in self._site.optional)

    @property
    def id(self) -> str | None:
        """The random pseudonym of the choice; None where nothing was granted."""
        return self._for_app().id

    @property
    def decided_on(self) -> int | None:
        """When the choice was made, in seconds since 1970; a refusal knows only its day."""
        return self._for_app().decided_at

    @property
    def version(self) -> str:
        """The policy's version."""
        return self._site.policy.version

    @property
    def region(self) -> str | None:
        """The visitor's region code, where the policy says how to know it."""
        return None

    @property
    def gpc(self) -> bool:
        """Whether a Global Privacy Control signal is honoured on this request."""
        return False

    # --- what handlers change -------------------------------------------------------------------

    def accept_all(self) -> None:
        """Grant every category. Raises GrantRefused, ResponseStarted."""
        self._change("accept", self._site.optional, frozenset())

    def reject_all(self) -> None:
        """Refuse every optional category. Raises ResponseStarted."""
        self._change("reject", frozenset(), self._site.optional)

    def withdraw(self) -> None:
        """Take back every choice made: nothing optional is allowed, and the visitor is asked anew.

        Raises ResponseStarted.
        """
        self._change("withdraw", frozenset(), frozenset())

    def set(self, **choices: bool) -> None:
        """Grant (True) or refuse (False) the categories named; the others stay as they are.

        Raises UnknownCategory, GrantRefused, ResponseStarted; TypeError for anything but a bool,
        and ValueError where a category that needs no consent is to be refused.
        """
        for category, value in choices.items():
            if category not in self._site.ids:
                raise UnknownCategory(category, self._site.ids)
            if not isinstance(value, bool):
                raise TypeError(f"{category} must be True or False, not {value!r}")
            if category in self._site.always and not value:
                raise ValueError(f"{category} is always on: it needs no consent")
        if not choices:
            return
        consent = self._load()
        yes = {id for id, value in choices.items() if value} & self._site.optional
        no = {id for id, value in choices.items() if not value}
        self._change(
            "save", (consent.granted - no) | yes, (consent.denied - yes) | no, proof_for=yes
        )

    def save(self, granted: Iterable[str]) -> None:
        """Grant these categories and refuse all others. Raises as `set`."""
        granted = frozenset(granted)
        for category in granted - frozenset(self._site.ids):
            raise UnknownCategory(category, self._site.ids)
        granted &= self._site.optional
        self._change("save", granted, self._site.optional - granted)

    def _change(
        self,
        action: str,
        granted: frozenset[str],
        denied: frozenset[str],
        proof_for: Iterable[str] | None = None,
    ) -> None:
        if self.sealed:
            raise ResponseStarted(
                "the response has started: change consent before the first byte of the answer"
            )
        before = self._load()
        asked = granted if proof_for is None else frozenset(proof_for)
        if asked:
            self._demand_proof()
        now = int(self.now)
        # What other policies were told stands, but that a no to everything is one to them as well.
        others = before.others_denied() if action == "reject" else before.others
        kept = Consent(granted=granted - asked, others=others)
        if action == "withdraw":
            consent = NEWCOMER
        elif granted or kept.grants:
            # A yes that is merely kept, while something else is chosen, does not become younger.
            at = before.decided_at if kept.grants and before.decided_at else now
            id = before.id or self._fresh_id().hex()
            consent = Consent(granted=granted, denied=denied, id=id, decided_at=at, others=others)
        elif denied:
            consent = Consent(denied=denied, decided_at=self._today(), others=others)
        else:
            consent = NEWCOMER
        self._consent = consent
        self._allowed = None
        self._action = action
        self.took_back = self.took_back or bool(before.granted - granted)
        self.read = True

    def _today(self) -> int:
        return int(self.now) - int(self.now) % DAY

    def _demand_proof(self) -> None:
        if self.request.method in SAFE_METHODS:
            raise GrantRefused(
                f"consent cannot be granted by {self.request.method}: browsing is not consent"
            )
        if not is_same_origin(self.request, self._site.policy):
            raise GrantRefused(
                "consent can be granted only from a page of this site: neither Sec-Fetch-Site nor "
                "Origin proves that this request comes from one"
            )

    # --- what the gate itself asks --------------------------------------------------------------

    def peek(self) -> frozenset[str]:
        """Return the ids allowed now, without counting as a read by the app."""
        allowed = self._allowed
        if allowed is None:
            consent = self._consent
            if consent is None:
                consent = self._consent = self._recorded()
            self._allowed = allowed = self._site.allowed(consent.granted)
        return allowed

    @property
    def changed(self) -> bool:
        """Whether the choice was changed during this request."""
        return bool(self._action)

    @property
    def tried(self) -> Tries | None:
        """How often refused cookies were expired; None where it is not counted.

        Only a full refusal counts. A choice that grants something is neither written by mere
        visiting nor are its twins removed: a slow answer could bring back a yes that was taken back
        meanwhile, a removal one that is older. A gate that reports writes nothing either.
        """
        consent = self._load()
        if self._site.policy.mode == "report" or consent.grants or not consent.denied:
            return None
        return consent.tries

    @property
    def plain(self) -> bool:
        """Whether cookies must do without Secure: on a developer's machine, or without https."""
        site = self._site
        return not site.policy.secure or site.own_cookie(self.request) is site.development

    @property
    def clears_storage(self) -> bool:
        """Whether the visitor, on a page of this site, has taken back what was granted."""
        return self.took_back and is_same_origin(self.request, self._site.policy)

    def own_size(self) -> int:
        """Return the most bytes that the value of `own_lines(tries)` has, where tries count."""
        token = b" " * self._site.tokens.length(self._load())
        return len(
            self._site.own_cookie(self.request).line(token, self._site.policy.choice_lifetime)
        )

    def own_lines(self, tries: Tries | None = None) -> list[bytes]:
        """Return the Set-Cookie values by which the choice is recorded; [] where it stands.

        `tries` is how often refused cookies have been expired, this answer included.
        """
        # Without a choice only a refusal is written, and tidied up: see `tried`.
        if not self._action and (self.tried is None or not (self.spare or tries)):
            return []
        consent = self._load()
        cookie = self._site.own_cookie(self.request)
        # A withdrawal leaves nothing that could outweigh a yes stored in another form, so that goes
        # too. Of `__Host-` there is no other form.
        bare = not cookie.name.startswith(b"__Host-")
        everywhere = self.spare or (bare and self._action == "withdraw")
        lines = cookie.removals_elsewhere(host_of(self.request)) if everywhere else []
        return lines + self._own_line(cookie, replace(consent, tries=tries or consent.tries))

    def receipt(self) -> Receipt | None:
        """Return the proof of a choice made during this request, or None."""
        if not self._action:
            return None
        consent = self._load()
        return Receipt(
            action=self._action,
            id=consent.id,
            # The act is of this moment, whatever older yes it keeps; a refusal is of its day only.
            decided_at=self._today() if consent.denied and not consent.granted else int(self.now),
            version=self.version,
            granted=tuple(sorted(consent.granted)),
            denied=tuple(sorted(consent.denied)),
        )

    def _own_line(self, cookie: OwnCookie, consent: Consent) -> list[bytes]:
        if consent.decided_at is None:
            return [cookie.removal()]
        left = self._site.policy.choice_lifetime
        # Written again without a choice, or along with an older yes, it never lives longer.
        if consent.grants or not self._action:
            left -= max(0, int(self.now) - consent.decided_at)
        if left <= 0:
            return []  # the browser forgets it by itself: no reason for us to hurry
        return [cookie.line(self._site.tokens.write(consent), left)]

    def _for_app(self) -> Consent:
        if not self.read:
            if self.sealed:
                self.read_too_late()
                return UNREADABLE
            self.read = True
        return self._load()

    def read_too_late(self) -> None:
        """Take note of a first read after the answer has started; the core has nowhere to tell."""

    def _choice(self, category: str, consent: Consent) -> Choice:
        if category in consent.granted or category in self._site.always:
            return Choice.GRANTED
        return Choice.DENIED if category in consent.denied else Choice.UNSET

    def _load(self) -> Consent:
        if self._consent is None:
            self._consent = self._recorded()
        return self._consent

    def _recorded(self) -> Consent:
        if self.cookies is None:
            return NEWCOMER
        site = self._site
        name = site.own_cookie(self.request).name
        consent, self.spare = recorded(
            self.cookies, name, site.tokens, site.policy.choice_lifetime, self.now
        )
        return consent
