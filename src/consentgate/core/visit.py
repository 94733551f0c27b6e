"""One request's visitor: what handlers read and change. The core's one mutable object.

Rule 1. What the app has read, its answer depends on (and says so to caches), so a first read after
        the answer has started is answered as if everything were refused.
Rule 2. Granting needs proof that the visitor asked for it; refusing always works.
Rule 3. A yes can lapse, a no cannot.
Rule 4. The app may allow less than the policy does, for this request; never more.
"""

from __future__ import annotations

from collections.abc import Iterable

from .changes import chosen, taken_back
from .consent import (
    NO_OTHER,
    UNREADABLE,
    Choice,
    Consent,
    GrantRefused,
    ResponseStarted,
    UnknownCategory,
)
from .proof import is_same_origin
from .regions import STRICTEST
from .standing import Basis, Signal
from .visitor import Visitor

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Visit(Visitor):
    """The visitor's consent for one request."""

    __slots__ = ()

    # --- what handlers read ---------------------------------------------------------------------

    def allows(self, category: str) -> bool:
        """Say whether this category may be used now. Raises UnknownCategory."""
        self._known(category)
        return category in self.granted

    def choice(self, category: str) -> Choice:
        """Return what the visitor said of this category. Raises UnknownCategory.

        A browser that sends Global Privacy Control has said no to what it is about.
        """
        self._known(category)
        is_known = self._for_app() is self._consent
        if category in self.site.always:
            return Choice.GRANTED
        return self.standing.choice(category) if is_known else Choice.UNSET

    def basis(self, category: str) -> Basis | None:
        """Return on what basis this category may be used now, or None. Raises UnknownCategory."""
        self._known(category)
        if category in self.site.always or category not in self.granted:
            return Basis.NECESSARY if category in self.site.always else None
        return self.standing.basis(category)

    @property
    def granted(self) -> frozenset[str]:
        """The ids of the categories allowed now."""
        consent = self._for_app()
        return self.peek() if consent is self._consent else self.site.always

    @property
    def decided(self) -> bool:
        """Whether the visitor has made a valid choice."""
        consent = self._for_app()
        return bool(consent.granted or consent.denied)

    @property
    def needs_choice(self) -> bool:
        """Whether there is something to ask the visitor."""
        is_known = self._for_app() is self._consent
        return self.standing.asks if is_known else bool(self.site.optional)

    @property
    def id(self) -> str | None:
        """The random pseudonym of the choice; None where nothing was granted."""
        return self._for_app().id

    @property
    def decided_on(self) -> int | None:
        """When the choice was made, in seconds since 1970; a refusal knows only its day."""
        return self._for_app().decided_at if self.decided else None

    @property
    def version(self) -> str:
        """The policy's version."""
        return self.site.policy.version

    @property
    def region(self) -> str | None:
        """The visitor's region code ("FR", "US-CA"), where the policy says how to know it."""
        is_known = self._for_app() is self._consent
        return self.place if is_known else None

    @property
    def gpc(self) -> Signal:
        """What became of Global Privacy Control; true where it is honoured on this request."""
        self._signal_read = True
        return self.standing.signal if self._for_app() is self._consent else Signal.ABSENT

    # --- what handlers change -------------------------------------------------------------------

    def accept_all(self) -> None:
        """Grant every category. Raises GrantRefused, ResponseStarted."""
        self._change("accept", self.site.optional, frozenset())

    def reject_all(self) -> None:
        """Refuse every optional category. Raises ResponseStarted."""
        self._change("reject", frozenset(), self.site.optional)

    def opt_out(self) -> None:
        """Refuse what is sold or shared, or all that is optional where none is marked so.

        Raises ResponseStarted.
        """
        sold, before = self.site.sold or self.site.optional, self.said
        self._change("opt-out", before.granted - sold, before.denied | sold, proof_for=())

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
            self._known(category)
            if not isinstance(value, bool):
                raise TypeError(f"{category} must be True or False, not {value!r}")
            if category in self.site.always and not value:
                raise ValueError(f"{category} is always on: it needs no consent")
        if not choices:
            return
        consent = self.said
        yes = {id for id, value in choices.items() if value} & self.site.optional
        no = {id for id, value in choices.items() if not value}
        self._change(
            "save", (consent.granted - no) | yes, (consent.denied - yes) | no, proof_for=yes
        )

    def save(self, granted: Iterable[str], leave: Iterable[str] = ()) -> None:
        """Grant these categories, leave those as they are, and refuse all others.

        Raises as `set`.
        """
        granted, leave = frozenset(granted), frozenset(leave)
        for category in granted | leave:
            self._known(category)
        before, leave = self.said, leave - granted
        granted &= self.site.optional
        kept = before.granted & leave
        denied = self.site.optional - granted - (leave - before.denied)
        self._change("save", granted | kept, denied, proof_for=granted)

    def conflict_was_shown(self) -> None:
        """Say that the visitor was shown that a yes goes against the signal of their browser.

        A yes that follows in this request stands over the signal (11 CCR 7025(c)(3)).
        """
        self._noticed = True

    def restrict(self, *categories: str) -> None:
        """Allow these categories, or all that are optional, by no means on this request.

        For what the app knows of the visitor: an account that has opted out elsewhere, say.
        Nothing of it is recorded. Raises UnknownCategory, ResponseStarted.
        """
        for category in categories:
            self._known(category)
        self._open()
        self.restricted |= frozenset(categories or self.site.optional) & self.site.optional
        self._forget()

    def require_opt_in(self) -> None:
        """Ask this visitor for consent wherever they are: a minor, say. Raises ResponseStarted.

        Nothing of it is recorded.
        """
        self._open()
        self._law = STRICTEST
        self.strict = True
        self._forget()

    def _change(
        self,
        action: str,
        granted: frozenset[str],
        denied: frozenset[str],
        proof_for: Iterable[str] | None = None,
    ) -> None:
        self._open()
        before = self._spoken()
        asked = granted if proof_for is None else frozenset(proof_for)
        if asked:
            self._demand_proof()
        signal = self.standing.signal
        if signal is not Signal.ABSENT:
            # A yes that it goes against counts only if it is, or was, given knowingly.
            known = asked if self._noticed else frozenset()
            known |= before.granted if before.over_gpc else frozenset()
            blocked = (granted & self.site.sold) - known
            granted, denied, asked = granted - blocked, denied | blocked, asked - blocked
        # What was given over a signal still is when this one request comes without it.
        knowing = before.over_gpc and asked & self.site.sold <= before.granted
        if action == "withdraw":
            consent = taken_back(before, self.site.optional, self._remembers, self.now)
        else:
            consent = chosen(
                before,
                granted=granted,
                denied=denied,
                asked=asked,
                over_gpc=bool(granted & self.site.sold)
                and (knowing or signal is not Signal.ABSENT),
                everything=action == "reject",
                remember=self._remembers,
                now=self.now,
                fresh_id=self._fresh_id,
            )
        if self.before is None:
            self.before = self.peek()
        self.action = action
        self.took_back = self.took_back or bool(before.granted - granted)
        self._consent = consent
        self._forget()

    def _spoken(self) -> Consent:
        """Return what was said before; where that is not to be known, it may have been a no to all.

        Another site's form comes without our cookie (SameSite), and its answer would replace it.
        """
        if not self._remembers:
            return self.said
        unknown = self._hears_nothing() and not self._would_hear()
        if unknown or not self.said.readable:
            return Consent(reopened=self.site.optional, others=NO_OTHER)
        return self.said

    @property
    def _remembers(self) -> bool:
        """Whether a lost no could allow more, here or on a site with the same cookie."""
        return self.site.lenient or bool(self.site.policy.domain)

    def _open(self) -> None:
        if self.sealed:
            raise ResponseStarted(
                "the response has started: change consent before the first byte of the answer"
            )

    def _forget(self) -> None:
        self._signal_read = self._signal_read or self._signal_matters()
        self._allowed = self._standing = None
        self.read = True

    def _known(self, category: str) -> None:
        if category not in self.site.ids:
            raise UnknownCategory(category, self.site.ids)

    def _demand_proof(self) -> None:
        if self.request.method in SAFE_METHODS:
            raise GrantRefused(
                f"consent cannot be granted by {self.request.method}: browsing is not consent"
            )
        if not is_same_origin(self.request, self.site.policy):
            raise GrantRefused(
                "consent can be granted only from a page of this site: neither Sec-Fetch-Site nor "
                "Origin proves that this request comes from one"
            )

    # --- what shells and the gate ask ------------------------------------------------------------

    @property
    def allows_less(self) -> bool:
        """Whether something is not allowed any more since the visitor changed the choice."""
        return self.before is not None and not self.before <= self.peek()

    @property
    def clears_storage(self) -> bool:
        """Whether the visitor, on a page of this site, has taken back what was granted."""
        return self.took_back and is_same_origin(self.request, self.site.policy)

    def _for_app(self) -> Consent:
        if not self.read:
            if self.sealed:
                self.read_too_late()
                return UNREADABLE
            self.read = True
        return self.said

    def read_too_late(self) -> None:
        """Take note of a first read after the answer has started; the core has nowhere to tell."""
