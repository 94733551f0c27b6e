"""What Chromium and Firefox stored of the lines of two public suites, against our reading."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from consentgate.core.cookies import has_control, is_deletion, stored_names
from core.samples import names_sent
from vectors import public
from vectors.public import BROWSERS, MEASURED, needed

pytestmark = needed


class Case(NamedTuple):
    """Lines sent in this order to an empty jar, and the Cookie header that each browser sent."""

    name: str
    lines: list[bytes]
    sent: dict[str, bytes]


@cache
def http_state() -> list[Case]:
    return [
        Case(
            one["id"],
            [bytes.fromhex(line["hex"]) for line in one["set_cookie"]],
            {browser: bytes.fromhex(one[browser]["hex"]) for browser in BROWSERS if one[browser]},
        )
        for one in public.load("http_state_parser")["cases"]
    ]


@cache
def web_platform() -> list[Case]:
    """The cases that name their lines; those about prefixes say it in another way."""
    return [
        Case(
            f"{one['file']}: {one['name']}",
            [line.encode() for line in one["cookie"]],
            {browser: one[browser].encode() for browser in BROWSERS},
        )
        for one in public.load("wpt_cookies")["cases"]
        if "cookie" in one
    ]


def everything() -> list[Case]:
    return http_state() + web_platform()


def test_the_suites_are_read_whole() -> None:
    """As many cases as their notes say, and what the browsers made of nearly all of them."""
    assert (len(http_state()), len(web_platform())) == (222, 746)
    unanswered = [case.name for case in everything() if len(case.sent) < 2]
    assert unanswered == ["disabled-chromium0022"]


def test_every_name_that_a_browser_sent_back_was_foreseen() -> None:
    """The names of a Cookie header are among those of the readable lines, if all are readable."""
    missed = []
    for case in everything():
        names = [stored_names(line) for line in case.lines]
        known = frozenset().union(*(one for one in names if one is not None))
        for browser, header in case.sent.items():
            if not names_sent(header) <= known and None not in names:
                missed.append((case.name, browser, header))
    assert missed == []


def test_of_the_stored_lines_exactly_those_with_control_bytes_are_unreadable() -> None:
    """What is stored though we call it unreadable: the price of failing closed, line by line."""
    stored = set()
    for case in everything():
        readable = [stored_names(line) for line in case.lines]
        known = frozenset().union(*(one for one in readable if one is not None))
        if any(names_sent(header) - known for header in case.sent.values()):
            stored |= {line for line in case.lines if stored_names(line) is None}
    assert stored == {
        # HTAB at the edge of a token: both browsers trim it.
        b"\tfoo\t=\tbar\t \t;\tttt",
        b"test\t=\t21\t \t;\tttt",
        b"a=b; \tpath\t=\t/cookie-parser-result\t",
        b"x=y; \tpath\t=\t/book\t",
        b"testA=19; \tpath\t=\t/cookies/attributes",
        b"testB=19; \tpath\t=\t/book",
        b"test9domain2=t; Domain=web-platform.test\t;",
        b"test9path2=t; Path=/cookies/attributes\t;",
        b"test9maxage2=t; Max-Age=1000\t;",
        b"test9expires2=t; Expires=Fri, 01 Jan 2038 00:00:00 GMT\t;",
        # HTAB within: Firefox alone stores it.
        b"test9domain=t; Domain=test\t.co; Domain=web-platform.test;",
        b"test9path=t; Path=/te\tst; Path=/cookies/attributes",
        b"test9maxage=t; Max-Age=10\t00; Max-Age=1000;",
        b"test9expires=t; Expires=Fri, 01 Jan 20\t38 00:00:00 GMT; "
        b"Expires=Fri, 01 Jan 2038 00:00:00 GMT;",
        b"test9secure=t; Sec\ture;",
        b"test9httponly=t; Http\tOnly;",
        b"test9\tname=9",
        b"test=9\tvalue",
        # CR or LF: the field ends there.
        b"AAA=BB\rZYX",
        b"test=13\nZYX",
    }


def test_unreadable_means_a_control_byte_and_nothing_else() -> None:
    """Of all lines of both suites, none is given up for another reason."""
    lines = {line for case in everything() for line in case.lines}
    assert {line for line in lines if stored_names(line) is None} == set(filter(has_control, lines))
    assert sum(not has_control(line) for line in lines) > 400


def test_no_line_taken_for_a_deletion_was_stored_by_either_browser() -> None:
    """A deletion that is a set would let a refused cookie through."""
    found = 0
    kept = []
    for case in everything():
        for at, line in enumerate(case.lines):
            if is_deletion(line, MEASURED):
                found += 1
                (name,) = stored_names(line) or ()
                later = frozenset().union(
                    *(stored_names(one) or frozenset() for one in case.lines[at + 1 :])
                )
                for browser, header in case.sent.items():
                    if name in names_sent(header) and name not in later:
                        kept.append((case.name, browser, line))
    assert kept == []
    assert found == 22


def test_the_prefix_cases_are_read_under_their_name() -> None:
    """Whether or not a browser takes it: a prefixed line has its prefixed name and no other."""
    cases = [one for one in public.load("wpt_cookies")["cases"] if "prefix" in one]
    assert len(cases) == 67
    for one in cases:
        line = f"{one['prefix']}prefixtestcookie=foo; {one['params']}".encode()
        assert stored_names(line) == {line.partition(b"=")[0]}
