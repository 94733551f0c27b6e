"""Third parties' frames, held back: what stands in their place, and the two ways to let them in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from consentgate import RequestConsent
from tags.conftest import Tab
from tags.site import Site

AXE = Path(__file__).parents[2] / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = f"""axe.run(document, {{runOnly: {{type: "tag", values: {TAGS}}}}}).then((found) =>
  found.violations.flatMap(({{id, nodes}}) => nodes.map((node) => `${{id}}: ${{node.target}}`)))"""
FILM = '<iframe data-category="marketing" data-src="THIRD/film" title="A film"></iframe>'
MAP = '<iframe data-category="analytics" data-src="THIRD/map" title="A map"></iframe>'
PLACE = '[data-gate="embed"]'
ONCE, ALWAYS = "[data-gate-once]", f"{PLACE} [name=action]"
# What the visitor finds: of each frame and what stands in its place, in order.
SHOWN = f"""[...document.querySelectorAll('main iframe, {PLACE}')].filter((one) =>
  one.getClientRects().length).map((one) => one.title || one.dataset.gate)"""


def embedded(consent: RequestConsent) -> str:
    film = consent.embed("marketing", "https://player.example/film", "A film", width=560)
    return str(film).replace("https://player.example", "THIRD")


@pytest.fixture(params=["written by the page", "written by the server"])
def film(request: pytest.FixtureRequest, site: Site) -> None:
    """A page with a film, in both ways."""
    site.body = embedded if "server" in request.param else FILM


def told(tab: Tab) -> list[str]:
    """The choice as it lies in the mirror: id=word."""
    mirror = "JSON.parse(localStorage.getItem('public.cookie.choice'))?.choices ?? {}"
    found: list[str] = tab.run(f"Object.entries({mirror}).map((pair) => pair.join('='))")
    return found


@pytest.mark.parametrize("address", ["http://[", "https://", "//[", "javascript:tell('x')", ""])
def test_an_address_that_is_none_harms_nothing(tab: Tab, site: Site, address: str) -> None:
    """Nothing is thrown, whatever changes on the page, and the other frames are shown."""
    bad = f'<iframe data-category="marketing" data-src="{address}" title="Bad"></iframe>'
    site.body = bad + FILM
    tab.go()
    tab.run("void document.body.append('more')")
    tab.grant("marketing")
    tab.wait("document.querySelectorAll('iframe[src^=http]:not([hidden])').length > 0")
    tab.run("void document.dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    tab.settle()
    assert (site.third.asked, tab.ran) == (["/film"], [])


@pytest.mark.usefixtures("film")
def test_a_newcomer_is_told_what_would_be_there(tab: Tab, site: Site) -> None:
    """Whose it is and for what, and who asks; of the third party nothing is requested."""
    tab.go()
    tab.wait(f"document.querySelector('{ONCE}')?.hidden === false")
    host = site.third.address.partition("//")[2]
    source = "player.example" if callable(site.body) else host
    assert tab.page.locator(PLACE).inner_text().split("\n") == [
        f"Content of {source} is shown here. It may store data on your device, for: Marketing.",
        "",
        "Example Ltd · What this site stores",
        "",
        "Load this once",
        "Always allow: Marketing",
    ]
    link = tab.run(f"document.querySelector('{PLACE} a').href")
    assert link.partition("?")[0] == f"{site.address}/_gate/declaration"
    assert (tab.run(SHOWN), site.third.asked) == (["embed"], [])


@pytest.mark.usefixtures("film")
def test_once_is_for_this_page_and_recorded_nowhere(tab: Tab, site: Site) -> None:
    """No choice is sent, none is kept, and on the next page it is asked for again."""
    tab.go()
    tab.page.click(ONCE)
    tab.loaded()
    assert (tab.run(SHOWN), site.third.asked) == (["A film"], ["/film"])
    assert [one for one in site.asked if one.startswith("POST")] == []
    assert (tab.page.context.cookies(), told(tab)) == ([], [])
    # What is said afterwards is about what comes afterwards.
    tab.choose(action="reject")
    assert tab.run(SHOWN) == ["A film"]
    tab.go("/next")
    assert (tab.run(SHOWN), site.third.asked) == (["embed"], ["/film"])


@pytest.mark.usefixtures("film")
def test_always_is_a_yes_to_this_category_and_says_nothing_of_the_others(
    tab: Tab, site: Site
) -> None:
    """It is sent as any choice is, without leaving the page, and holds on the next one."""
    tab.go()
    tab.page.click(ALWAYS)
    tab.loaded()
    assert (tab.run(SHOWN), site.third.asked) == (["A film"], ["/film"])
    assert (told(tab), site.asked.count("GET /")) == (["marketing=granted"], 1)
    tab.go("/next")
    assert (tab.run(SHOWN), site.third.asked) == (["A film"], ["/film", "/film"])


@pytest.mark.usefixtures("film")
def test_a_withdrawal_takes_it_away_again(tab: Tab, site: Site) -> None:
    """The frame loses its address, and what asks for a yes is there again."""
    tab.go()
    tab.page.click(ALWAYS)
    tab.loaded()
    tab.choose(action="withdraw")
    assert (tab.run(SHOWN), site.third.asked) == (["embed"], ["/film"])
    assert tab.run("frames[0].location.href") == "about:blank"
    tab.page.click(ALWAYS)
    tab.loaded()
    assert site.third.asked == ["/film", "/film"]


@pytest.mark.usefixtures("film")
def test_going_back_loads_nothing_that_was_taken_back(tab: Tab, site: Site) -> None:
    """Neither within the page nor from the next."""
    site.headers = [("Cache-Control", "no-store")]
    tab.go()
    tab.page.click(ALWAYS)
    tab.loaded()
    length = tab.run("history.length")
    tab.choose(action="withdraw")
    assert tab.run("history.length") == length
    tab.grant("marketing")
    tab.go("/next")
    tab.choose(action="withdraw")
    before = list(site.third.asked)
    tab.page.go_back()
    tab.settle()
    assert (tab.run("location.pathname"), tab.run(SHOWN)) == ("/", ["embed"])
    assert site.third.asked == before


def test_who_said_no_can_still_load_it_once(tab: Tab, site: Site) -> None:
    """A no is no wall."""
    site.body = FILM
    tab.go()
    tab.choose(action="reject")
    assert (tab.run(SHOWN), site.third.asked) == (["embed"], [])
    tab.page.click(ONCE)
    tab.loaded()
    assert (site.third.asked, "marketing=denied" in told(tab)) == (["/film"], True)


def test_the_keyboard_is_enough_and_is_not_lost(tab: Tab, site: Site) -> None:
    """Link, once, always, in this order; then the focus is in what has come."""
    site.body = FILM
    tab.go()
    tab.page.focus(f"{PLACE} a")
    tab.page.keyboard.press("Tab")
    assert tab.run(f"document.activeElement.matches('{ONCE}')")
    tab.page.keyboard.press("Tab")
    assert tab.run("document.activeElement.value") == "save"
    tab.page.keyboard.press("Enter")
    tab.loaded()
    assert tab.run("document.activeElement.title") == "A film"


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing(let_in: Callable[..., Tab], site: Site, look: str) -> None:
    """At WCAG 2.2 A and AA, in what stands in a frame's place and after it was let in."""
    if not AXE.exists():
        pytest.skip("no axe-core here: make test installs it")
    site.body = FILM if look == "light" else embedded
    tab = let_in(color_scheme=look)
    tab.go()
    tab.wait(f"document.querySelector('{ONCE}')?.hidden === false")
    tab.page.evaluate(AXE.read_text("utf-8"))
    assert tab.run(RUN) == []
    tab.page.click(ONCE)
    tab.loaded()
    assert tab.run(RUN) == []


def test_frames_of_other_categories_stay_as_they_are(tab: Tab, site: Site) -> None:
    """Each has what stands in its place; so have those that are added later."""
    site.body = FILM + MAP
    tab.go()
    assert tab.run(SHOWN) == ["embed", "embed"]
    tab.grant("analytics")
    tab.page.frame_locator("main iframe >> nth=1").locator("p").wait_for()
    assert (tab.run(SHOWN), site.third.asked) == (["embed", "A map"], ["/map"])
    later = (FILM + MAP).replace("THIRD", site.third.address)
    tab.page.evaluate(
        "(html) => document.querySelector('h1').insertAdjacentHTML('afterend', html)", later
    )
    tab.settle()
    assert tab.run(SHOWN) == ["embed", "A map", "embed", "A map"]
    assert site.third.asked == ["/map", "/map"]


def test_what_the_server_wrote_out_is_loaded_once(tab: Tab, site: Site) -> None:
    """And taken away with the yes."""
    site.body = embedded
    tab.go()
    tab.grant("marketing")
    tab.loaded()
    site.third.asked.clear()
    tab.go("/next")
    assert (tab.run(SHOWN), site.third.asked) == (["A film"], ["/film"])
    tab.choose(action="withdraw")
    assert (tab.run(SHOWN), site.third.asked) == (["embed"], ["/film"])


@pytest.mark.parametrize(
    "address", ["javascript:parent.tell(1)", "data:text/html,<p>x", "java\nscript:parent.tell(1)"]
)
def test_an_address_that_is_code_is_none(tab: Tab, site: Site, address: str) -> None:
    """Markup that somebody brought in with nothing but harmless attributes starts nothing."""
    site.body = f'<iframe data-category="necessary" data-src="{address}" title="x"></iframe>'
    tab.go()
    assert (tab.ran, tab.run("document.querySelector('iframe').hasAttribute('src')")) == ([], False)


def test_it_speaks_the_language_of_the_page(tab: Tab, site: Site) -> None:
    """As the banner does."""
    site.body, site.lang = FILM, "de"
    tab.go()
    assert tab.page.locator(ALWAYS).inner_text() == "Immer erlauben: Marketing"


def test_a_site_may_have_iframes_as_blocks(tab: Tab, site: Site) -> None:
    """Hidden is hidden."""
    site.body = "<style>iframe { display: block; }</style>" + FILM
    tab.go()
    assert tab.run(SHOWN) == ["embed"]


def test_a_yes_over_the_signal_was_told_what_it_goes_against(
    let_in: Callable[..., Tab], site: Site
) -> None:
    """The notice stands above the buttons, and the yes then holds."""
    site.body = FILM
    tab = let_in(gpc=True)
    tab.go()
    assert "your yes goes against this signal" in tab.page.locator(PLACE).inner_text()
    tab.page.click(ALWAYS)
    tab.loaded()
    assert (tab.run(SHOWN), site.third.asked) == (["A film"], ["/film"])


def test_without_javascript_the_form_does_it(let_in: Callable[..., Tab], site: Site) -> None:
    """One button, for good: the page that comes back has the film. No other category is said."""
    site.body = embedded
    page = let_in(java_script_enabled=False).page
    page.goto(f"{site.address}/films?of=1&in=b")
    assert page.locator(f"{PLACE} button:visible").all_inner_texts() == ["Always allow: Marketing"]
    assert (page.locator("iframe:visible").count(), site.third.asked) == (0, [])
    page.click(ALWAYS)
    assert page.url == f"{site.address}/films?of=1&in=b"
    page.wait_for_load_state()
    assert (page.locator(PLACE).count(), site.third.asked) == (0, ["/film"])
    state = page.request.get(f"{site.address}/_gate/state").json()["categories"]
    assert state == {
        "necessary": "granted",
        "preferences": "unset",
        "analytics": "unset",
        "marketing": "granted",
    }


def test_a_place_that_is_not_filled_yet_is_in_nobodys_way(tab: Tab, site: Site) -> None:
    """Who takes everything back is asked anew, however slow the answer about a frame is."""
    site.body = FILM
    tab.go()
    tab.choose(action="accept")
    tab.go()
    tab.loaded()
    tab.page.route("**/_gate/embed?*", lambda route: (time.sleep(1), route.continue_()))
    site.asked.clear()
    tab.run("gate.open()")
    tab.page.click("button[value=withdraw]")
    tab.page.wait_for_selector("[data-gate=banner]")
    tab.wait(f"document.querySelector('{ONCE}')?.hidden === false")
    assert [one for one in site.asked if "embed" in one] == ["GET /_gate/embed"]
