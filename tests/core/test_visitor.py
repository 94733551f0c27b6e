"""Who is asking. See also test_visit, and the laws of who may be sent what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consentgate.core.gate import Gate
from consentgate.core.http import Request
from consentgate.core.policy import Profile, Regions
from consentgate.core.visit import Visit
from core.samples import KEY, NOW, POLICY, ask, cookie_of, fresh_id, visit_of

REGIONS = Regions(profiles=(Profile(places=("US-CA",), regime="opt-out"),))
LENIENT = replace(POLICY, regions=REGIONS)


def asked(policy: Any, look: Any, cookie: bytes | None = None) -> int:
    """How often the site is asked where its visitor is while `look` looks at the consent."""
    times = 0

    def locate(request: Request) -> str:
        nonlocal times
        times += 1
        return "US-CA"

    look(visit_of(Gate(policy, [KEY], locate=locate), ask(cookie=cookie)))
    return times


def everything(visit: Visit) -> None:
    for id in visit.site.ids:
        visit.allows(id), visit.choice(id), visit.basis(id)
    assert visit.needs_choice is not None
    assert visit.region == "US-CA"


def test_nobody_is_located_before_it_matters() -> None:
    """Not for a request that needs no consent, nor where every place has the same law."""
    assert asked(LENIENT, lambda visit: None) == 0
    assert asked(POLICY, lambda visit: visit.peek(), cookie_of("analytics")) == 0
    assert asked(LENIENT, lambda visit: visit.peek()) == 1


def test_a_visitor_is_located_once() -> None:
    """However much is asked of them."""
    assert asked(LENIENT, everything) == asked(POLICY, everything) == 1


def test_who_cannot_be_located_is_asked_for_consent() -> None:
    """What the site's callable raises goes to whoever listens, and the visitor is nowhere."""
    heard: list[Exception] = []

    class Listening(Visit):
        __slots__ = ()

        def not_located(self, error: Exception) -> None:
            heard.append(error)

    def failing(request: Request) -> str:
        raise LookupError

    for kind in (Visit, Listening):
        visit = Gate(LENIENT, [KEY], locate=failing).admit(ask(), NOW, fresh_id, kind).visit
        assert (visit.granted, visit.region, visit.needs_choice) == ({"necessary"}, None, True)
    assert [type(error) for error in heard] == [LookupError]


def test_what_is_used_unasked_is_known_only_where_there_is_such_a_place() -> None:
    """A site without regions pays nothing for the question."""
    assert visit_of(Gate(POLICY, [KEY]), ask()).unasked == {}
    here = Gate(LENIENT, [KEY], locate=lambda _: "US-CA")
    assert set(visit_of(here, ask()).unasked) == {"analytics", "marketing"}
