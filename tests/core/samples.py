"""One small policy, its gate, and short ways to ask it something: shared by the tests of the core.

Everything here is fixed: the clock stands at NOW, the key is KEY, and every id is fresh_id().
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from consentgate.core.consent import Consent
from consentgate.core.gate import Finish, Forward, Gate, NeedBody, Reply
from consentgate.core.http import Header, Request, Response
from consentgate.core.policy import Category, Policy, Rule
from consentgate.core.record import own_lines
from consentgate.core.revision import revision_of
from consentgate.core.views import Around, Page, View
from consentgate.core.visit import Visit

KEY = b"a-signing-key-of-the-tests-0123456789-ABCDEF"
OLD_KEY = b"the-key-before-that-one-9876543210-abcdefghi"
DAY = 86_400
TODAY = timegm((2026, 11, 2, 0, 0, 0))
NOW = TODAY + 12 * 3600
HOST = b"shop.example"
ID = "30313233343536373839"

POLICY = Policy(
    version="2026-11",
    categories=(
        Category(
            id="necessary",
            title="Strictly necessary",
            always=True,
            rules=(
                Rule(name="sid", category="necessary"),
                Rule(name="lang*", category="necessary"),
            ),
        ),
        Category(
            id="analytics",
            title="Analytics",
            description="Shows which pages are used.",
            rules=(
                Rule(
                    name="_ga*",
                    category="analytics",
                    provider="Google",
                    purpose="Tells visitors apart",
                    duration="13 months",
                    seconds=34_164_000,
                ),
                Rule(name="_gid", category="analytics"),
            ),
            local_storage=("ajs_*",),
            session_storage=("draft",),
        ),
        Category(
            id="marketing",
            rules=(
                Rule(name="_fbp", category="marketing"),
                Rule(name="*_retarget", category="marketing"),
            ),
        ),
    ),
)
OPTIONAL = frozenset({"analytics", "marketing"})
# What a receipt says of a yes to both.
REVISIONS = tuple((one.id, revision_of(one)) for one in POLICY.categories[1:])


def fresh_id() -> bytes:
    return b"0123456789"


class Plain:
    """A renderer that shows what it was given: the view, for whom it is, and where."""

    script = "start(GATE_POLICY);"
    style = ".gate{}"
    first = "guard(GATE_POLICY);"
    tags = "start();"

    def render(self, view: View, around: Around) -> Page:
        return Page(f"<!-- {view} at {around.base} -->", around.asked or around.accepts or "en")


def make_gate(keys: Iterable[bytes] = (KEY,), **changes: Any) -> Gate:
    """A gate for POLICY with these fields changed."""
    return Gate(replace(POLICY, **changes), list(keys), renderer=Plain())


def ask(
    method: str = "GET",
    path: str = "/",
    *,
    cookie: bytes | None = None,
    headers: Iterable[Header] = (),
    host: bytes | None = HOST,
    scheme: str = "https",
    root: str = "",
    query: bytes = b"",
) -> Request:
    """A request to the shop, over https unless said otherwise."""
    sent = [] if host is None else [(b"host", host)]
    if cookie is not None:
        sent.append((b"cookie", cookie))
    return Request(method, path, root, scheme, [*sent, *headers], query)


SAME_ORIGIN: Header = (b"sec-fetch-site", b"same-origin")
FORM: Header = (b"content-type", b"application/x-www-form-urlencoded")
JSON: Header = (b"content-type", b"application/json")


def consent_of(*granted: str, denied: Iterable[str] | None = None, at: int = NOW) -> Consent:
    """The consent of a visitor who granted these and, unless said otherwise, refused the rest."""
    return Consent(
        granted=frozenset(granted),
        denied=OPTIONAL - set(granted) if denied is None else frozenset(denied),
        id=ID if granted else None,
        decided_at=at,
    )


def token_of(*granted: str, gate: Gate | None = None, **how: Any) -> bytes:
    """A signed consent cookie's value."""
    return (gate or make_gate()).site.tokens.write(consent_of(*granted, **how))


def cookie_of(*granted: str, name: bytes = b"__Host-gate", **how: Any) -> bytes:
    """A Cookie header with a signed consent cookie."""
    return name + b"=" + token_of(*granted, **how)


def visit_of(gate: Gate, request: Request, now: float = NOW) -> Visit:
    """What a handler would be given for this request."""
    return gate.admit(request, now, fresh_id).visit


def forward(gate: Gate, request: Request, now: float = NOW) -> Forward:
    """Let a request through that is meant for the app."""
    step = gate.begin(request, now, fresh_id)
    assert isinstance(step, Forward)
    return step


def reply(gate: Gate, request: Request, body: bytes = b"", now: float = NOW) -> Reply:
    """The gate's own answer, its body fed to it where it needs one."""
    step = gate.begin(request, now, fresh_id)
    if isinstance(step, NeedBody):
        step = step.feed(body)
    assert isinstance(step, Reply)
    return step


def lines_of(finish: Finish | Response) -> list[bytes]:
    """Every Set-Cookie value among the headers, but for what scripts are told of the choice."""
    return [line for line in all_lines(finish) if b"gate-choice=" not in line]


def choice_lines(visit: Visit) -> list[bytes]:
    """The Set-Cookie values by which the choice is recorded, but for what scripts are told."""
    return [line for line in own_lines(visit) if b"gate-choice=" not in line]


def told_of(finish: Finish | Response) -> list[bytes]:
    """The Set-Cookie values that tell scripts of the choice."""
    return [line for line in all_lines(finish) if b"gate-choice=" in line]


def all_lines(finish: Finish | Response) -> list[bytes]:
    return [value for name, value in finish.headers if name.lower() == b"set-cookie"]


def sent(gate: Gate, *lines: bytes, cookie: bytes | None = None) -> list[bytes]:
    """Which of these Set-Cookie lines leave, and how, for a visitor with this Cookie header."""
    headers = [(b"set-cookie", line) for line in lines]
    return lines_of(forward(gate, ask(cookie=cookie)).finish(headers, NOW))


def names_sent(header: bytes) -> set[bytes]:
    """The names in a Cookie header that a browser sent; b"" for a nameless cookie."""
    cookies = visit_of(make_gate(), ask(cookie=header)).cookies
    return set(cookies.names()) if cookies is not None and header else set()


def header(response: Response, name: bytes) -> bytes | None:
    """The one value of a header of an answer, or None."""
    found = [value for key, value in response.headers if key == name]
    assert len(found) < 2
    return found[0] if found else None
