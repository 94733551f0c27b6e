"""Under an enforced policy a page that is there already lets nothing new in: it is opened anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from consentgate import RequestConsent
from consentgate.core.policy import Csp
from tags.conftest import Tab
from tags.site import POLICY, Log, Site, gated

FILM = '<iframe data-category="marketing" data-src="THIRD/film" title="A film"></iframe>'
TAG = '<script type="text/plain" data-category="marketing" src="THIRD/a.js"></script>'
NOTE = """<form id="note"><input value="for"><textarea>grandma</textarea><input type="checkbox">
<input type="checkbox" checked></form>"""


@pytest.fixture(scope="module")
def running(third: Log) -> Iterator[Site]:
    """The site of the other tests, whose policy enforces what is named here."""
    sources = {"necessary": ("'self'",), "marketing": (third.address,)}
    categories = tuple(replace(one, sources=sources.get(one.id, ())) for one in POLICY.categories)
    policy = replace(POLICY, categories=categories, csp=Csp(mode="enforce"), exclude=("/free",))
    with gated(third, policy) as site:
        yield site


def rendered(consent: RequestConsent) -> str:
    return consent.banner()


def press(tab: Tab, action: str) -> None:
    """Press a button of the banner, and wait until something came of it."""
    with tab.page.expect_response("**/_gate/choice"):
        tab.page.locator(f'[data-gate=banner] button[value="{action}"]').click()
    tab.page.wait_for_timeout(300)
    tab.page.wait_for_load_state()
    tab.settle()


def documents(site: Site) -> list[str]:
    """Return the pages that were asked for."""
    return [one for one in site.asked if "/_gate" not in one]


@pytest.mark.parametrize("body", [FILM, TAG])
def test_what_waits_for_a_yes_comes_with_the_same_page(tab: Tab, site: Site, body: str) -> None:
    """At the same address; a form that nobody has filled in is no reason not to."""
    site.body, site.head = body + NOTE, rendered
    tab.go("/films?a=1#here")
    press(tab, "accept")
    assert documents(site) == ["GET /films", "GET /films"]
    assert site.third.asked == ["/film" if body == FILM else "/a.js"]
    assert tab.page.url == f"{site.address}/films?a=1#here"
    assert tab.run("gate.has('marketing')") is True


@pytest.mark.parametrize("field", ["input", "textarea", "[type=checkbox]"])
def test_what_was_typed_is_not_lost(tab: Tab, site: Site, field: str) -> None:
    """Such a page stays, and the next one has all of it."""
    site.body, site.head = FILM + NOTE, rendered
    tab.go()
    tab.page.locator(f"#note {field}").first.press("Space")
    press(tab, "accept")
    assert (documents(site), site.third.asked) == (["GET /"], [])


@pytest.mark.parametrize(
    ("code", "again"),
    [
        ("note[1].focus(); note[1].value = 'grandma, again'", False),
        ("note[0].focus(); note[0].value = ''", False),
        ("note[0].focus(); note[0].value += '!'", False),
        # Nobody has typed this: the page puts it there each time.
        ("note[0].value += '!'", True),
        ("note[0].focus()", True),
        ("document.querySelector('a, h1').focus()", True),
    ],
)
def test_what_was_typed_before_the_script_ran_is_not_lost(
    tab: Tab, site: Site, code: str, again: bool
) -> None:
    """The field that has the focus has something else in it than the page gave it."""
    site.body, site.head = f"{FILM}{NOTE}<script>{code}</script>", rendered
    tab.go()
    press(tab, "accept")
    assert (len(documents(site)), site.third.asked) == ((2, ["/film"]) if again else (1, []))


@pytest.mark.parametrize(
    "frame",
    [
        "<iframe srcdoc='<textarea></textarea>'></iframe>",
        '<iframe src="/editor" title="Pay"></iframe>',
        '<object data="/editor" type="text/html"></object>',
        """<div id="host"></div><script>
          const frame = Object.assign(document.createElement("iframe"), {src: "/editor"});
          host.attachShadow({mode: "closed"}).append(frame);</script>""",
    ],
)
def test_what_may_have_been_typed_in_a_frame_is_not_lost(tab: Tab, site: Site, frame: str) -> None:
    """An editor, or who takes the payment: whoever has been in it may have begun."""
    site.body, site.head = FILM + frame, rendered
    site.files["/editor"] = "<textarea></textarea>"
    tab.go()
    (inner,) = [one for one in tab.page.frames if one.url.endswith(("/editor", "srcdoc"))]
    inner.locator("textarea").click()
    press(tab, "accept")
    assert documents(site).count("GET /") == 1


def test_what_was_typed_before_the_page_was_left_is_not_lost(tab: Tab, site: Site) -> None:
    """It is there again when the visitor comes back."""
    site.body, site.head = FILM + NOTE + '<a href="/next">Next</a>', rendered
    tab.go()
    tab.page.locator("#note textarea").fill("grandma, again")
    tab.page.click("a[href='/next']")
    tab.page.wait_for_url("**/next")
    tab.settle()
    tab.page.go_back()
    tab.settle()
    press(tab, "accept")
    assert tab.page.locator("#note textarea").input_value() == "grandma, again"
    assert site.third.asked == []


def embedded(consent: RequestConsent) -> str:
    return str(consent.embed("marketing", "https://player.example/film", "A film")) + NOTE


@pytest.mark.parametrize("how", ["posted", "typed"])
def test_what_an_embeds_own_button_allows_may_come_with_the_next_page(
    tab: Tab, site: Site, how: str
) -> None:
    """Where the page cannot be asked for again, or not without losing something."""
    site.body, site.head = embedded, rendered
    tab.go("/films")
    if how == "posted":
        tab.run("() => { note.method = 'post'; note.submit(); }")
        tab.page.wait_for_timeout(300)
        tab.settle()
    else:
        tab.page.locator("#note textarea").fill("grandma, again")
    before = documents(site)
    with tab.page.expect_response("**/_gate/choice"):
        tab.page.locator("[data-gate=embed] button:visible").click()
    tab.settle()
    assert documents(site) == before
    assert tab.run("[gate.choices.marketing, gate.has('marketing')]") == ["granted", False]
    if how == "typed":
        assert tab.page.locator("#note textarea").input_value() == "grandma, again"


def test_a_yes_in_another_tab_opens_nothing_anew(tab: Tab, site: Site) -> None:
    """The page that is looked at later has what it had, and says so."""
    site.body, site.head = FILM, rendered
    tab.go()
    other = Tab(tab.page.context.new_page(), site)
    other.go("/other")
    press(other, "accept")
    other.loaded()
    tab.page.bring_to_front()
    tab.settle()
    assert documents(site) == ["GET /", "GET /other", "GET /other"]
    assert tab.run("[gate.choices.marketing, gate.has('marketing')]") == ["granted", False]


@pytest.mark.parametrize(
    "body",
    [
        '<div data-category="marketing">Shoes</div>',
        '<iframe data-category="marketing" title="A map"></iframe>',
        '<script data-category="marketing">tell("plain");</script>',
    ],
)
def test_what_is_not_held_back_waits_for_nothing(tab: Tab, site: Site, body: str) -> None:
    """A category in the page's own markup; nor is a script loaded for it."""
    site.body, site.head = body, rendered
    tab.go()
    press(tab, "accept")
    assert documents(site) == ["GET /"]
    assert [one for one in site.asked if "/t." in one] == []


def test_a_page_that_came_without_cookies_says_what_its_policy_lets_in(
    tab: Tab, site: Site
) -> None:
    """Another site's form leads back, and SameSite keeps the choice from the request."""
    site.body, site.head = FILM, rendered
    tab.go()
    press(tab, "accept")
    tab.loaded()
    site.third.asked.clear()
    tab.page.goto(f"{site.third.address}/bank")
    tab.run(
        f"""() => {{
          const form = Object.assign(document.createElement("form"),
            {{method: "post", action: "{site.address}/paid"}});
          document.body.append(form);
          form.submit();
        }}"""
    )
    tab.page.wait_for_url("**/paid")
    tab.settle()
    assert documents(site)[-1] == "POST /paid"
    assert tab.run("[gate.choices.marketing, gate.has('marketing')]") == ["granted", False]
    assert "/film" not in site.third.asked
    assert tab.wrong == []
    tab.go("/next")
    tab.loaded()
    assert tab.run("gate.has('marketing')") is True


def test_on_an_excluded_path_nothing_is_kept_out(tab: Tab, site: Site) -> None:
    """Its answers have no policy of ours, so what is allowed is used on the very page."""
    site.body, site.head = FILM, rendered
    tab.go("/free")
    press(tab, "accept")
    tab.loaded()
    assert (documents(site), site.third.asked) == (["GET /free"], ["/film"])
    assert tab.run("gate.has('marketing')") is True


def test_an_embed_of_what_nobody_keeps_out_is_shown_on_the_page(tab: Tab, site: Site) -> None:
    """Also where the page may not be asked for again: its category has no source of its own."""
    site.body = '<iframe data-category="analytics" data-src="/map" title="A map"></iframe>'
    site.files["/map"] = "<p>A map.</p>"
    tab.go("/maps")
    place = tab.page.locator("[data-gate=embed]")
    place.wait_for()
    place.locator('button[name="action"]').click()
    tab.loaded()
    assert documents(site) == ["GET /maps", "GET /map"]


def test_a_page_on_which_nothing_waits_stays(tab: Tab, site: Site) -> None:
    """It is not used there either: the page's policy would keep it out. On the next it is."""
    site.head = rendered
    tab.go()
    press(tab, "accept")
    assert documents(site) == ["GET /"]
    has = "['preferences', 'analytics', 'marketing'].map((one) => gate.has(one))"
    # No third party belongs to the others.
    assert tab.run(has) == [True, True, False]
    assert tab.run("gate.choices.marketing") == "granted"
    tab.go("/next")
    assert tab.run(has) == [True, True, True]


def test_what_was_sent_is_not_sent_again(tab: Tab, site: Site) -> None:
    """A page that came by POST stays as it is, and the next one has all of it."""
    site.body, site.head = FILM, rendered
    tab.go()
    tab.run(
        """() => {
          const form = Object.assign(document.createElement("form"), {method: "post"});
          document.body.append(form);
          form.submit();
        }"""
    )
    tab.page.wait_for_timeout(300)
    tab.settle()
    press(tab, "accept")
    assert documents(site) == ["GET /", "POST /"]
    assert site.third.asked == []
    tab.go("/next")
    tab.loaded()
    assert site.third.asked == ["/film"]


def test_without_a_word_of_the_server_the_page_stays(tab: Tab, site: Site) -> None:
    """The static line does not know how the page came; its film's own button leads back to it."""
    site.body = FILM
    tab.go("/films?a=1")
    place = tab.page.locator("[data-gate=embed]")
    place.wait_for()
    assert place.locator("button:visible").all_inner_texts() == ["Always allow: Marketing"]
    place.locator("button:visible").click()
    tab.loaded()
    assert documents(site) == ["GET /films", "GET /films"]
    assert tab.page.url == f"{site.address}/films?a=1"


def test_always_shows_what_was_asked_for(tab: Tab, site: Site) -> None:
    """Where the server wrote the place, with its banner on the page."""

    def film(consent: RequestConsent) -> str:
        return consent.embed("marketing", f"{site.third.address}/film", "A film")

    site.body, site.head = film, rendered
    tab.go("/films")
    tab.page.locator("[data-gate=embed] button:visible").click()
    tab.loaded()
    assert documents(site) == ["GET /films", "GET /films"]
    assert tab.run("gate.choices") == {
        "necessary": "granted",
        "analytics": "unset",
        "marketing": "granted",
        "preferences": "unset",
    }


def test_a_no_opens_nothing_anew(tab: Tab, site: Site) -> None:
    """Nor does what was allowed from the start, nor a withdrawal."""
    site.body, site.head = FILM, rendered
    tab.go()
    press(tab, "reject")
    tab.choose(action="withdraw")
    assert documents(site) == ["GET /"]
    tab.page.reload()
    press(tab, "accept")
    tab.loaded()
    assert documents(site) == ["GET /", "GET /", "GET /"]
    tab.choose(action="reject")
    assert documents(site) == ["GET /", "GET /", "GET /"]


def test_a_tag_that_was_forgotten_does_not_load(tab: Tab, site: Site) -> None:
    """A plain one, as long as its category may not be used."""
    site.body, site.head = '<script src="THIRD/plain.js"></script>', rendered
    tab.go()
    assert (site.third.asked, tab.ran) == ([], [])
    press(tab, "accept")
    tab.go()
    assert (site.third.asked, tab.ran) == (["/plain.js"], ["/plain.js"])


@pytest.fixture
def tab(let_in: Callable[..., Tab]) -> Any:
    """Somebody new; what a page's policy keeps out is reported, and thrown by nobody."""
    found = let_in()
    yield found
    assert found.wrong == []
