"""Which categories may be used now, and on what basis: the one place that decides it.

Rule 1. What the visitor refused, took back or opted out of is not used, wherever they are.
Rule 2. A signal (Global Privacy Control) opts out of what is sold or shared, even over an earlier
        yes (11 CCR 7025(c)(3)), but for what was granted after a shown notice of the conflict. In
        opt-in regions it counts as a no to whatever was not granted, if the policy says so.
Rule 3. A valid yes is a basis everywhere. Without one, an exemption of the visitor's region is,
        or its opt-out regime; else nothing is.
Rule 4. Where no category is marked as sold or shared, a signal is a no to all that was not granted:
        nobody has said what it is about.
Rule 5. There is something to ask only where the law is opt-in. Who opted out is not asked to opt
        in again for twelve months (California Civil Code 1798.135(c)(4)).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from .consent import Choice, Consent
from .memo import Memo
from .policy import Category
from .regions import Law

# What California requires a site to display where it has processed a signal (11 CCR 7025(c)(6)).
# The words are those of the regulation's own example.
HONOURED = "Opt-Out Request Honored"


class Basis(StrEnum):
    """Why a cookie may be used."""

    NECESSARY = "strictly necessary"
    CONSENT = "consent"
    FLOW = "strictly necessary in this flow"
    OPT_OUT = "opt-out not exercised"
    EXEMPT = "exempt"


class Signal(StrEnum):
    """What became of Global Privacy Control; true where it is honoured."""

    APPLIED = "applied"
    OVERRIDDEN = "overridden"
    ABSENT = "absent"

    def __bool__(self) -> bool:
        return self is Signal.APPLIED


class Situation(NamedTuple):
    """All that the standing of a visitor depends on, apart from the policy."""

    consent: Consent
    law: Law
    signalled: bool = False  # now, or on an earlier visit
    restricted: frozenset[str] = frozenset()  # by the app


class Standing:
    """What follows for one visitor. `unasked`: the basis of what is used without consent."""

    __slots__ = ("allowed", "asks", "denied", "granted", "signal", "unasked")

    def __init__(
        self,
        *,
        allowed: frozenset[str],
        granted: frozenset[str],
        denied: frozenset[str],
        unasked: Mapping[str, Basis],
        asks: bool,
        signal: Signal,
    ) -> None:
        self.allowed = allowed
        self.granted = granted
        self.denied = denied
        self.unasked = unasked
        self.asks = asks
        self.signal = signal

    def choice(self, category: str) -> Choice:
        """Return what the visitor said, or had the browser say, of an optional category."""
        if category in self.granted:
            return Choice.GRANTED
        return Choice.DENIED if category in self.denied else Choice.UNSET

    def basis(self, category: str) -> Basis | None:
        """Return why a category may be used; None where it may not."""
        if category not in self.allowed:
            return None
        if category in self.granted:
            return Basis.CONSENT
        return self.unasked.get(category, Basis.NECESSARY)


class Standings:
    """Works out standings, for the categories of one policy."""

    __slots__ = ("_always", "_exemptions", "_optional", "_refuses", "_remembered", "sold")

    def __init__(self, categories: tuple[Category, ...], *, signal_refuses: bool) -> None:
        self._always = frozenset(one.id for one in categories if one.always)
        self._optional = frozenset(one.id for one in categories) - self._always
        self.sold = frozenset(
            one.id for one in categories if one.sale_or_sharing and not one.always
        )
        self._exemptions = {
            one.id: one.exemption.kind
            for one in categories
            if one.exemption is not None and not one.always and not one.sale_or_sharing
        }
        self._refuses = signal_refuses
        self._remembered: Memo[tuple[object, ...], Standing] = Memo(512)

    def lets_unasked(self, law: Law) -> bool:
        """Say whether some category may be used without consent under this law."""
        if not law.opt_in:
            return bool(self._optional)
        return not law.exemptions.isdisjoint(self._exemptions.values())

    def of(self, situation: Situation) -> Standing:
        """Return what follows; the same object for situations alike."""
        consent, law, signalled, restricted = situation
        # Only what decides: of visitors who chose alike there are few kinds.
        key = (
            consent.granted,
            consent.denied,
            consent.reopened,
            consent.readable,
            consent.over_gpc,
            law,
            signalled,
            restricted,
        )
        found = self._remembered.young.get(key) or self._remembered.get(key)
        if found is None:
            found = self._of(situation)
            self._remembered.put(key, found)
        return found

    def _of(self, situation: Situation) -> Standing:
        consent, law, signalled, restricted = situation
        signal = Signal.ABSENT
        denied, reopened = consent.denied, consent.reopened
        granted = consent.granted - denied - reopened
        if signalled:
            # A yes over the signal is one to what it names; of all the rest the signal still holds.
            over = granted & self.sold if consent.over_gpc else frozenset()
            signal = Signal.OVERRIDDEN if over and over == self.sold else Signal.APPLIED
            denied |= self.sold - over
            granted -= self.sold - over
            if not self.sold or (law.opt_in and self._refuses):
                denied |= self._optional - granted
                reopened = frozenset()
        barred = denied | consent.reopened | restricted
        unasked: dict[str, Basis] = {}
        if consent.readable:
            for id in self._optional - granted - barred:
                if self._exemptions.get(id) in law.exemptions:
                    unasked[id] = Basis.EXEMPT
                elif not law.opt_in:
                    unasked[id] = Basis.OPT_OUT
        allowed = (granted - restricted) | unasked.keys()
        unsaid = self._optional - granted - (denied - reopened) - restricted - unasked.keys()
        return Standing(
            allowed=self._always | allowed,
            granted=granted,
            denied=denied,
            unasked=unasked,
            asks=law.opt_in and bool(unsaid),
            signal=signal,
        )
