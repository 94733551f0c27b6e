"""Deletions never take a page down: what nginx lets through without the gate it lets through with.

nginx answers 502 where the headers of an answer do not fit into one buffer, of 4 KiB by default.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from http.client import IncompleteRead
from pathlib import Path
from time import time

import pytest

from consentgate.core.consent import Consent, Tries
from proxies.client import Answer, Client, deletes
from proxies.conftest import Certificate
from proxies.jar import Jar, Place
from proxies.nginx import Front, require_nginx, running
from proxies.site import SHELLS, gate, served

MAX_LINES = 16
MAX_BYTES = 2_048
# What nginx's large_client_header_buffers take of one line.
MAX_COOKIE_HEADER = 8_000


class Fronts:
    """The site with the gate and without, over http and TLS."""

    def __init__(self, ports: list[int], certificate: Certificate) -> None:
        self._ports = ports
        self._certificate = certificate

    def client(self, variant: str, scheme: str) -> Client:
        at = ["gated", "plain"].index(variant) + 2 * ["http", "https"].index(scheme)
        return Client(self._ports[at], self._certificate.trust if scheme == "https" else None)


@pytest.fixture(scope="module", params=SHELLS)
def fronts(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    certificate: Certificate,
) -> Iterator[Fronts]:
    """One nginx in front of both variants; the tests of one shell follow one another."""
    require_nginx()
    folder: Path = tmp_path_factory.mktemp("log")
    with ExitStack() as stack:
        upstreams = [
            stack.enter_context(served(request.param, variant, folder / variant))
            for variant in ("gated", "plain")
        ]
        open_fronts = [Front(upstream) for upstream in upstreams]
        tls = [Front(upstream, tls=certificate.file) for upstream in upstreams]
        yield Fronts(stack.enter_context(running(*open_fronts, *tls)), certificate)


def refusing(places: list[Place]) -> Jar:
    """A visitor who refused, and still holds these.

    Over http too the browser has asked over TLS: it ended at a proxy in front of this one.
    """
    jar = Jar(secure=True)
    site = gate().site
    # The answer to the refusal itself has begun to count, so what follows goes on in order.
    refusal = Consent(denied=site.optional, decided_at=int(time()), tries=Tries(total=1))
    jar.cookies[Place(OWN)] = site.tokens.write(refusal)
    for at in places:
        jar.cookies[at] = b"12345678901234567890"
    assert len(b"Cookie: " + jar.header()) < MAX_COOKIE_HEADER
    return jar


def added(answer: Answer) -> list[bytes]:
    """Return the lines that the gate added (the app sets none), found to be within the limits."""
    assert [line for line in answer.lines if not deletes(line)][1:] == []
    assert len(answer.lines) <= MAX_LINES
    assert sum(len(b"set-cookie: \r\n") + len(line) for line in answer.lines) <= MAX_BYTES
    return answer.lines


def answers_until_clear(client: Client, jar: Jar, size: int) -> int:
    """Return how many answers it takes until nothing is left that was refused."""
    for count in range(1, 1_000):
        answer = client.ask(f"/headers/{size}", cookies=[jar.header()])
        assert answer.status == 200
        jar.follow(added(answer))
        if jar.names() == {OWN}:
            return count
        assert any(map(deletes, answer.lines)), f"given up with {len(jar.cookies) - 1} left"
    raise AssertionError(f"{len(jar.cookies) - 1} are left")


OWN = b"__Host-gate"
STRAYS = [Place(b"stray_%03d" % number) for number in range(200)]
LONG = [Place(b"stray_" + b"%03d" % number * 30) for number in range(60)]
DOMAINS = (b"", b"www.app.shop.test", b"app.shop.test", b"shop.test")
DECLARED = [Place(b"known_%03d" % number, b"shop.test") for number in range(200)]
SCATTERED = [Place(b"stray_%03d" % number, DOMAINS[number % 4]) for number in range(20)]

# By the bytes of the app's own headers: the most answers that it may take until 200 are gone.
MOST = {0: 14, 1_000: 14, 2_000: 14, 3_000: 40}
FULL = 3_500  # so much that there is no room for deletions


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("size", MOST)
def test_200_refused_cookies_go_however_much_the_app_says(
    fronts: Fronts, scheme: str, size: int
) -> None:
    """No answer is lost, none has more than its share of deletions, and in the end all are gone."""
    jar = refusing(STRAYS)
    with fronts.client("plain", scheme) as client:
        assert client.ask(f"/headers/{size}", cookies=[jar.header()]).status == 200
    with fronts.client("gated", scheme) as client:
        assert answers_until_clear(client, jar, size) <= MOST[size]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_where_there_is_no_room_the_next_page_is_waited_for(fronts: Fronts, scheme: str) -> None:
    """An answer whose headers fill the buffer comes through as it is; what is left goes later."""
    jar = refusing(STRAYS)
    with fronts.client("plain", scheme) as plain, fronts.client("gated", scheme) as gated:
        assert plain.ask(f"/headers/{FULL}", cookies=[jar.header()]).status == 200
        full = gated.ask(f"/headers/{FULL}", cookies=[jar.header()])
        assert full.status == 200
        jar.follow(added(full))
        assert answers_until_clear(gated, jar, 0) <= MOST[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_long_names_take_fewer_lines(fronts: Fronts, scheme: str) -> None:
    """Where names are long, bytes are what limits an answer: 60 names take as many as need be."""
    with fronts.client("gated", scheme) as client:
        answer = client.ask("/headers/0", cookies=[refusing(LONG).header()])
        assert 10 < len(added(answer)) < MAX_LINES
        assert answers_until_clear(client, refusing(LONG), 0) <= 5


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookies_of_every_domain_go(fronts: Fronts, scheme: str) -> None:
    """Which domain a cookie has is not known: each that it may have is tried in turn."""
    with fronts.client("gated", scheme) as client:
        assert answers_until_clear(client, refusing(SCATTERED), 0) <= 8


def test_a_declared_domain_takes_one_line(fronts: Fronts) -> None:
    """Where a rule says the domain, 200 of a parent domain go as fast as 200 of the host's own."""
    with fronts.client("gated", "https") as client:
        assert answers_until_clear(client, refusing(DECLARED), 0) <= MOST[0]


def test_what_does_not_go_is_given_up(fronts: Fronts) -> None:
    """A cookie that no line removes, of another path say, is tried three times and then left."""
    jar = refusing([])
    counts = []
    with fronts.client("gated", "https") as client:
        for _ in range(8):
            answer = client.ask("/headers/0", cookies=[jar.header() + b"; stray_deep=1"])
            jar.follow(added(answer))
            counts.append(sum(map(deletes, answer.lines)))
    # For the host alone, for each of three domains, for a partition, and then for two paths too.
    assert counts == [5, 7, 7, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_answer_is_lost_that_was_not_lost_before(fronts: Fronts, scheme: str) -> None:
    """Byte by byte towards the full buffer, the gate never tips an answer over."""
    visitors = {"refusing": refusing(STRAYS), "undecided": refusing(STRAYS)}
    del visitors["undecided"].cookies[Place(OWN)]
    with fronts.client("plain", scheme) as plain, fronts.client("gated", scheme) as gated:
        whole = [size for size in SCAN if arrives(plain, size, b"")]
        assert whole == [size for size in SCAN if size <= max(whole)]
        assert 3_800 < max(whole) < max(SCAN)
        for jar in visitors.values():
            assert [size for size in SCAN if arrives(gated, size, jar.header())] == whole


SCAN = (*range(0, 3_000, 250), *range(3_000, 3_900, 20), *range(3_900, 3_940))


def arrives(client: Client, size: int, cookies: bytes) -> bool:
    """Say whether the whole answer comes through."""
    try:
        answer = client.ask(f"/headers/{size}", cookies=[cookies] if cookies else [])
    except (
        IncompleteRead
    ):  # where the headers fill the buffer to the last byte, nginx sends no body
        client.close()
        return False
    assert answer.status in (200, 502)
    added(answer)
    return answer.status == 200
