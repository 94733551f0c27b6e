"""The promises of the policy for browsers, for any sources, any visitor and any answer."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from consentgate.core.consent import Consent
from consentgate.core.csp import ENFORCED, REPORTED, Policies
from consentgate.core.gate import Finish, Gate
from consentgate.core.headers import SET_COOKIE, UNSAFE, is_unsafe, kind_of
from consentgate.core.http import Header
from consentgate.core.policy import Category, Csp, Flow
from core.samples import NOW, POLICY, ask, forward, make_gate
from property.strategies import TOKENS, cookie_headers, header_values, response_headers, subsets

HOSTS = [f"https://{name}.example" for name in "abcde"] + ["'self'", "*.a.example", "x:"]
sources = st.lists(st.sampled_from(HOSTS), max_size=4).map(tuple)
ids = st.sampled_from(["analytics", "marketing", "preferences"])
categories = st.builds(
    lambda always, optional: (
        Category(id="necessary", always=True, sources=always),
        *(Category(id=id, sources=named) for id, named in optional.items()),
    ),
    sources,
    st.dictionaries(ids, sources),
)
allowances = st.frozensets(ids).map(lambda some: some | {"necessary"})

ALWAYS, OPTIONAL = "https://cdn.example", ("https://stats.example", "https://ads.example")
GATE = make_gate(
    csp=Csp(mode="enforce"),
    categories=(
        replace(POLICY.categories[0], sources=(ALWAYS,)),
        *(
            replace(category, sources=(source,))
            for category, source in zip(POLICY.categories[1:], OPTIONAL, strict=True)
        ),
    ),
    flows=(Flow(paths=("/pay",), sources=("https://pay.example",)),),
)
REPORTING = make_gate(
    csp=Csp(mode="enforce"),
    categories=GATE.policy.categories,
    flows=GATE.policy.flows,
    mode="report",
)
documents: st.SearchStrategy[list[Header]] = st.tuples(
    response_headers,
    st.lists(
        st.tuples(
            st.sampled_from(
                [b"Content-Security-Policy", REPORTED, ENFORCED, b"content-type", b"Location"]
            ),
            header_values,
        ),
        max_size=3,
    ),
).map(lambda parts: [*parts[0], (b"content-type", b"text/html"), *parts[1]])


def named(header: Header) -> list[str]:
    """The sources in a policy, in their order; it has one directive."""
    directive, *found = header[1].decode().split(" ")
    assert directive == "default-src"
    return found


def ours(headers: list[Header]) -> list[bytes]:
    """The policies that are not the app's."""
    return [value for _, value in headers if value.startswith(b"default-src 'self' 'unsafe-")]


def finish(gate: Gate, cookie: bytes | None, headers: list[Header], path: str = "/") -> Finish:
    return forward(gate, ask(path=path, cookie=cookie)).finish(headers, NOW)


@given(categories, sources, allowances, allowances)
def test_granting_more_never_removes_a_source(
    those: tuple[Category, ...], here: tuple[str, ...], some: frozenset[str], more: frozenset[str]
) -> None:
    """Nor puts one twice."""
    policies = Policies(Csp(mode="enforce"), those, here)
    fewer, all_of_them = policies.header(some), policies.header(some | more)
    assert set(named(fewer)) <= set(named(all_of_them))
    assert len(set(named(all_of_them))) == len(named(all_of_them))


@given(categories, sources, allowances)
def test_a_source_is_there_if_and_only_if_something_allowed_names_it(
    those: tuple[Category, ...], here: tuple[str, ...], allowed: frozenset[str]
) -> None:
    """What is always on, the flow, or a category that is allowed; a refused one adds nothing."""
    header = Policies(Csp(mode="enforce"), those, here).header(allowed)
    expected = {one for each in those if each.id in allowed for one in each.sources} | {*here}
    assert {*named(header)} & {*HOSTS} == expected | {"'self'"}


@given(categories, sources, allowances, allowances)
def test_one_policy_for_all_is_the_one_that_each_would_get(
    those: tuple[Category, ...], here: tuple[str, ...], some: frozenset[str], others: frozenset[str]
) -> None:
    """An answer is left to shared caches only where it is the same for everybody."""
    policies = Policies(Csp(mode="enforce"), those, here)
    if policies.fixed is not None:
        assert policies.header(some) == policies.header(others) == policies.fixed


@given(cookie_headers, documents, st.sampled_from(["/", "/pay"]))
def test_the_apps_own_headers_stay_byte_for_byte(
    cookie: bytes, headers: list[Header], path: str
) -> None:
    """Every policy of the app's, in its order; ours is the only one that is added."""
    own = [
        header
        for header in headers
        if header[0].strip().lower() in (ENFORCED, REPORTED) and not is_unsafe(header[1])
    ]
    left = finish(GATE, cookie, list(headers), path).headers
    found = [header for header in left if header[0].strip().lower() in (ENFORCED, REPORTED)]
    assert found[: len(own)] == own
    assert all(here is there for here, there in zip(found, own, strict=False))
    assert [name for name, _ in found[len(own) :]] in ([ENFORCED], [])


@given(cookie_headers, documents)
def test_without_it_all_else_would_be_the_same(cookie: bytes, headers: list[Header]) -> None:
    """In a gate that only reports: the app's very headers, and one more."""
    left = finish(REPORTING, cookie, headers).headers
    assert all(here is there for here, there in zip(left, headers, strict=False))
    assert [name for name, _ in left[len(headers) :]] in ([REPORTED], [])


@given(cookie_headers, documents, st.sampled_from(["/", "/pay"]))
def test_no_browser_is_told_of_a_refused_third_party(
    cookie: bytes, headers: list[Header], path: str
) -> None:
    """Whatever else the answer holds, and whoever asks."""
    step = forward(GATE, ask(path=path, cookie=cookie))
    left = step.finish(headers, NOW).headers
    told = ours(left)
    refused = [
        source
        for category in GATE.policy.categories
        if category.id not in step.visit.peek()
        for source in category.sources
    ]
    assert not any(source.encode() in value for value in told for source in refused)


@given(subsets, documents)
def test_a_document_with_our_policy_is_its_visitors_own(
    granted: frozenset[str], headers: list[Header]
) -> None:
    """No shared cache may hand it to anybody else."""
    consent = Consent(granted=granted, id="00" * 10 if granted else None, decided_at=NOW)
    left = finish(GATE, b"__Host-gate=" + TOKENS.write(consent), headers).headers
    if ours(left):
        said = b",".join(value for name, value in left if name.strip().lower() == b"cache-control")
        assert b"private" in said or b"no-store" in said
        varies = b",".join(value for name, value in left if name.strip().lower() == b"vary")
        assert b"cookie" in varies.lower() or b"*" in varies


@given(cookie_headers, response_headers)
def test_the_short_way_agrees_with_the_long_one(cookie: bytes, headers: list[Header]) -> None:
    """`passes` still means: `finish` would change nothing and decide nothing."""
    types = (b"text/html", b"text/css", b"", b"*/*", b"text/xml", b"image/png, x")
    navigation = [(b"sec-fetch-dest", b"document")]
    for extra in ([], *([(b"content-type", value)] for value in types)):
        given = [*headers, *extra]
        for asked in ([], navigation):
            if forward(GATE, ask(cookie=cookie, headers=asked)).passes(given):
                step = forward(GATE, ask(cookie=cookie, headers=asked))
                assert step.finish(given, NOW) == (given, (), None)
                kinds = {kind_of(name) for name, _ in given}
                assert not kinds & {SET_COOKIE, UNSAFE}
