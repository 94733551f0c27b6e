"""What the gate did with one cookie, and why. No decision holds a cookie's value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .limits import Limits
from .policy import Rule
from .standing import Basis

UNNAMED = "no rule names it, and unknown cookies are blocked"
UNSAFE_HEADER = "a header with CR, LF or NUL could become a second one"
_UNASKED = {
    Basis.OPT_OUT: "{} needs no consent here, and the visitor has not opted out of it",
    Basis.EXEMPT: "{} is exempt from consent here, and the visitor has not objected",
}
NOT_AGAIN = "the browser holds it already, and its rule says sliding = false"


class Action(StrEnum):
    """What became of a cookie."""

    KEPT = "kept"
    DROPPED = "dropped"
    REWRITTEN = "rewritten"  # a deletion, in canonical form
    SHORTENED = "shortened"  # to its published duration, and maybe hardened
    HARDENED = "hardened"  # raised to the floors of its category
    HIDDEN = "hidden"  # from the app
    EXPIRED = "expired"  # it is on the device, and the answer removes it
    STUCK = "stuck"  # it is on the device, and no answer of ours removes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was done with one cookie, set or sent (or with an unsafe header), and why.

    `name` is safe to print. `rule` is the pattern that named the cookie, `origin` where that rule
    stands. `basis` is what allows a cookie that leaves: a Basis, or "" where nothing does.
    `enforced` is False in report mode: then it says what would have been done.
    """

    name: str
    category: str | None
    rule: str | None
    origin: str | None
    action: Action
    reason: str
    basis: str = ""
    enforced: bool = True


class Verdict:
    """All that can be decided of a name before a visitor is known."""

    __slots__ = (
        "_basis",
        "_enforced",
        "_reason",
        "_refusal",
        "_said",
        "as_it_is",
        "category",
        "dropped_now",
        "free",
        "kept_now",
        "limits",
        "ours",
        "rule",
        "shown",
        "spelled_out",
        "stays",
        "wanders",
    )

    def __init__(
        self,
        *,
        shown: str,
        rule: Rule | None,
        free: bool,
        enforced: bool,
        reason: str = "",
        refusal: str = "",
        basis: str = "",
        limits: Limits | None = None,
        stays: bool = False,
        wanders: bool = False,
        ours: bool = False,
    ) -> None:
        self.shown = shown
        self.rule = rule
        self.free = free  # leaves whatever the visitor said
        self.category = rule.category if rule and not free else None  # on whose consent it depends
        self.limits = limits
        self.as_it_is = limits is None and (rule is None or rule.sliding)  # if it leaves at all
        # A cookie of a flow, elsewhere: never removed, or always.
        self.stays = stays
        self.wanders = wanders
        self.ours = ours  # the gate's own cookie
        self._enforced = enforced
        self._refusal = refusal
        self._said: dict[str, Decision] = {}
        self._reason = reason
        self._basis = basis  # if it leaves, unless told otherwise
        self.spelled_out = rule is not None and "*" not in rule.name
        # These few are made in advance, for they come with nearly every answer.
        self.kept_now = self.kept if self.spelled_out else None
        self.dropped_now = self.dropped if self.spelled_out and not free else None

    def leaves(self, allowed: frozenset[str]) -> bool:
        return self.free or self.category in allowed

    @property
    def kept(self) -> Decision:
        return self._said.get("") or self._say("", Action.KEPT, self._reason, self._basis)

    def kept_on(self, basis: Basis) -> Decision:
        """Return the decision that it leaves on this basis, where it is another than consent."""
        found = self._said.get(basis)
        if found is None:
            found = self._say(basis, Action.KEPT, _UNASKED[basis].format(self.category), basis)
        return found

    @property
    def dropped(self) -> Decision:
        return self.said(Action.DROPPED)

    @property
    def rewritten(self) -> Decision:
        return self.said(Action.REWRITTEN, f"a deletion always leaves; {self._refusal}")

    def said(self, action: Action, reason: str = "", basis: str = "") -> Decision:
        """Return the decision of this action, made once; without a reason it is a refusal's."""
        key = action._value_ + reason + basis  # hashing a member itself is slow
        return self._said.get(key) or self._say(key, action, reason or self._refusal, basis)

    def changed(self, action: Action, reason: str, basis: str = "") -> Decision:
        """Return the decision that it leaves changed, on this basis or its own."""
        return self.said(action, reason, basis or self._basis)

    def _say(self, key: str, action: Action, reason: str, basis: str) -> Decision:
        rule = self.rule
        # Most are never asked for, and each takes longer to make than to find.
        self._said[key] = decision = Decision(
            name=self.shown,
            category=rule.category if rule else None,
            rule=rule.name if rule else None,
            origin=rule.origin if rule else None,
            action=action,
            reason=reason,
            basis=basis,
            enforced=self._enforced,
        )
        return decision


def printable(name: bytes) -> str:
    """Return a cookie or header name as text without control characters, at most 100 long."""
    text = name[:500].decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return text if len(text) <= 100 else text[:99] + "…"
