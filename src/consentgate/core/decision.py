"""What the gate does with one cookie, and why.

Rule 1. A strictly necessary cookie leaves as it came.
Rule 2. A line that browsers may store under several names leaves only if each of them may.
Rule 3. Whatever is refused, its deletion leaves, in our own canonical form.
Rule 4. No decision holds a cookie's value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .cookies import canonical_deletion, has_control, is_deletion, stored_names
from .matcher import MAX_INNER_NAME, Matcher
from .memo import Memo
from .policy import Rule

_MAX_REMEMBERED_NAME = 256
# Heads that every browser takes for the name: visible ASCII without ";", "=" and quotation marks.
_PLAIN = bytes(byte for byte in range(0x21, 0x7F) if byte not in b';="')

UNNAMED = "no rule names it, and unknown cookies are blocked"
UNSAFE_HEADER = "a header with CR, LF or NUL could become a second one"


class Action(StrEnum):
    """What became of a Set-Cookie line."""

    KEPT = "kept"
    DROPPED = "dropped"
    REWRITTEN = "rewritten"  # a deletion, in canonical form


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was done with one Set-Cookie line (or with an unsafe header), and why.

    `name` is safe to print. `rule` is the pattern that named the cookie, `origin` where that rule
    stands. `enforced` is False in report mode: then it says what would have been done.
    """

    name: str
    category: str | None
    rule: str | None
    origin: str | None
    action: Action
    reason: str
    enforced: bool = True


class Verdict:
    """All that can be decided of a name before a visitor is known."""

    __slots__ = ("category", "dropped", "free", "kept", "rewritten")

    def __init__(
        self,
        *,
        category: str | None,
        free: bool,
        kept: Decision,
        dropped: Decision,
        rewritten: Decision,
    ) -> None:
        self.category = category  # the one on whose consent it depends, or None
        self.free = free  # leaves whatever the visitor said
        self.kept = kept
        self.dropped = dropped
        self.rewritten = rewritten

    def leaves(self, allowed: frozenset[str]) -> bool:
        return self.free or self.category in allowed


def printable(name: bytes) -> str:
    """Return a cookie or header name as text without control characters, at most 100 long."""
    text = name[:500].decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return text if len(text) <= 100 else text[:99] + "…"


class Judge:
    """The rules of one policy, asked about one Set-Cookie line after another.

    `site` are the policy's own rules and beat `known`, those of frameworks and of the app.
    """

    __slots__ = (
        "_always",
        "_block",
        "_enforced",
        "_known",
        "_own",
        "_site",
        "_unreadable",
        "remembered",
    )

    def __init__(
        self,
        *,
        site: Iterable[Rule],
        known: Iterable[Rule],
        always: frozenset[str],
        own: frozenset[bytes],
        block_unknown: bool,
        enforced: bool,
    ) -> None:
        self._site = Matcher(site)
        self._known = Matcher(known)
        self._always = always
        self._own = own
        self._block = block_unknown
        self._enforced = enforced
        # By what stands before the "=", where that is plain: it holds for every such line without
        # control bytes. Bounded, so that names made up by visitors cannot grow it.
        self.remembered: Memo[bytes, Verdict] = Memo(1024)
        self._unreadable = self._barred(
            "(unreadable)", "it holds a control byte, so browsers differ on what they store"
        )

    def rule(self, name: bytes) -> Rule | None:
        """Return the rule that governs a cookie of this name: the site's, else a known one."""
        return self._site.find(name) or self._known.find(name)

    def judge(
        self, line: bytes, allowed: frozenset[str], now: float
    ) -> tuple[Decision, bytes | None, Verdict]:
        """Decide one Set-Cookie value for a visitor to whom the categories `allowed` are allowed.

        Returns the decision, the value to send (None: nothing), and what it rested on.
        """
        verdict = self.verdict(line, allowed)
        if verdict.leaves(allowed):
            return verdict.kept, line, verdict
        return *self.refuse(verdict, line, now), verdict

    def refuse(self, verdict: Verdict, line: bytes, now: float) -> tuple[Decision, bytes | None]:
        """Return what becomes of a value that may not leave, and what to send in its place."""
        if is_deletion(line, now):
            return verdict.rewritten, canonical_deletion(line)
        return verdict.dropped, None

    def verdict(self, line: bytes, allowed: frozenset[str]) -> Verdict:
        """Return all that can be said of one Set-Cookie value's name."""
        head, equals, _ = line.partition(b"=")
        if equals and head and not head.translate(None, _PLAIN):
            if has_control(line):
                return self._unreadable
            verdict = self.remembered.get(head)
            if verdict is None:
                verdict = self._verdict_of(head, printable(head))
                if len(head) <= _MAX_REMEMBERED_NAME:
                    self.remembered.put(head, verdict)
            return verdict
        names = stored_names(line)
        if names is None:
            return self._unreadable
        # What stands for a nameless cookie's name may be its value: it is never shown.
        shown = "(no name)" if b"" in names else ""
        verdicts = [self._verdict_of(one, shown or printable(one)) for one in sorted(names)]
        # The strictest reading decides; where all may leave, one that rests on consent speaks.
        return min(verdicts, key=lambda one: (one.leaves(allowed), one.free))

    def _verdict_of(self, name: bytes, shown: str) -> Verdict:
        if name in self._own:
            return self._barred(shown, "only the gate itself sets its own cookie")
        if len(name) > MAX_INNER_NAME:
            return self._barred(shown, "its name is too long to be compared with every rule")
        rule = self.rule(name) if name else None
        if rule is None:
            if self._block:
                return self._barred(shown, UNNAMED)
            return self._free(shown, None, "no rule names it, and unknown cookies are allowed")
        if rule.category in self._always:
            return self._free(shown, rule, "strictly necessary: needs no consent")
        reason = f"the visitor has not allowed {rule.category}"
        return Verdict(
            category=rule.category,
            free=False,
            kept=self._decision(shown, rule, Action.KEPT, f"the visitor allows {rule.category}"),
            dropped=self._decision(shown, rule, Action.DROPPED, reason),
            rewritten=self._rewritten(shown, rule, reason),
        )

    def _free(self, shown: str, rule: Rule | None, reason: str) -> Verdict:
        kept = self._decision(shown, rule, Action.KEPT, reason)
        return Verdict(category=None, free=True, kept=kept, dropped=kept, rewritten=kept)

    def _barred(self, shown: str, reason: str) -> Verdict:
        dropped = self._decision(shown, None, Action.DROPPED, reason)
        rewritten = self._rewritten(shown, None, reason)
        return Verdict(
            category=None, free=False, kept=dropped, dropped=dropped, rewritten=rewritten
        )

    def _rewritten(self, shown: str, rule: Rule | None, reason: str) -> Decision:
        return self._decision(shown, rule, Action.REWRITTEN, f"a deletion always leaves; {reason}")

    def _decision(self, shown: str, rule: Rule | None, action: Action, reason: str) -> Decision:
        return Decision(
            name=shown,
            category=rule.category if rule else None,
            rule=rule.name if rule else None,
            origin=rule.origin if rule else None,
            action=action,
            reason=reason,
            enforced=self._enforced,
        )

    def unsafe_header(self, name: bytes) -> Decision:
        """Return the decision over a header that could end its own line: it is dropped."""
        shown = printable(name.partition(b"=")[0])  # after it may stand a cookie's value
        return self._decision(shown, None, Action.DROPPED, UNSAFE_HEADER)
