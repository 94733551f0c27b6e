"""What becomes of an answer of the app. See also test_gate, test_additions and test_record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentgate.core.consent import ResponseStarted
from consentgate.core.http import Header
from consentgate.core.policy import Profile, Regions
from core.samples import NOW, POLICY, ask, cookie_of, forward, lines_of, make_gate

HTML: Header = (b"content-type", b"text/html")
GPC: Header = (b"sec-gpc", b"1")
SOLD = (*POLICY.categories[:2], replace(POLICY.categories[2], sale_or_sharing=True))
CALIFORNIA = Regions(country="x", profiles=(Profile(places=("US-CA",), regime="opt-out"),))
GATE = make_gate(categories=SOLD, regions=CALIFORNIA)


def test_the_same_headers_get_the_same_answer() -> None:
    """WSGI may start a response twice; a signal is recorded in both, or in neither."""
    step = forward(GATE, ask(headers=[GPC], cookie=cookie_of("analytics")))
    headers = [HTML, (b"set-cookie", b"_fbp=1")]
    first, second = step.finish(headers, NOW), step.finish(headers, NOW)
    assert first == second
    assert len(lines_of(first)) == 1


def test_what_is_decided_is_closed() -> None:
    """Nothing can be changed or restricted once the answer has started."""
    for start in ("passes", "finish"):
        step = forward(GATE, ask())
        step.passes([HTML]) if start == "passes" else step.finish([HTML], NOW)
        for change in (step.visit.reject_all, step.visit.restrict, step.visit.require_opt_in):
            with pytest.raises(ResponseStarted):
                change()


def test_where_no_header_can_be_added_nothing_is_recorded() -> None:
    """An old WebSocket handshake: no mark, and no proof of one."""
    finish = forward(GATE, ask(headers=[GPC])).finish([], NOW, can_add=False)
    assert (finish.headers, finish.receipt) == ([], None)


def test_an_excluded_path_records_no_signal() -> None:
    """There the gate does nothing of its own accord."""
    gate = make_gate(categories=SOLD, regions=CALIFORNIA, exclude=("/hooks/*",))
    headers = [HTML]
    step = forward(gate, ask(path="/hooks/pay", headers=[GPC]))
    assert step.finish(headers, NOW).headers is headers
