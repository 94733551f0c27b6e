"""What third parties do in the example shops, as far as the visitor allows it, in real browsers.

Each shop has an analytics tag, an advertising tag and a chat in the head of its pages, and a film
on those of its products. After each step all that lies on the device (cookies of every host, both
storages, databases) and all that third parties were asked for is compared with what is allowed: as
whole values, so that nothing is there too much, and nothing that is needed is lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

import httpx
import pytest

from journeys.guests import House, Settings
from journeys.shops import LENIENT, MIRROR, OPTIONAL, SHOPS, TAGS_RAN, Edit, Person, Shop, open_shop
from journeys.test_journeys import ACCEPT, FOOTER, REJECT, SAVE, SETTINGS, WITHDRAW, box

LetIn = Callable[..., AbstractContextManager[Person]]

PRODUCT = "/product/mug"
NOTE = "Happy birthday!"
ONCE = "[data-gate=embed] [data-gate-once]"
ALWAYS = "[data-gate=embed] button[value=save]"
PLAYS = "document.querySelector('iframe')?.getAttribute('src')"
# Whether all has run and been fetched that the page lets in.
SETTLED = f"""Promise.resolve({TAGS_RAN}).then((ran) => ran &&
  [...document.querySelectorAll("iframe")].every((frame) => !frame.getAttribute("src") ||
    performance.getEntriesByType("resource").some((one) => one.name === frame.src)))"""
# How long a page is watched for what should not happen: whoever is asked here answers at once.
WATCHED = 0.12

# --- What each category lets in ------------------------------------------------------------------


class Kept(NamedTuple):
    """What lies on the device: names and keys, sorted. A cookie of another host is "name@host"."""

    cookies: list[str]
    local: list[str]
    session: list[str]
    databases: list[str]


# Set by the server with the start page and a product's, or written by shop.js.
OF_SHOP = {
    "preferences": Kept(["catalogue_view"], ["catalogue_sort"], [], []),
    "analytics": Kept(["ab_test", "visited"], [], ["visit_pages"], []),
    "marketing": Kept(["reco_id"], ["seen_items"], [], []),
}
# Written by third parties' code in these pages. The server sets these cookies as well.
OF_TAGS = {
    "preferences": Kept([], [], ["chat_session"], ["chat_history"]),
    "analytics": Kept(["_ga", "_ga_SHOP1"], ["analytics_visitor"], [], []),
    "marketing": Kept(["_fbp"], [], [], []),
}
# What they are asked for on each page; after "G1" what consent mode said of advertising.
ASKED = {
    "preferences": ["chat GET /widget.js"],
    "analytics": ["analytics GET /tag.js", "analytics POST /collect?gcs=G1{}1"],
    "marketing": ["ads GET /pixel.gif", "ads GET /tag.js"],
}
FILM = "player GET /film"
# Cookies of their own, with marketing. No site can take them away.
THEIRS = ["ads_viewer@ads", "player_session@player", "player_viewer@player"]


@pytest.fixture(scope="module", params=SHOPS, ids=lambda server: server.name.partition("-")[0])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Each shop as it is, with the policy that browsers enforce."""
    with open_shop(request.param, tmp_path_factory.mktemp("shop")) as found:
        yield found


@pytest.fixture
def theirs(house: House) -> list[str]:
    """The cookies that third parties have of their own, where the browser keeps any such."""
    # Playwright's contexts are private windows, and in those Chromium keeps none.
    return [] if house.version.startswith("Chromium") else THEIRS


def holding(person: Person, *allowed: str, choice: bool = True, more: Iterable[str] = ()) -> Kept:
    """Return what lies there after a visit to both pages where these categories are allowed.

    And the note, always: it is needed.
    """
    parts = [part[one] for one in allowed for part in (OF_SHOP, OF_TAGS)]
    own = [["gate", "gate-choice"], [MIRROR]] if choice else [[], []]
    return Kept(
        sorted([*person.shop.needed, *own[0], *more, *(one for part in parts for one in part[0])]),
        sorted([*own[1], *(one for part in parts for one in part[1])]),
        sorted(["order_note", *(one for part in parts for one in part[2])]),
        sorted(one for part in parts for one in part[3]),
    )


def asked_for(*allowed: str, pages: int = 2) -> list[str]:
    """Return what third parties are asked for on so many pages, one of which has the film."""
    digit = int("marketing" in allowed)
    lines = [line.format(digit) for one in allowed for line in ASKED[one]] * pages
    return sorted(lines + [FILM] * digit)


# --- What is there -------------------------------------------------------------------------------


def jar(person: Person) -> list[str]:
    """Return all cookies, of whatever host."""
    return sorted(
        name if host == "127.0.0.1" else f"{name}@{host.removesuffix('.localhost')}"
        for name, host in person.jar()
    )


def kept(person: Person) -> Kept:
    """Return what lies on the device when all has run that may, and a moment later."""
    person.tab.until(SETTLED)
    time.sleep(WATCHED)
    found = person.tab.evaluate(
        "indexedDB.databases().then((found) => [Object.keys(localStorage), "
        "Object.keys(sessionStorage), found.map((one) => one.name)])"
    )
    return Kept(jar(person), *map(sorted, found))


def asked(person: Person) -> list[str]:
    """Return what third parties were asked for since the last time, as they saw it, sorted."""
    others = person.shop.third_parties
    hosts = {one.partition("//")[2].partition("/")[0] for one in person.guest.asked()}
    known = {f"{one}.{others}" for one in ("ads", "analytics", "chat", "player")}
    assert hosts - known <= {person.shop.address.partition("//")[2]}  # and nobody else
    log = httpx.get(f"http://{others}/log", trust_env=False).text
    return sorted(" ".join(json.loads(line)) for line in log.splitlines())


def look_around(person: Person) -> tuple[Kept, list[str]]:
    """Open both pages, and return what lies there afterwards and what was asked for."""
    kept(person)
    asked(person)
    person.go("/")
    kept(person)
    person.go(PRODUCT)
    found = kept(person)
    assert person.tab.evaluate("document.querySelector('#note').value") == NOTE
    return found, asked(person)


def say(person: Person, button: str, *shown: str) -> None:
    """Press a button, and wait until just these of our sections can be seen."""
    person.tab.click(button)
    person.until_shown(*shown)


def accept(person: Person) -> None:
    """Accept everything on a product's page, and wait until it is there anew, with its film."""
    say(person, ACCEPT)
    person.tab.until(PLAYS)


def write_note(person: Person) -> None:
    """Begin an order: what is written there is needed, and is to survive everything."""
    person.go("/")
    person.go(PRODUCT)
    person.tab.evaluate(
        f"""(() => {{
          const note = document.querySelector("#note");
          note.value = {json.dumps(NOTE)};
          return note.dispatchEvent(new Event("input"));
        }})()"""
    )


@pytest.fixture(autouse=True)
def nothing_asked_yet(shop: Shop) -> None:
    """Forget what was asked for the visitor before."""
    httpx.get(f"http://{shop.third_parties}/log", trust_env=False)


@pytest.fixture
def newcomer(person: Person) -> Person:
    """Somebody with an order begun, and no choice made."""
    write_note(person)
    return person


@pytest.fixture
def fan(newcomer: Person) -> Person:
    """Somebody with an order begun who has accepted everything, and been on both pages since."""
    accept(newcomer)
    look_around(newcomer)
    return newcomer


# --- The states ----------------------------------------------------------------------------------


def test_before_a_choice_no_third_party_is_asked_for_anything(newcomer: Person) -> None:
    """Nor does anything lie there that is not needed."""
    nothing = (holding(newcomer, choice=False), [])
    assert (kept(newcomer), asked(newcomer)) == nothing
    assert look_around(newcomer) == nothing
    newcomer.go("/about")
    assert (kept(newcomer), asked(newcomer)) == nothing


def test_after_a_refusal_no_third_party_is_asked_for_anything(newcomer: Person) -> None:
    """Neither on the page on which it is given, nor on those that follow."""
    nothing = (holding(newcomer), [])
    say(newcomer, REJECT, "embed")
    assert (kept(newcomer), asked(newcomer)) == nothing
    assert look_around(newcomer) == nothing
    newcomer.go("/about")
    assert (kept(newcomer), asked(newcomer)) == nothing


def test_a_yes_to_everything_lets_all_of_them_in(newcomer: Person, theirs: list[str]) -> None:
    """Each is asked for what it is asked for, once a page, and keeps what it keeps."""
    accept(newcomer)
    assert look_around(newcomer) == (
        holding(newcomer, *OPTIONAL, more=theirs),
        asked_for(*OPTIONAL),
    )


def test_a_yes_is_heeded_at_once(newcomer: Person) -> None:
    """On the page on which it is given, which was made for somebody who had not given it."""
    accept(newcomer)
    kept(newcomer)
    assert asked(newcomer) == asked_for(*OPTIONAL, pages=1)


def test_some_can_be_let_in(newcomer: Person) -> None:
    """Of those that were not allowed there is nothing; Google is told what was."""
    say(newcomer, SETTINGS, "choices", "embed")
    newcomer.tab.click(box("analytics"))
    say(newcomer, SAVE, "embed")
    newcomer.tab.until("window.gate?.has('analytics')")
    assert look_around(newcomer) == (holding(newcomer, "analytics"), asked_for("analytics"))


def test_who_is_no_longer_allowed_leaves_nothing_behind(fan: Person, theirs: list[str]) -> None:
    """On the page on which the choice is changed, although its tags still run, and ever after."""
    expected = holding(fan, "preferences", more=theirs)
    say(fan, FOOTER, "choices")
    fan.tab.click(box("analytics"))
    fan.tab.click(box("marketing"))
    say(fan, SAVE, "embed")
    assert (kept(fan), asked(fan)) == (expected, [])
    fan.tab.click("h1")  # at which the advertising tag writes its cookie again
    assert (kept(fan), asked(fan)) == (expected, [])
    assert look_around(fan) == (expected, asked_for("preferences"))


def test_a_withdrawal_takes_all_of_it_away(fan: Person, theirs: list[str]) -> None:
    """At once, and nobody is asked for anything any more."""
    nothing = (holding(fan, choice=False, more=theirs), [])
    say(fan, FOOTER, "choices")
    say(fan, WITHDRAW, "banner", "embed")
    assert (kept(fan), asked(fan)) == nothing
    fan.tab.click("h1")
    assert (kept(fan), asked(fan)) == nothing
    assert look_around(fan) == nothing


def test_who_objects_to_sale_is_shown_no_advertising(newcomer: Person, theirs: list[str]) -> None:
    """Global Privacy Control goes before an earlier yes."""
    newcomer.tab.click(ALWAYS)
    newcomer.tab.until(PLAYS)
    look_around(newcomer)
    with newcomer.guest.object_to_sale():
        found = look_around(newcomer)
    expected = holding(newcomer, choice=False, more=[*theirs, "gate", "gate-optout"])
    assert found == (expected, [])


def test_a_newcomer_who_objects_to_sale_is_left_alone(person: Person) -> None:
    """Nobody is asked for anything, and the visitor is asked nothing either."""
    with person.guest.object_to_sale():
        write_note(person)
        assert person.shown() == ["embed"]
        assert look_around(person) == (holding(person, choice=False), [])


def test_without_scripts_only_what_needs_none_is_let_in(let_in: LetIn, theirs: list[str]) -> None:
    """The server's own cookies, and the film, when they are allowed; no tag ever."""
    with let_in(scripting=False) as person:

        def found() -> tuple[list[str], list[str]]:
            for path in ("/", PRODUCT):
                person.go(path)
                time.sleep(WATCHED)
            return jar(person), asked(person)

        assert found() == (sorted(person.shop.needed), [])
        person.tab.press(REJECT)
        assert found() == (holding(person).cookies, [])
        person.tab.press(FOOTER)
        person.tab.press("button[value=accept]")
        asked(person)
        cookies = holding(person, *OPTIONAL, more=theirs).cookies
        by_script = {"visited", "ads_viewer@ads", "player_viewer@player"}
        assert found() == ([one for one in cookies if one not in by_script], [FILM])


# --- The film ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lenient_shop(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same shop, where no header keeps out of a page what is let in while it is open."""
    with open_shop(shop.server, tmp_path_factory.mktemp("lenient"), LENIENT) as found:
        yield found


def test_a_film_can_be_seen_once(house: House, lenient_shop: Shop, theirs: list[str]) -> None:
    """One press, for this page alone: nothing is recorded, and nobody else is let in."""
    with house.guest(Settings()) as guest:
        person = Person(guest, lenient_shop)
        write_note(person)
        player = [one for one in theirs if one.endswith("@player")]
        expected = holding(person, choice=False, more=player)
        say(person, ONCE, "banner")
        person.tab.until(PLAYS)
        assert (kept(person), asked(person)) == (expected, [FILM])
        assert look_around(person) == (expected, [])


def test_without_that_header_a_yes_lets_in_what_it_is_about(
    house: House, lenient_shop: Shop
) -> None:
    """Into the page as it stands: it is not asked for again."""
    with house.guest(Settings()) as guest:
        person = Person(guest, lenient_shop)
        write_note(person)
        person.tab.evaluate("window.same = true")
        say(person, ACCEPT)
        person.tab.until(PLAYS)
        kept(person)
        assert asked(person) == asked_for(*OPTIONAL, pages=1)
        assert person.tab.evaluate("window.same") is True


def test_a_film_can_be_allowed_for_good(newcomer: Person, theirs: list[str]) -> None:
    """One press says yes to its category, and no to the others."""
    newcomer.tab.click(ALWAYS)
    newcomer.tab.until(PLAYS)
    kept(newcomer)
    assert newcomer.allowed() == ["marketing"]
    assert look_around(newcomer) == (
        holding(newcomer, "marketing", more=theirs),
        asked_for("marketing"),
    )


# --- Tags that somebody forgot -------------------------------------------------------------------


@pytest.fixture(scope="module")
def careless_shop(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same shop, made by somebody who has not held the tags back."""
    name = f"{shop.server.app.partition(':')[0]}.py"
    held = Edit(name, r'type="text/plain" data-category="\w+"', "", len(ASKED))
    with open_shop(shop.server, tmp_path_factory.mktemp("careless"), held) as found:
        yield found


def test_a_tag_that_is_not_held_back_is_not_loaded_either(
    house: House, careless_shop: Shop
) -> None:
    """Browsers see to that: of those in the page only what is allowed is asked for."""
    with house.guest(Settings()) as guest:
        person = Person(guest, careless_shop)
        write_note(person)
        assert look_around(person) == (holding(person, choice=False), [])
        say(person, REJECT, "embed")
        assert look_around(person) == (holding(person), [])
        say(person, FOOTER, "choices", "embed")
        person.tab.click(box("analytics"))
        say(person, SAVE, "embed")
        assert look_around(person) == (holding(person, "analytics"), asked_for("analytics"))


# --- Who is told what, and when ------------------------------------------------------------------

# What consent mode has announced, and where in the queue.
ANNOUNCED = """[...dataLayer].map(([command, kind, state], at) =>
  [at, command, kind, state.ad_storage, state.analytics_storage])"""


def test_no_tag_is_told_later_than_it_starts(newcomer: Person) -> None:
    """The default comes first, as it is; a change is told with the choice.

    The analytics tag complains of a default that comes after its own start, and its beacons say
    what it was told when it started.
    """
    default = [0, "consent", "default", "denied", "denied"]
    assert newcomer.tab.evaluate(ANNOUNCED) == [default]
    accept(newcomer)
    kept(newcomer)
    asked(newcomer)
    newcomer.go(PRODUCT)
    kept(newcomer)
    default = [0, "consent", "default", "granted", "granted"]
    assert newcomer.tab.evaluate(ANNOUNCED) == [default]
    assert "analytics POST /collect?gcs=G111" in asked(newcomer)
    say(newcomer, FOOTER, "choices")
    newcomer.tab.click(box("marketing"))
    say(newcomer, SAVE, "embed")
    update = [1, "consent", "update", "denied", "granted"]
    assert newcomer.tab.evaluate(ANNOUNCED) == [default, update]
