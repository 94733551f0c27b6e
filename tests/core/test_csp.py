"""A second Content-Security-Policy on documents. See also tests/browsers/test_csp.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consentgate.core.csp import CONDITIONS, Policies, is_document, wants_document
from consentgate.core.forward import Forward
from consentgate.core.gate import Gate
from consentgate.core.http import Header
from consentgate.core.policy import Category, Csp, Flow, Profile, Regions
from core.samples import NOW, POLICY, ask, cookie_of, forward, make_gate, reply

HTML: Header = (b"content-type", b"text/html; charset=utf-8")
VARY: Header = (b"vary", b"Accept-Encoding")
KEPT: Header = (b"cache-control", b"max-age=600")
NAVIGATION: Header = (b"sec-fetch-dest", b"document")
CDN, STATS, ADS, PAY = (f"https://{name}.example" for name in ("cdn", "stats", "ads", "pay"))
CATEGORIES = (
    replace(POLICY.categories[0], sources=(CDN,)),
    replace(POLICY.categories[1], sources=(STATS,)),
    replace(POLICY.categories[2], sources=(ADS, STATS)),
)
ANYWHERE = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
ENFORCED, REPORTED = b"content-security-policy", b"content-security-policy-report-only"


def made(how: str = "enforce", report_uri: str = "", **changes: Any) -> Gate:
    """A gate for categories with sources."""
    csp = Csp(mode=how, report_uri=report_uri)
    return make_gate(**{"categories": CATEGORIES, "csp": csp, **changes})


GATE = made()
VISITORS = [
    (None, [CDN]),
    (cookie_of(), [CDN]),
    (b"__Host-gate=forged", [CDN]),
    (cookie_of("analytics"), [CDN, STATS]),
    (cookie_of("marketing"), [CDN, ADS, STATS]),
    (cookie_of("analytics", "marketing"), [CDN, STATS, ADS]),
]


def finished(step: Forward, *headers: Header, status: int = 200) -> list[Header]:
    """What leaves, whether the gate was asked in one way or the other."""
    given = list(headers)
    finish = step.finish(given, NOW, status=status)
    assert not step.passes(given) or finish.headers is given
    return finish.headers


def policies(headers: list[Header]) -> list[tuple[bytes, str]]:
    """What of these headers is about it."""
    return [(name, value.decode()) for name, value in headers if b"security" in name.lower()]


@pytest.mark.parametrize(("cookie", "sources"), VISITORS)
def test_a_document_may_load_what_is_allowed(cookie: bytes | None, sources: list[str]) -> None:
    """The site itself, what is always on, and what the visitor allows; each once, in order."""
    headers = finished(forward(GATE, ask(cookie=cookie)), HTML)
    expected = " ".join([ANYWHERE, *sources]).encode()
    assert headers == [
        HTML,
        (ENFORCED, expected),
        (b"vary", b"Cookie"),
        (b"cache-control", b"private"),
    ]


@pytest.mark.parametrize(
    ("mode", "policy_mode", "expected"),
    [
        ("off", "enforce", []),
        ("off", "report", []),
        ("report", "enforce", [REPORTED, b"vary", b"cache-control"]),
        ("enforce", "enforce", [ENFORCED, b"vary", b"cache-control"]),
        ("report", "report", [REPORTED]),
        ("enforce", "report", [REPORTED]),
    ],
)
def test_a_gate_that_only_reports_never_enforces(
    mode: str, policy_mode: str, expected: list[bytes]
) -> None:
    """And leaves to caches what they may keep."""
    gate = made(mode, mode=policy_mode)
    headers = finished(forward(gate, ask()), HTML)
    assert [name for name, _ in headers[1:]] == expected


def test_reports_go_where_the_policy_says() -> None:
    """In either mode."""
    for mode, name in (("report", REPORTED), ("enforce", ENFORCED)):
        headers = finished(forward(made(mode, "/reports"), ask()), HTML)
        assert policies(headers) == [(name, f"{ANYWHERE} {CDN}; report-uri /reports")]


@pytest.mark.parametrize(
    ("path", "sources"),
    [
        ("/", [CDN]),
        ("/checkout", [CDN, PAY]),
        ("/checkout/help", [CDN, PAY, "https://chat.example"]),
        ("/checkout/../", [CDN]),
    ],
)
def test_the_sources_of_a_flow_count_on_its_paths(path: str, sources: list[str]) -> None:
    """Whatever the visitor said, and nowhere else."""
    gate = made(
        flows=(
            Flow(paths=("/checkout*",), sources=(PAY,)),
            Flow(paths=("/checkout/help",), sources=("https://chat.example",)),
        )
    )
    for cookie in (None, cookie_of()):
        headers = finished(forward(gate, ask(path=path, cookie=cookie)), HTML)
        assert policies(headers) == [(ENFORCED, " ".join([ANYWHERE, *sources]))]


@pytest.mark.parametrize(
    ("types", "shown"),
    [
        ([b"text/html"], True),
        ([b"TEXT/HTML;charset=utf-8"], True),
        ([b" text/html ; charset=x"], True),
        ([b"application/xhtml+xml"], True),
        ([b"application/json, text/html"], True),
        ([b"application/json", b"text/html"], True),
        ([b"application/json"], False),
        ([b"text/plain"], False),
        ([b"text/javascript; charset=utf-8"], False),
        ([b"application/vnd.api+json"], False),
    ],
)
def test_only_documents_are_told(types: list[bytes], shown: bool) -> None:
    """By any of the types, in any spelling, and whoever asks: what is stored is shown later."""
    for name in (b"content-type", b"Content-Type", b" CONTENT-TYPE"):
        headers = [(name, value) for value in types]
        for asked in ([], [NAVIGATION], [(b"sec-fetch-dest", b"empty")]):
            left = finished(forward(GATE, ask(headers=asked)), *headers)
            assert bool(policies(left)) is shown
            assert shown or left == headers


# Browsers look what it is, or may find HTML in it.
GUESSED: list[list[Header]] = [
    [(b"etag", b'"x"')],
    *[
        [(b"content-type", value)]
        for value in (
            b"",
            b" ",
            b"html",
            b"*/*",
            b"unknown/unknown; charset=utf-8",
            b"Application/Unknown",
            b"image/png, */*",
            b"text html/x",
            b"image/svg+xml",
            b"text/xml",
            b"application/XML; charset=utf-8",
            b"text/xsl",
            b"application/x-unknown-content-type",
            b"multipart/x-mixed-replace; boundary=x",
        )
    ],
]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ([NAVIGATION], True),
        ([(b"sec-fetch-dest", b"iframe")], True),
        ([(b"sec-fetch-dest", b"object")], True),
        ([(b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8")], True),
        ([(b"sec-fetch-dest", b"empty"), (b"sec-purpose", b"prefetch;prerender")], True),
        ([(b"sec-fetch-dest", b"empty"), (b"accept", b"text/html")], False),
        ([(b"sec-fetch-dest", b"script")], False),
        ([(b"accept", b"*/*")], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("headers", GUESSED, ids=str)
def test_an_answer_that_does_not_say_what_it_is_is_what_was_asked_for(
    headers: list[Header], asked: list[Header], shown: bool
) -> None:
    """Also where the browser has it already: then the app does not know, and sends it again."""
    for more in ([], *([(condition, b"x")] for condition in CONDITIONS)):
        request = ask(headers=[*asked, *more])
        assert (wants_document(request), is_document(request, headers)) == (shown, shown)
        assert bool(policies(finished(forward(GATE, request), *headers))) is shown


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@pytest.mark.parametrize("status", [200, 201, 202, 300, 301, 302, 303, 304, 305, 307, 308, 404])
def test_a_redirect_is_no_document(status: int, method: str) -> None:
    """And may be kept by shared caches; what only names a place, and is shown, is a document."""
    headers = [HTML, (b"Location", b"/there")]
    left = finished(forward(GATE, ask(method)), *headers, status=status)
    moved = status in (301, 302, 303, 304, 307, 308)
    assert (bool(policies(left)), left == headers) == (not moved, moved)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_nowhere_is_shown(status: int) -> None:
    """Browsers show what it says."""
    for headers in ([HTML], [HTML, (b"location", b" ")]):
        assert policies(finished(forward(GATE, ask()), *headers, status=status))


def test_what_is_not_modified_is_given_nothing() -> None:
    """Ours alone would take the place of the stored ones, the app's own policy among them."""
    own: Header = (ENFORCED, b"script-src 'none'")
    for headers in ([HTML], [HTML, own], [(b"etag", b"x")], []):
        request = ask(headers=[(b"sec-fetch-dest", b"empty"), (b"if-none-match", b"x")])
        for asked in (request, ask(headers=[NAVIGATION])):
            assert finished(forward(GATE, asked), *headers, status=304) == headers


def test_websockets_are_not_told() -> None:
    """Whatever type the answer to a handshake has."""
    for scheme in ("ws", "wss"):
        request = ask(scheme=scheme, headers=[NAVIGATION])
        for headers in ([HTML], []):
            step = forward(GATE, request)
            assert step.finish(headers, NOW).headers is headers


def test_an_excluded_path_is_not_told() -> None:
    """There the gate does nothing of its own accord, and the app answers as it likes."""
    gate = made(exclude=("/hooks/*",))
    conditions = [(one, b"x") for one in CONDITIONS]
    step = forward(gate, ask(path="/hooks/page", headers=[NAVIGATION, *conditions]))
    headers = [HTML]
    assert (step.finish(headers, NOW).headers is headers, step.cookie, step.dropped) == (
        True,
        None,
        (),
    )


def test_trailers_are_as_they_were() -> None:
    """They come too late for a policy."""
    step = forward(GATE, ask())
    trailers = [HTML, (b"x-checksum", b"1")]
    assert step.trailers(trailers) == trailers


def test_the_apps_own_policies_stay_byte_for_byte() -> None:
    """Whatever they are called; ours comes after them, as a second one."""
    own = [
        (b"Content-Security-Policy", b"script-src 'nonce-x' 'strict-dynamic';"),
        (b"content-security-policy", b"  "),
        (b"Content-Security-Policy-Report-Only", b"default-src 'none', *"),
    ]
    headers = finished(forward(GATE, ask()), *own, HTML)
    assert headers[:5] == [*own, HTML, (ENFORCED, f"{ANYWHERE} {CDN}".encode())]
    assert all(here is there for here, there in zip(headers, own, strict=False))


def test_a_public_document_becomes_private() -> None:
    """Else a cache would hand out one visitor's policy to all others."""
    public = (b"cache-control", b"public, max-age=60")
    headers = finished(forward(GATE, ask(cookie=cookie_of("analytics"))), HTML, public)
    assert headers[1] == (b"cache-control", b"max-age=60, private")
    assert headers[3:] == [(b"vary", b"Cookie")]


def test_where_the_place_matters_it_says_so() -> None:
    """The policy follows from what is allowed there without asking."""
    california = Regions(
        country="X-Country", profiles=(Profile(places=("US-CA",), regime="opt-out"),)
    )
    gate = made(regions=california)
    at_home = finished(forward(gate, ask(headers=[(b"x-country", b"US-CA")])), HTML)
    assert policies(at_home) == [(ENFORCED, f"{ANYWHERE} {CDN} {STATS} {ADS}")]
    assert dict(at_home)[b"vary"] == (
        b"Cookie, Sec-GPC, X-Country, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest"
    )


def test_what_the_app_restricts_or_changes_counts() -> None:
    """The policy is that of the moment in which the answer starts."""
    step = forward(GATE, ask(cookie=cookie_of("analytics")))
    step.visit.restrict("analytics")
    assert policies(finished(step, HTML)) == [(ENFORCED, f"{ANYWHERE} {CDN}")]
    step = forward(GATE, ask(cookie=cookie_of("analytics")))
    step.visit.reject_all()
    assert policies(step.finish([HTML], NOW).headers) == [(ENFORCED, f"{ANYWHERE} {CDN}")]


def test_one_policy_for_everybody_leaves_documents_to_caches() -> None:
    """Where nothing optional has sources of its own, nothing depends on the visitor."""
    same = (CATEGORIES[0], replace(POLICY.categories[1], sources=(CDN, "'self'")))
    gate = made(categories=same)
    headers = finished(forward(gate, ask(cookie=cookie_of("analytics", gate=gate))), HTML)
    assert headers == [HTML, (ENFORCED, f"{ANYWHERE} {CDN}".encode())]


def test_a_cookie_that_is_refused_is_refused_all_the_same() -> None:
    """The policy comes on top of what any filter decides."""
    headers = finished(forward(GATE, ask()), HTML, (b"set-cookie", b"_ga=1"), (b"etag", b"x"))
    assert [name for name, _ in headers] == [
        b"content-type",
        b"etag",
        ENFORCED,
        b"vary",
        b"cache-control",
    ]


def test_the_gates_own_pages_keep_their_own_policy() -> None:
    """One, and it is not this one."""
    (own,) = policies(reply(GATE, ask(path="/_gate/")).response.headers)
    assert own == policies(reply(make_gate(), ask(path="/_gate/")).response.headers)[0]


@pytest.mark.parametrize(
    ("asked", "told", "personal"),
    [
        ([], [VARY], True),
        ([(b"sec-fetch-dest", b"empty")], [VARY], True),
        ([(b"sec-fetch-dest", b"empty"), (b"accept", b"*/*")], [HTML, KEPT], True),
        ([(b"accept", b"text/html, x/y")], [KEPT], True),
        ([NAVIGATION], [VARY, KEPT], True),
        ([], [(b"etag", b"x")], False),
        ([(b"accept", b"application/json")], [VARY], False),
        ([(b"sec-fetch-dest", b"image")], [VARY, KEPT], False),
        ([(b"sec-fetch-dest", b"script"), (b"accept", b"*/*")], [VARY], False),
    ],
)
def test_a_304_takes_nothing_off_a_stored_document(
    asked: list[Header], told: list[Header], personal: bool
) -> None:
    """Fields of the app's replace the stored ones, and what the gate had written there."""
    request = ask(headers=[*asked, (b"if-none-match", b"x")])
    headers = finished(forward(GATE, request), *told, status=304)
    assert policies(headers) == []
    if not personal:
        assert headers == told
        return
    fields = {name.lower(): value for name, value in headers}
    assert fields[b"vary"].endswith(b"Cookie")
    assert fields[b"cache-control"].endswith(b"private")
    one_for_all = made(categories=(CATEGORIES[0], *POLICY.categories[1:]))
    for gate in (one_for_all, made("off"), made(mode="report")):
        left = finished(forward(gate, request), *told, status=304)
        assert left == told


# --- documents are answered in full ---------------------------------------------------------------


@pytest.mark.parametrize("condition", [b"if-none-match", b"If-Modified-Since"])
def test_the_app_does_not_see_that_a_document_is_stored(condition: bytes) -> None:
    """A 304 would keep the policy of an earlier choice, or take the app's own away."""
    given = (condition, b"x")
    for cookie, seen in ((None, b""), (b"sid=1", b"sid=1"), (b"sid=1; _ga=2", b"sid=1")):
        step = forward(GATE, ask(cookie=cookie, headers=[NAVIGATION, given]))
        assert (step.cookie, step.dropped) == (seen, CONDITIONS)


def test_several_cookie_fields_are_seen_as_one() -> None:
    """As RFC 9113 8.2.3 joins them."""
    more = (b"cookie", b"lang=en")
    step = forward(GATE, ask(cookie=b"sid=1", headers=[more, NAVIGATION, (b"if-none-match", b"x")]))
    assert step.cookie == b"sid=1; lang=en"


@pytest.mark.parametrize(
    ("gate", "asked"),
    [
        (GATE, [NAVIGATION]),
        (GATE, [(b"sec-fetch-dest", b"image"), (b"if-none-match", b"x")]),
        (GATE, [(b"accept", b"*/*"), (b"if-none-match", b"x")]),
        (made("report"), [NAVIGATION, (b"if-none-match", b"x")]),
        (made("off"), [NAVIGATION, (b"if-none-match", b"x")]),
        (made(mode="report"), [NAVIGATION, (b"if-none-match", b"x")]),
    ],
)
def test_all_else_may_be_spared(gate: Gate, asked: list[Header]) -> None:
    """What is no document, and where nothing is enforced."""
    step = forward(gate, ask(cookie=b"sid=1", headers=asked))
    assert (step.cookie, step.dropped) == (None, ())


def test_the_same_policy_is_made_once() -> None:
    """For each set of categories that may be allowed."""
    made_for = Policies(Csp(mode="enforce"), CATEGORIES)
    allowed = frozenset({"necessary", "analytics"})
    assert made_for.header(allowed) is made_for.header(frozenset(allowed))
    assert made_for.fixed is None
    one = Policies(Csp(mode="enforce"), (Category(id="necessary", always=True),))
    assert one.header(allowed) is one.fixed == (ENFORCED, ANYWHERE.encode())
