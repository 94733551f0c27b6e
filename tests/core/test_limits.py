"""How long a kept cookie may live, and what it must at least ask of browsers."""

from __future__ import annotations

import pytest

from consentgate.core.limits import Limits, limits_of
from consentgate.core.policy import Category, Rule
from core.samples import NOW

DAY = 86_400
MONTH = b"Wed, 02 Dec 2026 12:00:00 GMT"  # thirty days after NOW
YEAR = b"Tue, 02 Nov 2027 12:00:00 GMT"
PAST = b"Thu, 01 Jan 1970 00:00:00 GMT"


def limits(
    seconds: int | None = None,
    *,
    secure: bool = False,
    http_only: bool = False,
    same_site: str = "",
) -> Limits:
    return Limits(seconds=seconds, secure=secure, http_only=http_only, same_site=same_site)


def shortened(line: bytes, seconds: int = 90 * DAY) -> bytes:
    """The line within a life of so many seconds."""
    changed, was_shortened = limits(seconds).apply(line, NOW)
    assert was_shortened is (changed is not line)
    return changed


@pytest.mark.parametrize(
    "line",
    [
        b"a=1",
        b"a=1; Path=/",
        b"a=1; Max-Age=7776000",
        b"a=1; max-age = 60 ;;  Weird ; PATH=/x",
        b"a=1; Expires=" + MONTH,
        b"a=1; Expires=" + MONTH + b"; Max-Age=60",
        b"a=1; Max-Age=0",
        b"a=1; Max-Age=-1",
        b"a=1; Expires=" + PAST,
        b"a=1; Expires=Thu Jan  1 00:00:00 1970",
        b"a=1; expires=Wed, 31-Dec-97 23:59:59 GMT",
        b"a=Max-Age=99999999",
        b"Max-Age=99999999; Path=/",
        b'a="x; y"; Max-Age=60',
        b"a=1; Expires=Wed, 02 Dec 2026 12:00:00",
        b"a=1; Expires=Wed, 02 Dec 2026 12:00:00 -0000",
        b"a=1; Expires=Wed, 02 Dec 2026 12:00:00 CET",
        b"a=caf\xe9; Max-Age=60",
    ],
)
def test_a_life_within_the_published_one_is_left_alone(line: bytes) -> None:
    """The very bytes: sessions, deletions, shorter lives, and what only looks like an attribute."""
    changed, was_shortened = limits(90 * DAY).apply(line, NOW)
    assert changed is line
    assert not was_shortened


@pytest.mark.parametrize(
    ("line", "within"),
    [
        (b"a=1; Max-Age=7776001", b"a=1; Max-Age=7776000"),
        (b"a=1; Max-Age=+99999999; Path=/x", b"a=1; Path=/x; Max-Age=7776000"),
        (b"a=1; Max-Age=" + b"9" * 18, b"a=1; Max-Age=7776000"),
        (b"a=1; Expires=" + YEAR, b"a=1; Max-Age=7776000"),
        (b"a=1; Expires=" + YEAR + b"; Secure", b"a=1; Secure; Max-Age=7776000"),
        # Chromium and Firefox heed Max-Age, libsoup what comes last: never longer in any.
        (b"a=1; Max-Age=60; Expires=" + YEAR, b"a=1; Max-Age=60"),
        (b"a=1; Expires=" + MONTH + b"; Max-Age=99999999", b"a=1; Max-Age=7776000"),
        (b"a=1; Max-Age=99999999; Max-Age=60", b"a=1; Max-Age=60"),
        (b"a=1; Max-Age=60; Max-Age=99999999", b"a=1; Max-Age=7776000"),
        (b"a=1; Max-Age=0; Expires=" + YEAR, b"a=1; Max-Age=0"),
        # What browsers may read differently lives with the session.
        (b"a=1; Max-Age=99999999x", b"a=1"),
        (b"a=1; Max-Age=" + b"9" * 19, b"a=1; Max-Age=7776000"),
        (b"a=1; Max-Age=" + b"0" * 1022 + b"999", b"a=1"),
        (b"a=1; Max-Age=60; Expires=" + b"x" * 1025, b"a=1; Max-Age=60"),
        (b"a=1; Max-Age=\xb2", b"a=1"),
        (b"a=1; Expires=Tue, 32 Nov 2027 12:00:00 GMT", b"a=1"),
        (b"a=1; Expires=2027-11-02T12:00:00Z", b"a=1"),
        (b"a=1; Expires=Thu Jan  1 00:00:00 1970 or 2099", b"a=1"),
        # Measured: browsers take the first two digits for the year, and the first month.
        (b"a=1; Expires=Sat, 01 Jan 28 00:00:00 GMT (2020)", b"a=1"),
        (b"a=1; Expires=Sat, 01-Jan-28 00:00:00 GMT+2020", b"a=1"),
        (b"a=1; Expires=x2020, 01 Jan 28 00:00:00 GMT", b"a=1"),
        (b"a=1; Expires=Dec, 01 Nov 2026 00:00:00 GMT", b"a=1"),
        (b"a=1; Max-Age=x; Expires=" + MONTH, b"a=1; Max-Age=2592000"),
        # The rest of the line stays byte for byte.
        (
            b"a = 1 ;  Domain=.x.example;MAX-AGE=99999999;SameSite = none ;;weird",
            b"a = 1 ;  Domain=.x.example;SameSite = none ;;weird; Max-Age=7776000",
        ),
        (b"a=\xff; max-age=99999999", b"a=\xff; Max-Age=7776000"),
    ],
)
def test_a_longer_life_is_shortened(line: bytes, within: bytes) -> None:
    """To the published one, in every browser, or to what the app asked for where that is less."""
    assert shortened(line) == within
    assert shortened(within) is within


@pytest.mark.parametrize(
    ("line", "within"),
    [
        (b"a=1; Max-Age=1", b"a=1"),
        (b"a=1; Path=/; Expires=" + MONTH, b"a=1; Path=/"),
        (b"a=1; Max-Age=0; Expires=" + YEAR, b"a=1; Max-Age=0"),
        (b"a=1; Path=/", b"a=1; Path=/"),
        (b"a=1; Max-Age=0", b"a=1; Max-Age=0"),
    ],
)
def test_what_is_published_as_a_session_ends_with_it(line: bytes, within: bytes) -> None:
    """`duration = "session"`: no life of its own is left, and a deletion stays one."""
    assert shortened(line, 0) == within


def test_a_clock_read_a_moment_apart_shortens_nothing() -> None:
    """Expires has whole seconds, and the app read its clock before us, or after."""
    line = b"a=1; Expires=Wed, 02 Dec 2026 12:00:01 GMT"
    assert limits(30 * DAY).apply(line, NOW) == (line, False)


# --- floors: what ASP.NET Core's CookiePolicy does, and its tests ask for -------------------------

SAME_SITES = (
    b"a=1; path=/",
    b"a=1; path=/; samesite=none",
    b"a=1; path=/; samesite=lax",
    b"a=1; path=/; samesite=strict",
    b"a=1; path=/; SameSite=odd",
)


def floored(line: bytes, **floors: bool | str) -> bytes:
    changed, was_shortened = limits(**floors).apply(line, NOW)  # type: ignore[arg-type]
    assert not was_shortened
    return changed


def test_a_secure_floor_is_asked_of_every_cookie() -> None:
    """CookieSecurePolicy.Always, and None; on a developer's machine it is that of the request."""
    assert floored(b"a=1; path=/", secure=True) == b"a=1; path=/; Secure"
    secured = b"a=1; path=/; secure"
    assert floored(secured, secure=True) is secured
    assert floored(b"a=1; Secure=false", secure=True) == b"a=1; Secure=false"  # it is on
    assert floored(b"a=1; path=/") == b"a=1; path=/"
    line = b"a=1; path=/"
    assert limits(secure=True).apply(line, NOW, plain=True) == (line, False)


def test_an_http_only_floor_is_asked_of_every_cookie() -> None:
    """HttpOnlyPolicy.Always, and None."""
    assert floored(b"a=1; path=/", http_only=True) == b"a=1; path=/; HttpOnly"
    hidden = b"a=1; path=/; httponly"
    assert floored(hidden, http_only=True) is hidden
    assert floored(hidden) is hidden


def test_a_strict_floor_makes_every_cookie_strict() -> None:
    """MinimumSameSitePolicy.Strict: whatever was said before is replaced."""
    found = [floored(line, same_site="strict") for line in SAME_SITES]
    strict = b"a=1; path=/; SameSite=Strict"
    assert found == [strict, strict, strict, SAME_SITES[3], strict]


def test_a_lax_floor_leaves_the_strict_ones() -> None:
    """MinimumSameSitePolicy.Lax: raised, and never lowered."""
    found = [floored(line, same_site="lax") for line in SAME_SITES]
    lax = b"a=1; path=/; SameSite=Lax"
    assert found == [lax, lax, SAME_SITES[2], SAME_SITES[3], lax]


def test_without_a_floor_same_site_is_left_alone() -> None:
    """MinimumSameSitePolicy.Unspecified. A floor of None there would lower what browsers assume."""
    assert [floored(line, secure=True) for line in SAME_SITES] == [
        line + b"; Secure" for line in SAME_SITES
    ]


def test_the_last_attribute_counts() -> None:
    """As in browsers, so a stricter one further up is no reason to leave it."""
    line = b"a=1; SameSite=Strict; SameSite=None"
    assert floored(line, same_site="lax") == b"a=1; SameSite=Lax"


def test_an_attribute_that_browsers_ignore_is_none() -> None:
    """Over 1024 bytes: it neither takes the place of another, nor is it there (Chromium 156)."""
    long = b"x" * 1025
    strict = b"a=1; SameSite=Strict; SameSite=" + long
    assert floored(strict, same_site="lax") is strict
    line = b"a=1; Secure=" + long + b"; HttpOnly=" + long
    assert floored(line, secure=True, http_only=True) == line + b"; Secure; HttpOnly"


def test_the_29th_of_february_is_a_day() -> None:
    """Of a leap year: a session that ends on it keeps its life."""
    now = 1_832_889_600  # 31 January 2028
    line = b"session=1; Expires=Tue, 29 Feb 2028 00:00:00 GMT"
    assert limits(90 * DAY).apply(line, now) == (line, False)


def test_floors_and_a_limit_go_together() -> None:
    """All at once, and what they ask for in words."""
    every = limits(60, secure=True, http_only=True, same_site="strict")
    assert every.apply(b"a=1; Max-Age=61", NOW) == (
        b"a=1; Max-Age=60; Secure; HttpOnly; SameSite=Strict",
        True,
    )
    assert every.demands == "Secure and HttpOnly and SameSite=Strict"


def test_a_rule_without_limits_has_none() -> None:
    """Only what is written in the rule or its category is asked for."""
    plain = Category(id="a")
    assert limits_of(Rule(name="x", category="a"), plain) is None
    assert limits_of(Rule(name="x", category="a", seconds=60, published_only=True), plain) is None
    assert limits_of(Rule(name="x", category="a", seconds=60), None) is None
    found = limits_of(Rule(name="x", category="a", seconds=0), plain)
    assert found is not None
    assert (found.seconds, found.demands) == (0, "")
    floor = limits_of(Rule(name="x", category="a"), Category(id="a", same_site="lax"))
    assert floor is not None
    assert (floor.seconds, floor.demands) == (None, "SameSite=Lax")


def test_what_is_remembered_is_no_value_and_bounded() -> None:
    """Only what follows the first semicolon."""
    one = limits(60)
    for number in range(2000):
        one.apply(b"a=s3cret; Max-Age=%d" % number, NOW)
    one.apply(b"a=1; " + b"x" * 600, NOW)
    one.apply(b'a="1;s3cret"; Path=/', NOW)
    assert len(one._remembered) <= 512
    assert not any(b"s3cret" in tail or len(tail) > 512 for tail in one._remembered.young)
