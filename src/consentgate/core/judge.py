"""The rules of one policy, compiled, and asked about one cookie after another.

Rule 1. A strictly necessary cookie leaves as it came, unless its own category's table says how.
Rule 2. A line that browsers may store under several names leaves only if each of them may.
Rule 3. Whatever is refused, its deletion leaves, in our own canonical form.
Rule 4. What may not leave the app does not see either, under whatever name it might read it.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from types import MappingProxyType

from .cookies import (
    WSP,
    canonical_deletion,
    has_control,
    is_deletion,
    is_plain,
    names_as_text,
    names_of_pair,
    stored_names,
)
from .decision import NOT_AGAIN, UNNAMED, UNSAFE_HEADER, Action, Decision, Verdict, printable
from .limits import limits_of
from .matcher import MAX_INNER_NAME, Matcher
from .memo import Memo
from .policy import Category, Rule
from .standing import Basis

NOTHING_UNASKED: Mapping[str, Basis] = MappingProxyType({})
_MAX_REMEMBERED_NAME = 256


class Judge:
    """The rules of one policy, asked about one cookie after another.

    `site` are the policy's own rules and beat `known`, those of frameworks and of the app. Cookies
    of flows whose path this is not are named by `staying`, and by `leaving` if they are to go.
    """

    __slots__ = (
        "_always",
        "_block",
        "_enforced",
        "_has_flows",
        "_known",
        "_leaving",
        "_limits",
        "_own",
        "_site",
        "_staying",
        "_unreadable",
        "remembered",
    )

    def __init__(
        self,
        *,
        site: Iterable[Rule],
        known: Iterable[Rule],
        categories: Mapping[str, Category],
        own: frozenset[bytes],
        block_unknown: bool,
        enforced: bool,
        staying: Iterable[Rule] = (),
        leaving: Iterable[Rule] = (),
    ) -> None:
        site, known = tuple(site), tuple(known)
        self._site = Matcher(site)
        self._known = Matcher(known)
        staying, leaving = tuple(staying), tuple(leaving)
        self._has_flows = bool(staying or leaving)
        self._staying, self._leaving = Matcher(staying), Matcher(leaving)
        self._limits = {
            id(rule): limits
            for rule in (*site, *known)
            if (limits := limits_of(rule, categories.get(rule.category))) is not None
        }
        self._always = frozenset(one.id for one in categories.values() if one.always)
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

    # --- cookies that are set -------------------------------------------------------------------

    def judge(
        self,
        line: bytes,
        allowed: frozenset[str],
        now: float,
        held: Container[bytes] = (),
        *,
        plain: bool = False,
        unasked: Mapping[str, Basis] = NOTHING_UNASKED,
    ) -> tuple[Decision, bytes | None, Verdict]:
        """Decide one Set-Cookie value for a visitor to whom the categories `allowed` are allowed.

        `held` are the names that the browser sent; `plain` is for Limits; `unasked` the bases of
        what is allowed without consent. Returns the decision, the value to send (None: nothing),
        and what it rested on.
        """
        verdict = self.verdict(line, allowed)
        if verdict.leaves(allowed):
            kept = self.keep(verdict, line, now, held, plain=plain, unasked=unasked)
            return *kept, verdict
        return *self.refuse(verdict, line, now), verdict

    def keep(
        self,
        verdict: Verdict,
        line: bytes,
        now: float,
        held: Container[bytes] = (),
        *,
        plain: bool = False,
        unasked: Mapping[str, Basis] = NOTHING_UNASKED,
    ) -> tuple[Decision, bytes | None]:
        """Return what becomes of a value that may leave, and what to send."""
        rule, limits = verdict.rule, verdict.limits
        basis = unasked.get(verdict.category or "") if unasked else None
        if (
            rule is not None
            and not rule.sliding
            and line.partition(b"=")[0].strip(WSP) in held
            and not is_deletion(line, now)
        ):
            return verdict.said(Action.DROPPED, NOT_AGAIN), None
        changed, shortened = line, False
        if limits is not None:
            changed, shortened = limits.apply(line, now, plain=plain)
        if limits is None or changed is line or is_deletion(line, now):
            return verdict.kept if basis is None else verdict.kept_on(basis), line
        if shortened:
            assert rule is not None
            published = rule.duration or f"{rule.seconds} seconds"
            reason = f"it would live longer than the published {published}"
            return verdict.changed(Action.SHORTENED, reason, basis or ""), changed
        reason = f"its category asks for {limits.demands}"
        return verdict.changed(Action.HARDENED, reason, basis or ""), changed

    def refuse(self, verdict: Verdict, line: bytes, now: float) -> tuple[Decision, bytes | None]:
        """Return what becomes of a value that may not leave, and what to send in its place."""
        if is_deletion(line, now) and not verdict.ours:
            return verdict.rewritten, canonical_deletion(line)
        return verdict.dropped_now or verdict.dropped, None

    def verdict(self, line: bytes, allowed: frozenset[str]) -> Verdict:
        """Return all that can be said of one Set-Cookie value's name."""
        head, equals, _ = line.partition(b"=")
        if equals and head and is_plain(head):
            return self._unreadable if has_control(line) else self._plain(head)
        names = stored_names(line)
        if names is None:
            return self._unreadable
        verdicts = self._verdicts_of(sorted(names))
        # The strictest reading decides; where all may leave, one that rests on consent speaks.
        return min(verdicts, key=lambda one: (one.leaves(allowed), one.free))

    # --- cookies that are sent ------------------------------------------------------------------

    def of_pair(self, part: bytes) -> tuple[Verdict, ...]:
        """Return all that can be said of one pair of a Cookie header: each must leave to be seen.

        The first is that of the name by which browsers know it. The gate's own cookie, and nothing
        at all, give none.
        """
        head, equals, value = part.partition(b"=")
        name = head.strip(WSP)
        if equals and name in self._own:
            return ()
        if equals and name and is_plain(name):
            return (self._plain(name),)
        if not name and not value.strip(WSP):
            return ()
        readings = names_as_text(name)
        if self.rule(name) is not None:
            # What the site names is not hidden because it might be read as something unheard of.
            readings = {one for one in readings if self.rule(one) is not None}
        names = names_of_pair(part) | readings
        # Of a nameless one the token speaks, which some servers take for its name.
        first = name or max(names)
        return tuple(self._verdicts_of([first, *sorted(names - {first})]))

    # --- names ----------------------------------------------------------------------------------

    def _plain(self, name: bytes) -> Verdict:
        verdict = self.remembered.get(name)
        if verdict is None:
            verdict = self._verdict_of(name, printable(name))
            if len(name) <= _MAX_REMEMBERED_NAME:
                self.remembered.put(name, verdict)
        return verdict

    def _verdicts_of(self, names: Collection[bytes]) -> list[Verdict]:
        # What stands for a nameless cookie's name may be its value: it is never shown.
        shown = "(no name)" if b"" in names else ""
        return [self._verdict_of(one, shown or printable(one)) for one in names]

    def _verdict_of(self, name: bytes, shown: str) -> Verdict:
        if name in self._own:
            # Nor may an app delete it, with all others at a logout say: it may hold a no.
            return self._barred(shown, "only the gate itself sets its own cookie", ours=True)
        if len(name) > MAX_INNER_NAME:
            return self._barred(shown, "its name is too long to be compared with every rule")
        rule = self.rule(name) if name else None
        if rule is None:
            if self._block:
                if not self._has_flows:
                    return self._barred(shown, UNNAMED)
                stays, wanders = self._away(name)
                return self._barred(shown, UNNAMED, stays=stays, wanders=wanders)
            reason = "no rule names it, and unknown cookies are allowed"
            return Verdict(
                shown=shown, rule=None, free=True, enforced=self._enforced, reason=reason
            )
        limits = self._limits.get(id(rule))
        if rule.flow:
            return Verdict(
                shown=shown,
                rule=rule,
                free=True,
                enforced=self._enforced,
                reason=f"strictly necessary on {rule.flow}",
                basis=Basis.FLOW,
                limits=limits,
            )
        if rule.category in self._always:
            return Verdict(
                shown=shown,
                rule=rule,
                free=True,
                enforced=self._enforced,
                reason="strictly necessary: needs no consent",
                basis=Basis.NECESSARY,
                limits=limits,
            )
        stays, wanders = self._away(name)
        return Verdict(
            shown=shown,
            rule=rule,
            free=False,
            enforced=self._enforced,
            reason=f"the visitor allows {rule.category}",
            refusal=f"the visitor has not allowed {rule.category}",
            basis=Basis.CONSENT,
            limits=limits,
            stays=stays,
            wanders=wanders,
        )

    def _away(self, name: bytes) -> tuple[bool, bool]:
        """Say whether it is a cookie of another flow that stays, and one that goes."""
        if not self._has_flows:
            return False, False
        stays = self._staying.find(name) is not None
        return stays, not stays and self._leaving.find(name) is not None

    def _barred(
        self,
        shown: str,
        refusal: str,
        *,
        ours: bool = False,
        stays: bool = False,
        wanders: bool = False,
    ) -> Verdict:
        return Verdict(
            shown=shown,
            rule=None,
            free=False,
            enforced=self._enforced,
            refusal=refusal,
            ours=ours,
            stays=stays,
            wanders=wanders,
        )

    def unsafe_header(self, name: bytes) -> Decision:
        """Return the decision over a header that could end its own line: it is dropped."""
        shown = printable(name.partition(b"=")[0])  # after it may stand a cookie's value
        return self._barred(shown, UNSAFE_HEADER).said(Action.DROPPED)
