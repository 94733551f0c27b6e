"""The example shops over real HTTP: one table of expectations for four servers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from consentgate.config import inspect
from examples.shop_servers import (
    EXAMPLES,
    SERVERS,
    Server,
    Visitor,
    names_set,
    ordered_headers,
    running,
)

# --- The table -----------------------------------------------------------------------------------

# What the shops set on each step of a tour: first what they need, then what wants consent, then
# what no rule names. `session`, `csrf` and `language` are called what the framework calls them.
TOUR = {
    "GET /": (
        "session csrf language currency",
        "catalogue_view _ga _ga_SHOP1 ab_test _fbp",
        "promo_popup",
    ),
    "GET /product/mug": ("session csrf", "reco_id _fbp", ""),
    "POST /login": ("session", "_fbp", ""),
    "POST /basket": ("basket", "_fbp", ""),
    "GET /basket": ("csrf", "_fbp", ""),
    "GET /statistics": ("csrf", "_fbp", ""),
    "GET /no-such-page": ("", "_fbp", ""),
    "POST /logout": ("session", "_fbp", ""),  # a deletion
}
ALL = "catalogue_view _ga _ga_SHOP1 ab_test _fbp reco_id"
# What a visitor said before the tour, and which of the optional cookies may then leave.
STATES: dict[str, tuple[list[tuple[str, ...]], str]] = {
    "no choice": ([], ""),
    "reject": ([("reject",)], ""),
    "accept": ([("accept",)], ALL),
    "withdraw": ([("accept",), ("withdraw",)], ""),
    "accept, then reject": ([("accept",), ("reject",)], ""),
    "save analytics alone": ([("save", "analytics")], "_ga _ga_SHOP1 ab_test"),
    "save preferences alone": ([("save", "preferences")], "catalogue_view"),
}

POLICIES = ("content-security-policy", "content-security-policy-report-only")
# The values of cookies, and the second at which they end.
_CHANGING = re.compile(r"(^[^=]+=|(?i:expires)=)[^;]*")

# --- The servers ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop that is being served."""

    server: Server
    address: str

    def called(self, names: str) -> list[str]:
        """Return the cookie names that this framework uses for those of the table, sorted."""
        own = {
            "session": self.server.session,
            "csrf": self.server.csrf,
            "language": self.server.language,
        }
        return sorted(name for one in names.split() if (name := own.get(one, one)) is not None)


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """An example as it stands in the repository, started from another folder without any setup."""
    scratch = tmp_path_factory.mktemp("gated")
    with running(request.param, EXAMPLES, scratch) as address:
        yield Shop(request.param, address)


@pytest.fixture(scope="module")
def ungated(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same example in report mode, where the gate changes nothing of what the shop sends."""
    scratch = tmp_path_factory.mktemp("ungated")
    shops = scratch / "shops"
    shutil.copytree(EXAMPLES, shops, ignore=shutil.ignore_patterns("__pycache__"))
    policy = (shops / "shop.toml").read_text("utf-8")
    assert 'mode = "enforce"' in policy
    (shops / "shop.toml").write_text(policy.replace('mode = "enforce"', 'mode = "report"'), "utf-8")
    with running(shop.server, shops, scratch) as address:
        yield Shop(shop.server, address)


def arrived(shop: Shop, state: str) -> Visitor:
    """Return a new visitor who has made the choices of this state."""
    visitor = Visitor(shop.address)
    for choice in STATES[state][0]:
        response = visitor.choose(*choice)
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert names_set(response) == ["gate", "gate-choice"]
    return visitor


# --- What leaves ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_exactly_the_cookies_that_the_visitor_allows_leave(shop: Shop, state: str) -> None:
    """On every step of a tour the Set-Cookie headers name what is needed and what was allowed."""
    allowed = STATES[state][1].split()
    sent = {}
    expected = {}
    with arrived(shop, state) as visitor:
        for step, (needed, optional, _) in TOUR.items():
            sent[step] = names_set(visitor.step(step))
            leaving = " ".join(name for name in optional.split() if name in allowed)
            expected[step] = shop.called(f"{needed} {leaving}")
    assert sent == expected


def test_in_report_mode_every_cookie_of_the_shop_leaves(ungated: Shop) -> None:
    """The shops set all that the table says: where nothing is gated, nothing is dropped."""
    sent = {}
    with arrived(ungated, "reject") as visitor:
        for step in TOUR:
            sent[step] = names_set(visitor.step(step))
    assert sent == {step: ungated.called(" ".join(groups)) for step, groups in TOUR.items()}


@pytest.mark.parametrize("state", ["no choice", "reject", "accept", "save analytics alone"])
def test_all_other_headers_leave_as_the_shop_sent_them(
    shop: Shop, ungated: Shop, state: str
) -> None:
    """But for refused cookies, Vary and Cache-Control, every header line is kept, in its order."""
    allowed = STATES[state][1].split()
    with arrived(shop, state) as visitor, arrived(ungated, state) as other:
        for step, (_, optional, unlisted) in TOUR.items():
            gated, before = visitor.step(step), other.step(step)
            refused = {*optional.split(), *unlisted.split()} - set(allowed)
            # The gate adds to these two, so that no shared cache hands one visitor's page out.
            # Its tags in the page say that they may be asked for again, which takes some bytes.
            ours = ("vary", "cache-control", "content-length", *POLICIES)
            # It adds its own policy after the shop's; in report mode that is only reported.
            policies, own = (gated.headers.get_list(name) for name in POLICIES)
            shops, reported = (before.headers.get_list(name) for name in POLICIES)
            assert (policies, own) == ([*shops, *reported], []), step
            assert lines(gated, ours) == [
                line for line in lines(before, ours) if cookie_name(line) not in refused
            ], step
            had, has = ({*one.headers.get("vary", "").split(", ")} for one in (before, gated))
            assert (had - {""}) | {"Cookie"} <= has <= had | {"Cookie", "Sec-GPC"}, step
            assert gated.headers["cache-control"] == "private", step
            assert gated.status_code == before.status_code, step


def lines(response: httpx.Response, without: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the header lines, with what changes from one answer to the next made equal."""
    return [
        (name, _CHANGING.sub(r"\1…", value) if name.lower() == "set-cookie" else value)
        for name, value in ordered_headers(response, ("date", *without))
    ]


def cookie_name(line: tuple[str, str]) -> str:
    """Return the name of the cookie that a header line sets, or ""."""
    return line[1].partition("=")[0] if line[0].lower() == "set-cookie" else ""


# --- What works ----------------------------------------------------------------------------------


def test_signing_in_forms_and_basket_work_whatever_the_visitor_says(shop: Shop) -> None:
    """No choice signs anybody out, empties the basket or breaks a form."""
    with Visitor(shop.address) as visitor:
        visitor.get("/")
        assert visitor.post("/login", name="Ada").headers["location"] == "/"
        choices = [(), ("reject",), ("accept",), ("save", "marketing"), ("withdraw",)]
        for in_basket, choice in enumerate(choices):
            if choice:
                assert visitor.choose(*choice).status_code == 303
            page = visitor.get("/").text
            assert "Signed in as Ada" in page, choice
            assert f"Basket ({in_basket})" in page, choice
            guess = {"csrf": "guessed", "csrfmiddlewaretoken": "guessed"}
            assert visitor.post("/basket", sku="mug", **guess).status_code == 403, choice
            assert visitor.post("/basket", sku="scarf").headers["location"] == "/basket"
            assert f"Basket ({in_basket + 1})" in visitor.get("/basket").text, choice
        assert visitor.post("/logout").headers["location"] == "/"
        page = visitor.get("/").text
        assert "Signed in" not in page
        assert "Basket (5)" in page


@pytest.mark.parametrize(
    ("state", "counted"),
    [
        ("no choice", False),
        ("reject", False),
        ("accept", True),
        ("withdraw", False),
        ("save analytics alone", True),
        ("save preferences alone", False),
    ],
)
def test_a_handler_reads_what_the_visitor_allows(shop: Shop, state: str, counted: bool) -> None:
    """The statistics page counts a visit only where analytics was allowed, and says so."""
    with arrived(shop, state) as visitor:
        page = visitor.get("/statistics").text
    assert ("this visit is counted" in page, "this visit is not counted" in page) == (
        counted,
        not counted,
    )


def test_the_footer_leads_to_the_choice_and_the_choice_back_to_the_page(shop: Shop) -> None:
    """A visitor without scripts can choose: footer link, form, and the page they came from."""
    with Visitor(shop.address) as visitor:
        page = visitor.get("/product/mug").text
        link = re.findall(r'<footer><a href="([^"]+)">', page)
        assert link == ["/_gate/?next=/product/mug"]
        preferences = visitor.get(link[0]).text
        assert 'name="next" value="/product/mug"' in preferences
        form = {"action": "reject", "next": "/product/mug"}
        response = visitor.client.post("/_gate/choice", data=form)
        assert (response.status_code, response.headers["location"]) == (303, "/product/mug")


# --- What the files say --------------------------------------------------------------------------


def test_the_policy_has_no_problem_and_no_warning() -> None:
    """`shop.toml` is a file that a newcomer may copy."""
    assert inspect(EXAMPLES / "shop.toml")[1] == []


@pytest.mark.parametrize("name", ["fastapi_shop.py", "flask_shop.py", "django_shop.py"])
def test_an_example_speaks_of_the_gate_in_one_import_and_one_line(name: str) -> None:
    """The shop itself knows nothing of the gate: an app that exists is gated just so."""
    code = (EXAMPLES / name).read_text("utf-8")
    found = re.findall(r"^(?:from consentgate.*|\w+ = wrap\(.*)$", code, re.MULTILINE)
    ends = ("wsgi", "asgi") if name == "django_shop.py" else ("app",)
    assert found == [
        "from consentgate import wrap",
        *(f'{one} = wrap({one}, Path(__file__).with_name("shop.toml"))' for one in ends),
    ]
