"""What visitors, apps and servers may send: mostly sensible, often odd, sometimes anything."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from consentgate.core.consent import Consent
from consentgate.core.http import Header, Request
from core.samples import DAY, ID, KEY, NOW, OLD_KEY, OPTIONAL, SAME_ORIGIN, make_gate

any_bytes = st.binary(max_size=60)
any_text = st.text(max_size=60)
moments = st.integers(min_value=0, max_value=2**32 - 1)

GATE = make_gate()
TOKENS = make_gate([KEY]).site.tokens
OLD_TOKENS = make_gate([OLD_KEY]).site.tokens


def glued(*parts: SearchStrategy[bytes]) -> SearchStrategy[bytes]:
    """These parts, one after the other."""
    return st.tuples(*parts).map(b"".join)


# --- Set-Cookie ---------------------------------------------------------------------------------

listed = st.sampled_from([b"sid", b"lang_x", b"_ga", b"_ga_X", b"_gid", b"_fbp", b"x_retarget"])
cookie_names = st.one_of(
    listed,
    glued(st.sampled_from([b"__Host-", b"__secure-", b"__Http-", b"__Host-Http-"]), listed),
    st.sampled_from(
        [b"stray", b"gate", b"__Host-gate", b"", b"max-age", b'"_ga"', b"a b", b"caf\xe9", b"_g a"]
    ),
    any_bytes,
)
_space = st.sampled_from([b"", b"", b"", b"", b" ", b"  ", b"\t", b"\xa0"])
_dates = st.sampled_from(
    [
        b"Thu, 01 Jan 1970 00:00:00 GMT",
        b"Wed, 31-Dec-97 23:59:59 GMT",
        b"Mon, 02 Nov 2026 12:00:00 GMT",
        b"Fri, 01 Jan 2038 00:00:00 GMT",
        b"Thu, 01-Jan-69 00:00:00 GMT",
        b"0",
        b"",
    ]
)
_attributes = st.one_of(
    glued(
        st.sampled_from([b"Max-Age", b"max-age", b"MAX-AGE "]),
        st.just(b"="),
        st.sampled_from([b"0", b"-1", b"00", b"60", b"+0", b"x", b"", b'"0"', b"0.0"]),
    ),
    glued(st.sampled_from([b"Expires", b"expires"]), st.just(b"="), _dates),
    glued(st.sampled_from([b"Path=", b"path="]), st.sampled_from([b"/", b"/x", b"", b"x", b'"'])),
    glued(st.just(b"Domain="), st.sampled_from([b"", b"shop.example", b".example", b'"'])),
    glued(st.just(b"SameSite="), st.sampled_from([b"Lax", b"none", b"STRICT", b"x", b""])),
    st.sampled_from([b"Secure", b"HttpOnly", b"Partitioned", b"secure=no", b"", b"_ga=1"]),
    any_bytes,
)
_values = st.one_of(
    st.sampled_from([b"", b"1", b'""', b'"x', b"a=b", b"_ga=1", b"gate=x", b"1, _ga=2"]), any_bytes
)
_pairs = st.one_of(
    glued(_space, cookie_names, _space, st.just(b"="), _space, _values, _space),
    glued(_space, cookie_names, _space),
    glued(st.just(b"="), cookie_names, st.sampled_from([b"", b"=1"])),
)
set_cookie_lines = st.one_of(
    st.tuples(_pairs, st.lists(glued(_space, _attributes, _space), max_size=5)).map(
        lambda parts: b";".join([parts[0], *parts[1]])
    ),
    any_bytes,
)
# Deletions, in most of the ways that there are.
deletion_lines = st.tuples(
    glued(
        st.sampled_from([b"", b" "]),
        st.one_of(
            listed, st.sampled_from([b"__Host-sid", b"__secure-_ga", b"stray", b"gate", b"a b"])
        ),
        st.sampled_from([b"=", b" = ", b'=""', b"=x"]),
    ),
    st.sampled_from(
        [
            b"Max-Age=0",
            b" max-age = -1 ",
            b"Max-Age=0; Max-Age=00",
            b" expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
            b"Expires=Wed, 31-Dec-97 23:59:59 GMT",
            b" Expires=Mon, 02 Nov 2026 11:59:59 GMT",
        ]
    ),
    st.lists(
        st.sampled_from(
            [
                b" Path=/",
                b"path=/x",
                b"Path=x",
                b"Path=",
                b" Domain=.shop.example",
                b"SameSite=None",
                b"samesite=Strict",
                b" Secure",
                b"HttpOnly",
                b"Partitioned ",
                b"x",
                b"_ga=1",
            ]
        ),
        max_size=5,
    ),
    st.booleans(),
).map(lambda one: b";".join([one[0], *([one[1], *one[2]] if one[3] else [*one[2], one[1]])]))
# Set-Cookie lines without what makes every line unreadable at once.
readable_lines = set_cookie_lines.map(
    lambda line: line.translate(None, bytes([*range(0x20), 0x7F]))
)


# --- headers ------------------------------------------------------------------------------------

header_names = st.one_of(
    st.sampled_from(
        [
            b"content-type",
            b"ETag",
            b"vary",
            b"Vary ",
            b"cache-control",
            b"Cache-Control",
            b"Surrogate-Control",
            b"x-a",
            b" x-b",
            b"Set-Cookie2",
            b"Set-Cookie: _ga=1",
            b"x: 1\r\nset-cookie",
        ]
    ),
    any_bytes,
)
header_values = st.one_of(
    st.sampled_from(
        [
            b"1",
            b"text/html",
            b"public, max-age=60",
            b"no-store",
            b"private",
            b"*",
            b"Accept, Cookie",
            b"",
            b'x="a, b',
            b"1\r\nSet-Cookie: _ga=1",
        ]
    ),
    any_bytes,
)
set_cookie_names = st.sampled_from([b"set-cookie", b"Set-Cookie", b" SET-COOKIE", b"set-cookie\t"])
cookies_set: SearchStrategy[Header] = st.tuples(
    set_cookie_names, st.one_of(set_cookie_lines, readable_lines)
)
response_headers: SearchStrategy[list[Header]] = st.lists(
    st.one_of(cookies_set, st.tuples(header_names, header_values)), max_size=8
)


# --- consent ------------------------------------------------------------------------------------

subsets = st.frozensets(st.sampled_from(sorted(OPTIONAL)))


@st.composite
def consents(
    draw: st.DrawFn,
    at: SearchStrategy[int] = moments,
    granted: SearchStrategy[frozenset[str]] = subsets,
) -> Consent:
    """Any consent that the gate itself could have written."""
    yes = draw(granted)
    no = draw(subsets) - yes
    return Consent(granted=yes, denied=no, id=ID if yes else None, decided_at=draw(at))


recent = st.integers(min_value=NOW - 200 * DAY, max_value=NOW + 120)
_tokens = st.one_of(
    consents(recent).map(TOKENS.write),
    consents(recent).map(OLD_TOKENS.write),
    consents().map(TOKENS.write),
    any_bytes,
)
_cookies = st.one_of(
    glued(st.sampled_from([b"__Host-gate=", b"gate=", b" __Host-gate = "]), _tokens),
    glued(cookie_names, st.sampled_from([b"=", b""]), any_bytes),
    any_bytes,
)
cookie_headers = st.lists(_cookies, max_size=5).map(b"; ".join)


# --- requests -----------------------------------------------------------------------------------

paths = st.one_of(
    st.sampled_from(
        [
            "/",
            "/_gate",
            "/_gate/",
            "/_gate/state",
            "/_gate/choice",
            "/_gate/x",
            "/shop/_gate/state",
            "/webhooks/x",
            "/_gates",
        ]
    ),
    st.text(max_size=30).map(lambda text: "/_gate/" + text),
    any_text,
    st.text(st.characters(), max_size=20),
)
_request_headers: SearchStrategy[Header] = st.one_of(
    st.tuples(st.just(b"cookie"), cookie_headers),
    st.tuples(
        st.sampled_from([b"host", b"origin", b"referer", b"Sec-Fetch-Site", b"x-forwarded-for"]),
        st.one_of(
            st.sampled_from(
                [
                    b"shop.example",
                    b"localhost:8000",
                    b"[::1]",
                    b"https://shop.example",
                    b"https://app.example",
                    b"https://shop.example/cart?x=1",
                    b"https://[shop.example",
                    b"same-origin",
                    b"null",
                ]
            ),
            any_bytes,
        ),
    ),
    st.tuples(
        st.sampled_from([b"content-type", b"content-length"]),
        st.one_of(
            st.sampled_from(
                [b"application/json", b"application/x-www-form-urlencoded; x", b"5", b"99999", b"-"]
            ),
            any_bytes,
        ),
    ),
    st.just(SAME_ORIGIN),
    st.tuples(any_bytes, any_bytes),
)
requests = st.builds(
    Request,
    method=st.one_of(st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT"]), any_text),
    path=paths,
    root=st.one_of(st.sampled_from(["", "", "/shop", "/shop/", "//x"]), any_text),
    scheme=st.sampled_from(["https", "http", "ws", ""]),
    headers=st.lists(_request_headers, max_size=6),
    query=st.one_of(st.sampled_from([b"", b"next=/x", b"&" * 300]), any_bytes),
)
nexts = st.one_of(
    st.lists(
        st.sampled_from(
            [
                "/",
                "\\",
                "%2F",
                "%5C",
                ":",
                "@",
                "evil.example",
                "http:",
                "\t",
                "\r\n",
                " ",
                "?",
                "#",
            ]
        ),
        max_size=8,
    ).map("".join),
    any_text,
    st.text(st.characters(), max_size=20),
)
bodies = st.one_of(
    st.lists(
        st.sampled_from(
            [
                b"action=accept",
                b"action=reject",
                b"action=save",
                b"action=withdraw",
                b"grant=analytics",
                b"grant=marketing",
                b"grant=necessary",
                b"grant=%ff",
                b"grant=x",
                b"next=/cart",
                b"next=//evil.example",
                b"x",
            ]
        ),
        max_size=5,
    ).map(b"&".join),
    st.sampled_from(
        [
            b'{"action":"accept"}',
            b'{"action":"save","grant":["analytics"]}',
            b'{"action":"reject","next":"/x"}',
            b'{"action":"save","grant":["\\ud800"],"next":"\\udfff"}',
        ]
    ),
    st.binary(max_size=200),
    st.integers(min_value=4000, max_value=4200).map(lambda size: b"action=accept&x=" + b"y" * size),
    st.integers(min_value=1, max_value=4096).map(lambda size: b"[" * size),
)
