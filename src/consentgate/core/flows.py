"""Flows: paths on which cookies are strictly necessary that elsewhere are not.

Rule 1. In a flow its cookies leave and are seen, whatever the visitor said; the most specific rule
        still wins, and of a flow and a category that name the same, the flow.
Rule 2. Elsewhere they are what their category says, but stay on the device: a second tab, a bank's
        check of who pays (3-D Secure) and anti-fraud need them. A flow can say otherwise.
Rule 3. A path is compared as the app sees it, and one with "." or ".." in it is in no flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from .filter import Filter
from .judge import Judge
from .matcher import Matcher, PathMatcher
from .memo import Memo
from .policy import Flow, Rule
from .request_cookies import Sorter


class Lane(NamedTuple):
    """The rules that hold on a path, compiled."""

    judge: Judge
    sorter: Sorter
    filter: Filter


class Terms(NamedTuple):
    """What flows make of the rules on a path: those in force, and those of the other flows.

    Of the others, what is named by `staying` is never removed, by `leaving` always. `sources` are
    the third parties of those in force.
    """

    here: tuple[Rule, ...] = ()
    staying: tuple[Rule, ...] = ()
    leaving: tuple[Rule, ...] = ()
    sources: tuple[str, ...] = ()


class Flows:
    """The flows of one policy. `lane` makes what is to hold on the paths of some of them."""

    __slots__ = ("_flows", "_lanes", "_make", "_paths", "_rules", "elsewhere", "none")

    def __init__(
        self,
        flows: Sequence[Flow],
        site: Iterable[Rule],
        necessary: str,
        make: Callable[[Terms], Lane],
    ) -> None:
        site = tuple(site)
        self._flows = tuple(flows)
        self.none = not flows
        self._make = make
        self._paths = [PathMatcher(flow.paths) for flow in flows]
        by_name, matcher = {rule.name: rule for rule in site}, Matcher(site)
        self._rules = [
            tuple(_rule(name, flow, by_name, matcher, necessary) for name in flow.cookies)
            for flow in flows
        ]
        # By which flows a path belongs to: of the combinations only those that are asked for.
        self._lanes: Memo[tuple[int, ...], Lane] = Memo(64)
        self.elsewhere = make(self._terms(()))

    def lane(self, path: str) -> Lane:
        """Return what holds on a path."""
        here = tuple([at for at, paths in enumerate(self._paths) if paths.matches(path)])
        if not here:
            return self.elsewhere
        lane = self._lanes.get(here)
        if lane is None:
            lane = self._make(self._terms(here))
            self._lanes.put(here, lane)
        return lane

    def _terms(self, here: tuple[int, ...]) -> Terms:
        away = [at for at in range(len(self._flows)) if at not in here]
        staying = [at for at in away if not self._flows[at].expire_on_leave]
        leaving = [at for at in away if self._flows[at].expire_on_leave]
        sources = tuple(source for at in here for source in self._flows[at].sources)
        return Terms(self._of(here), self._of(staying), self._of(leaving), sources)

    def _of(self, places: Iterable[int]) -> tuple[Rule, ...]:
        # By name, so that the order in which flows stand in a file does not matter.
        rules = [rule for at in places for rule in self._rules[at]]
        return tuple({rule.name: rule for rule in sorted(rules, key=_place)}.values())


def _place(rule: Rule) -> tuple[str, str]:
    return rule.name, rule.flow


def _rule(name: str, flow: Flow, by_name: dict[str, Rule], site: Matcher, necessary: str) -> Rule:
    known = by_name.get(name) or site.find(name.encode())
    label = ", ".join(flow.paths)
    if known is None:
        return Rule(name=name, category=necessary, flow=label)
    # What was published of the cookie holds in the flow too.
    return replace(known, name=name, flow=label)
