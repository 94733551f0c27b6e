"""Short ways to ask what an answer removes: shared by the tests of what does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from consentgate.core.gate import Finish, Gate
from consentgate.core.http import Header
from consentgate.core.policy import Category, Rule
from core.samples import KEY, NOW, POLICY, ask, cookie_of, forward, make_gate

NO = cookie_of()
HTML: Header = (b"content-type", b"text/html; charset=utf-8")
HOST = b"www.shop.example"
DEEP = b"www.app.shop.example"


def gate_with(*rules: Rule, **changes: Any) -> Gate:
    """A gate whose analytics are these."""
    analytics = Category(id="analytics", rules=rules)
    categories = (POLICY.categories[0], analytics, Category(id="marketing"))
    return Gate(replace(POLICY, categories=categories, **changes), [KEY])


def rule(name: str, **facts: Any) -> Rule:
    return Rule(name=name, category="analytics", **facts)


def finish(
    cookie: bytes,
    gate: Gate | None = None,
    *,
    host: bytes = HOST,
    headers: Iterable[Header] = (HTML,),
    now: float = NOW,
    **how: Any,
) -> Finish:
    gate = gate or make_gate()
    return forward(gate, ask(cookie=cookie, host=host, **how), now).finish(list(headers), now)


def removals(cookie: bytes, gate: Gate | None = None, **how: Any) -> list[bytes]:
    """The lines of an answer that remove cookies, our own left aside."""
    found = finish(cookie, gate, **how).headers
    return [
        value
        for name, value in found
        if name == b"set-cookie" and not value.startswith((b"__Host-gate=", b"gate="))
    ]
