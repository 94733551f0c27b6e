"""The gate's own addresses: what is asked of them, and what they answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consentgate.core.gate import Gate, NeedBody
from consentgate.core.http import Header, Request, Response
from core.samples import (
    FORM,
    ID,
    JSON,
    KEY,
    NOW,
    POLICY,
    SAME_ORIGIN,
    TODAY,
    ask,
    consent_of,
    cookie_of,
    fresh_id,
    header,
    lines_of,
    make_gate,
    reply,
    token_of,
)

GATE = make_gate()
CORS = make_gate(origins=("https://app.example",))
YES = cookie_of("analytics", "marketing")
GONE = (
    b"__Host-gate=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; "
    b"SameSite=Lax"
)
PLAIN = b"text/plain; charset=utf-8"


def get(path: str, cookie: bytes | None = None, **how: Any) -> Response:
    return reply(GATE, ask(path="/_gate" + path, cookie=cookie, **how)).response


def posted(
    kind: Header | None = FORM, *headers: Header, cookie: bytes | None = None, **how: Any
) -> Request:
    sent = [SAME_ORIGIN, *([kind] if kind else []), *headers]
    return ask("POST", "/_gate/choice", cookie=cookie, headers=sent, **how)


def choose(body: bytes, request: Request | None = None, gate: Any = GATE) -> Response:
    return reply(gate, request or posted(), body).response


def state_of(response: Response) -> dict[str, Any]:
    found = json.loads(response.body)
    assert isinstance(found, dict)
    return found


def stored(response: Response) -> Any:
    """What the consent cookie that this answer sets would say."""
    (line,) = lines_of(response)
    return GATE.site.tokens.read(line.partition(b"=")[2].partition(b";")[0])


def refused(response: Response, status: int, sentence: str) -> bool:
    """Whether this is an error of one plain sentence that changed nothing."""
    assert (response.status, response.body) == (status, sentence.encode() + b"\n")
    assert header(response, b"content-type") == PLAIN
    assert lines_of(response) == []
    return True


# --- state --------------------------------------------------------------------------------------

BARE = {"provider": "", "purpose": "", "duration": "", "recipients": [], "storage": "cookie"}
DETAILS = [
    {
        "id": "necessary",
        "title": "Strictly necessary",
        "description": "",
        "always": True,
        "sale_or_sharing": False,
        "items": [BARE | {"name": name} for name in ("sid", "lang*")],
    },
    {
        "id": "analytics",
        "title": "Analytics",
        "description": "Shows which pages are used.",
        "always": False,
        "sale_or_sharing": False,
        "items": [
            {
                "name": "_ga*",
                "provider": "Google",
                "purpose": "Tells visitors apart",
                "duration": "13 months",
                "recipients": [],
                "storage": "cookie",
            },
            BARE | {"name": "_gid"},
            BARE | {"name": "ajs_*", "storage": "local_storage"},
            BARE | {"name": "draft", "storage": "session_storage"},
        ],
    },
    {
        "id": "marketing",
        "title": "Marketing",
        "description": "",
        "always": False,
        "sale_or_sharing": False,
        "items": [BARE | {"name": name} for name in ("_fbp", "*_retarget")],
    },
]


@pytest.mark.parametrize(
    ("cookie", "decided", "needs_choice", "allowed", "analytics", "marketing"),
    [
        (None, False, True, [], "unset", "unset"),
        (b"__Host-gate=x", False, True, [], "unset", "unset"),
        (cookie_of(at=TODAY), True, False, [], "denied", "denied"),
        (cookie_of("analytics"), True, False, ["analytics"], "granted", "denied"),
        (
            cookie_of("analytics", denied=()),
            True,
            True,
            ["analytics"],
            "granted",
            "unset",
        ),
        (YES, True, False, ["analytics", "marketing"], "granted", "granted"),
    ],
)
def test_the_state_is_told_whole(
    cookie: bytes | None,
    decided: bool,
    needs_choice: bool,
    allowed: list[str],
    analytics: str,
    marketing: str,
) -> None:
    """All of the JSON, for visitors of every kind; it changes nothing and is never stored."""
    response = get("/state", cookie)
    assert state_of(response) == {
        "version": "2026-11",
        "decided": decided,
        "needs_choice": needs_choice,
        "gpc": False,
        "signal": "absent",
        "notice": "",
        "region": None,
        "allowed": sorted([*allowed, "necessary"]),
        "basis": {**dict.fromkeys(allowed, "consent"), "necessary": "strictly necessary"},
        "categories": {"necessary": "granted", "analytics": analytics, "marketing": marketing},
        "details": DETAILS,
    }
    assert response.status == 200
    assert response.headers == [
        (b"cache-control", b"no-store"),
        (b"content-security-policy", header(response, b"content-security-policy")),
        (b"x-frame-options", b"DENY"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(response.body)).encode()),
    ]


# --- choosing -----------------------------------------------------------------------------------

SAVED = b"action=save&grant=analytics"


@pytest.mark.parametrize(
    ("form", "data", "consent"),
    [
        (b"action=accept", {"action": "accept"}, consent_of("analytics", "marketing")),
        (b"action=reject", {"action": "reject"}, consent_of(at=TODAY)),
        (SAVED, {"action": "save", "grant": ["analytics"]}, consent_of("analytics")),
        (
            b"action=save&grant=analytics&grant=marketing&grant=necessary",
            {"action": "save", "grant": ["analytics", "marketing", "necessary"]},
            consent_of("analytics", "marketing"),
        ),
        (b"action=save", {"action": "save"}, consent_of(at=TODAY)),
        (b"action=save", {"action": "save", "grant": []}, consent_of(at=TODAY)),
    ],
)
def test_a_choice_is_made_by_form_or_by_json(
    form: bytes, data: dict[str, object], consent: object
) -> None:
    """A form is sent on with 303; JSON gets the new state; both set the same cookie."""
    by_form = choose(form + b"&next=/cart")
    assert (by_form.status, header(by_form, b"location"), by_form.body) == (303, b"/cart", b"")
    assert stored(by_form) == consent
    by_json = choose(json.dumps(data).encode(), posted(JSON))
    assert (by_json.status, header(by_json, b"location")) == (200, None)
    assert stored(by_json) == consent
    assert lines_of(by_json) == lines_of(by_form)
    cookie = lines_of(by_json)[0].partition(b";")[0]
    assert state_of(by_json) == state_of(get("/state", cookie))


def test_withdrawing_removes_the_cookie_and_asks_again() -> None:
    """The way back to a newcomer."""
    response = choose(b'{"action":"withdraw"}', posted(JSON, cookie=YES))
    assert lines_of(response) == [GONE]
    assert state_of(response) == state_of(get("/state"))


def test_a_choice_replaces_duplicates_too() -> None:
    """Planted twins go with the first choice."""
    response = choose(b"action=reject", posted(cookie=YES + b"; " + cookie_of("marketing")))
    expired, written = lines_of(response)
    assert expired.endswith(b"Partitioned")
    assert written.startswith(b"__Host-gate=" + token_of(at=TODAY))


def test_an_id_is_kept_while_something_is_granted() -> None:
    """Changing one's mind is the same visitor; refusing everything is nobody."""
    response = choose(SAVED, posted(cookie=YES))
    assert stored(response).id == ID
    assert stored(choose(b"action=reject", posted(cookie=YES))).id is None


def test_accepting_without_proof_is_refused() -> None:
    """403, nothing changed; a full refusal in the same words is done."""
    bare = ask("POST", "/_gate/choice", headers=[FORM])
    for body in (b"action=accept", SAVED):
        assert refused(choose(body, bare), 403, "Only a page of this site can accept for you.")
    for body in (b"action=reject", b"action=withdraw", b"action=save"):
        assert choose(body, bare).status == 303


@pytest.mark.parametrize(
    ("next", "referer", "root", "location"),
    [
        (b"/cart%3Fa%3D1", None, "", b"/cart?a=1"),
        (b"/cart", b"https://shop.example/other", "", b"/cart"),
        (b"", b"https://shop.example/other?x=1", "", b"/other?x=1"),
        (b"", b"https://evil.example/other", "", b"/"),
        (b"", None, "", b"/"),
        (b"", None, "/shop", b"/shop/"),
        (b"", None, "/caf\xe9/", b"/caf%C3%A9/"),
        (b"", None, "//evil.example", b"/"),
    ],
)
def test_after_a_choice_one_is_where_one_was(
    next: bytes, referer: bytes | None, root: str, location: bytes
) -> None:
    """`next`, else the page one came from, else the site's start: always a path of this site."""
    headers = [] if referer is None else [(b"referer", referer)]
    for action in (b"accept", b"reject", b"withdraw"):
        response = choose(b"action=" + action + b"&next=" + next, posted(FORM, *headers, root=root))
        assert (response.status, header(response, b"location")) == (303, location)


@pytest.mark.parametrize(
    "next",
    [
        b"https%3A%2F%2Fevil.example%2F",
        b"%2F%2Fevil.example",
        b"%2F%5Cevil.example",
        b"%0d%0aSet-Cookie:x",
        b"%2Fa%0d%0aSet-Cookie:x",
        b"javascript:alert(1)",
        b"cart",
    ],
)
def test_an_unsafe_next_is_bad_input(next: bytes) -> None:
    """400, nothing changed, in a form and in JSON alike, whatever the action."""
    sentence = "The field next must be a path of this site."
    for action in (b"accept", b"reject", b"withdraw"):
        assert refused(choose(b"action=" + action + b"&next=" + next), 400, sentence)
    body = json.dumps({"action": "reject", "next": "//evil.example"}).encode()
    assert refused(choose(body, posted(JSON)), 400, sentence)


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "sentence"),
    [
        (FORM, b"", "The action must be one of: accept, reject, save, withdraw."),
        (FORM, b"action=\xff", "The body is not UTF-8."),
        (FORM, b"action=accept&action=reject", "The field action was sent more than once."),
        (JSON, b"{", "The body is not JSON."),
        (JSON, b"[]", "The body must be a JSON object."),
        (
            FORM,
            b"action=save&grant=tracking",
            "There is no such category; known: necessary, analytics, marketing.",
        ),
        (
            JSON,
            b'{"action":"save","grant":["\\ud800<script>"]}',
            "There is no such category; known: necessary, analytics, marketing.",
        ),
    ],
)
def test_a_body_that_cannot_be_read_is_bad_input(kind: Header, body: bytes, sentence: str) -> None:
    """400 with one sentence that echoes nothing of the body; nothing changed."""
    assert refused(choose(body, posted(kind, cookie=YES)), 400, sentence)


@pytest.mark.parametrize(
    "kind",
    [
        [],
        [(b"content-type", b"")],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"multipart/form-data; boundary=x")],
        [(b"content-type", b"application/json5")],
        [FORM, JSON],
        [FORM, FORM],
    ],
)
def test_a_body_of_another_type_is_not_read(kind: list[Header]) -> None:
    """415, before a byte of it is asked for."""
    step = GATE.begin(ask("POST", "/_gate/choice", headers=[SAME_ORIGIN, *kind]), NOW, fresh_id)
    assert not isinstance(step, NeedBody)
    assert refused(
        reply(GATE, posted(None, *kind)).response, 415, "Send a form (urlencoded) or JSON."
    )


@pytest.mark.parametrize(
    ("length", "early"),
    [
        (b"4096", False),
        (b"4097", True),
        (b"99999999999999999999", True),
        (b"0000000000000000000000001", True),
        (b"-1", False),
        (b"x", False),
        (b"", False),
    ],
)
def test_a_body_that_says_it_is_too_large_is_not_read(length: bytes, early: bool) -> None:
    """413 at once; a length that lies or says nothing is found out while reading."""
    request = posted(FORM, (b"content-length", length))
    step = GATE.begin(request, NOW, fresh_id)
    assert isinstance(step, NeedBody) is not early
    if early:
        assert refused(reply(GATE, request).response, 413, "The body may have 4096 bytes.")


def test_a_body_may_have_4096_bytes() -> None:
    """The cap itself is within, one more is not, whatever Content-Length said."""
    body = b"action=accept&x="
    assert choose(body + b"x" * (4096 - len(body))).status == 303
    too_much = choose(body + b"x" * (4097 - len(body)))
    assert refused(too_much, 413, "The body may have 4096 bytes.")


@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("PUT", "/state", "GET, HEAD, OPTIONS"),
        ("DELETE", "/state", "GET, HEAD, OPTIONS"),
        ("GET", "/choice", "POST, OPTIONS"),
        ("HEAD", "/choice", "POST, OPTIONS"),
        ("PATCH", "/choice", "POST, OPTIONS"),
        ("TRACE", "/choice", "POST, OPTIONS"),
        ("get", "/state", "GET, HEAD, OPTIONS"),
        ("", "/state", "GET, HEAD, OPTIONS"),
        ("GET, HEAD", "/state", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, methods: str) -> None:
    """405 with Allow; in particular no GET ever makes a choice."""
    request = ask(method, "/_gate" + path, cookie=YES, headers=[SAME_ORIGIN, FORM])
    response = reply(GATE, request).response
    assert response.status == 405
    assert header(response, b"allow") == methods.encode()
    assert lines_of(response) == []
    assert response.body == (
        b"" if method == "HEAD" else f"This address takes {methods}.\n".encode()
    )


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/state/", "/choice/", "//", "/State", "/state.json", "/../", "/%00", "/\0"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_path_under_the_prefix_is_not_there(method: str, path: str) -> None:
    """404, and never the app's business."""
    response = reply(GATE, ask(method, "/_gate" + path)).response
    assert refused(response, 404, "There is no such page here.")


# --- the page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["", "/shop"])
@pytest.mark.parametrize("repeated", [True, False])
def test_the_prefix_itself_leads_to_the_page(root: str, repeated: bool) -> None:
    """A relative redirect, right wherever the app is mounted."""
    path = (root if repeated else "") + "/_gate"
    response = reply(GATE, ask(path=path, root=root)).response
    assert (response.status, header(response, b"location")) == (308, b"_gate/")


@pytest.mark.parametrize(
    ("query", "location"),
    [
        (b"next=/cart", b"_gate/?next=/cart"),
        (b"next=/a%0d%0ab", b"_gate/?next=/a%0d%0ab"),
        (b"a\r\nset-cookie: x", b"_gate/"),
        ("é".encode(), b"_gate/"),
    ],
)
def test_the_way_to_the_page_keeps_a_query_that_is_fit_to_be_sent(
    query: bytes, location: bytes
) -> None:
    """Where to go afterwards is not lost with the missing slash; odd bytes are."""
    response = reply(GATE, ask(path="/_gate", query=query)).response
    assert header(response, b"location") == location


@pytest.mark.parametrize(
    ("path", "view"), [("/", "ChoicesView("), ("/declaration", "Decl"), ("/opt-out", "OptOut")]
)
def test_a_page_is_in_the_language_that_its_address_or_else_the_browser_asks_for(
    path: str, view: str
) -> None:
    """The visitor's own words go to the renderer, which knows the languages."""
    accepts: Header = (b"accept-language", b"pt-BR,pt;q=0.9")
    response = get(path, headers=[accepts])
    assert response.body.startswith(b"<!-- " + view.encode())
    assert header(response, b"content-language") == b"pt-BR,pt;q=0.9"
    response = get(path, headers=[accepts], query=b"lang=de")
    assert header(response, b"content-language") == b"de"


def test_without_a_renderer_there_are_no_pages_but_choices_all_the_same() -> None:
    """A gate made by hand answers what needs no words."""
    gate = Gate(POLICY, [KEY])
    for path in ("/", "/banner", "/declaration", "/opt-out", "/g.js", "/g.css"):
        response = reply(gate, ask(path="/_gate" + path)).response
        assert (path, response.status) == (path, 404)
    assert reply(gate, ask(path="/_gate/state")).response.status == 200
    assert choose(b"action=reject", gate=gate).status == 303


def test_the_preferences_page_is_html_that_nobody_stores_or_frames() -> None:
    """200 for anybody, with every header that keeps it to itself."""
    response = get("/", YES)
    assert response.status == 200
    assert header(response, b"content-type") == b"text/html; charset=utf-8"
    assert header(response, b"cache-control") == b"no-store"
    assert header(response, b"x-frame-options") == b"DENY"
    assert b"frame-ancestors 'none'" in (header(response, b"content-security-policy") or b"")
    assert header(response, b"content-language") == b"en"
    assert response.body.startswith(b"<!-- ChoicesView(standing='decided'")
    assert lines_of(response) == []


@pytest.mark.parametrize(
    ("query", "back"),
    [
        (b"next=/cart", b"/cart"),
        (b"next=%2Fcart%3Fa%3D1", b"/cart?a=1"),
        (b"next=//evil.example", b"/"),
        (b"next=https://evil.example", b"/"),
        (b"next=javascript:alert(1)", b"/"),
        (b'next=/"><script>', b"/%22%3E%3Cscript%3E"),
        (b"next=/a&next=/b", b"/a"),
        (b"next=", b"/"),
        (b"\xff\xfe=%ff", b"/"),
        (b"next=/%ff", b"/%EF%BF%BD"),
        (b"a&" * 500 + b"next=/cart", b"/"),
        (b"&" * 500 + b"next=/cart", b"/"),
        (b"", b"/"),
    ],
)
def test_the_page_leads_back_to_a_path_of_this_site(query: bytes, back: bytes) -> None:
    """Whatever the query holds: it never raises and never leads away."""
    response = get("/", query=query)
    assert response.status == 200
    assert b", back='" + back + b"', " in response.body


@pytest.mark.parametrize("path", ["/", "/state", "/nothing"])
def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    """The same to the last header, Content-Length included."""
    by_get = get(path)
    by_head = reply(GATE, ask("HEAD", "/_gate" + path)).response
    assert by_head == by_get._replace(body=b"")


# --- other origins of ours ----------------------------------------------------------------------

ORIGIN = (b"origin", b"https://app.example")
ALLOWED = [
    (b"access-control-allow-origin", b"https://app.example"),
    (b"access-control-allow-credentials", b"true"),
]


def cors_of(response: Response) -> list[Header]:
    return [one for one in response.headers if one[0].startswith(b"access-control-")]


@pytest.mark.parametrize("path", ["/", "/state", "/choice"])
@pytest.mark.parametrize("origin", [b"https://app.example", b"https://APP.example:443"])
def test_a_preflight_of_a_listed_origin_is_answered(path: str, origin: bytes) -> None:
    """204 with what it may send, its own Origin and credentials."""
    request = ask("OPTIONS", "/_gate" + path, headers=[(b"origin", origin)])
    response = reply(CORS, request).response
    methods = header(response, b"allow")
    assert (response.status, response.body) == (204, b"")
    assert cors_of(response) == [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-methods", methods),
        (b"access-control-allow-headers", b"content-type"),
        (b"access-control-max-age", b"600"),
    ]
    assert header(response, b"vary") == b"Origin"
    assert header(response, b"content-length") is None


@pytest.mark.parametrize(
    "origin",
    [None, b"https://evil.example", b"null", b"https://app.example.evil.example", b"*", b""],
)
def test_any_other_origin_is_told_nothing(origin: bytes | None) -> None:
    """No CORS header at all, but Vary, so that no cache mixes the two up."""
    headers = [] if origin is None else [(b"origin", origin)]
    for method, path in (("OPTIONS", "/state"), ("GET", "/state"), ("GET", "/x"), ("PUT", "/")):
        response = reply(CORS, ask(method, "/_gate" + path, headers=headers)).response
        assert cors_of(response) == []
        assert header(response, b"vary") == b"Origin"


def test_a_page_of_a_listed_origin_may_read_and_choose() -> None:
    """Credentialed: it sees the state, its grant is proven by its Origin, errors are readable."""
    read = reply(CORS, ask(path="/_gate/state", headers=[ORIGIN], cookie=YES)).response
    assert cors_of(read) == ALLOWED
    assert state_of(read)["decided"]
    request = ask("POST", "/_gate/choice", headers=[ORIGIN, JSON])
    chosen = reply(CORS, request, b'{"action":"accept"}').response
    assert (chosen.status, cors_of(chosen)) == (200, ALLOWED)
    assert stored(chosen) == consent_of("analytics", "marketing")
    assert cors_of(reply(CORS, request, b"{").response) == ALLOWED


def test_without_origins_there_is_no_cors() -> None:
    """A policy that lists none answers OPTIONS plainly, without Vary."""
    response = reply(GATE, ask("OPTIONS", "/_gate/choice", headers=[ORIGIN])).response
    assert (response.status, cors_of(response)) == (204, [])
    assert header(response, b"allow") == b"POST, OPTIONS"
    assert header(response, b"vary") is None


def test_the_apps_own_answers_get_no_cors_header() -> None:
    """`origins` is about the gate's own paths: the app's are the app's business."""
    step = CORS.admit(ask(headers=[ORIGIN], cookie=YES), NOW, fresh_id)
    step.visit.allows("analytics")
    names = {name for name, _ in step.finish([(b"set-cookie", b"_ga=1")], NOW).headers}
    assert names == {b"set-cookie", b"vary", b"cache-control"}


def test_no_answer_is_ever_stored() -> None:
    """Every kind of answer says no-store, exactly once."""
    answers = [
        get("/"),
        get(""),
        get("/state"),
        get("/nothing"),
        reply(GATE, ask("PUT", "/_gate/state")).response,
        reply(GATE, ask("OPTIONS", "/_gate/state")).response,
        choose(b"action=accept"),
        choose(b"action=reject", posted(FORM)),
        choose(b"nonsense"),
        choose(b'{"action":"reject"}', posted(JSON)),
        choose(b"x" * 5000),
        reply(GATE, posted(None)).response,
        choose(b"action=accept", ask("POST", "/_gate/choice", headers=[FORM])),
    ]
    assert [one.status for one in answers] == [
        200,
        308,
        200,
        404,
        405,
        204,
        303,
        303,
        400,
        200,
        413,
        415,
        403,
    ]
    for one in answers:
        assert header(one, b"cache-control") == b"no-store"
        assert header(one, b"x-robots-tag") == b"noindex"
