"""What visitors do with the banner and the choices, in real browsers and all three examples.

Each journey compares all that lies on the device afterwards (cookies, localStorage, sessionStorage)
and all that was asked of the network with what the policy allows. Every page of the shops has a
Content-Security-Policy without exceptions, and each journey ends by asking the browser for
complaints: a violation of that policy, or an error of a script.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from journeys.shops import MIRROR, OPTIONAL, PAGE_FILES, Person, Stored

LetIn = Callable[..., AbstractContextManager[Person]]

ACCEPT = "[data-gate] button[value=accept]"
REJECT = "[data-gate] button[value=reject]"
SETTINGS = "[data-gate=banner] button[formmethod=get]"
SAVE = "[data-gate=choices] button[value=save]"
WITHDRAW = "[data-gate=choices] button[value=withdraw]"
FOOTER = "footer a"
POSTED = "POST /_gate/choice"

NECESSARY = {"necessary": "granted"}
ALL = NECESSARY | dict.fromkeys(OPTIONAL, "granted")
NONE = NECESSARY | dict.fromkeys(OPTIONAL, "denied")
UNSET = NECESSARY | dict.fromkeys(OPTIONAL, "unset")


def box(category: str) -> str:
    return f"input[type=checkbox][value={category}]"


def choose(person: Person, button: str) -> None:
    """Press a button of the banner or of the choices in the page, and wait until it is done."""
    person.tab.click(button)
    person.until_shown()


def accepted(person: Person) -> None:
    """Accept on the start page, and open it again."""
    person.go("/")
    choose(person, ACCEPT)
    person.go("/")
    assert person.stored() == person.shop.chosen(*OPTIONAL, sent=OPTIONAL)
    person.asked()


# --- the banner ----------------------------------------------------------------------------------


def test_a_newcomer_is_asked_and_nothing_optional_is_stored(person: Person) -> None:
    """The banner is there, near the start of the page, and costs no request of its own."""
    person.go("/")
    assert person.asked_in_all() == sorted({"GET /", *PAGE_FILES})
    assert person.shown() == ["banner"]
    assert person.stored() == person.shop.nothing_optional()
    assert person.allowed() == []
    assert person.choices() == UNSET
    person.go("/statistics")
    assert person.asked() == ["GET /statistics"]
    assert person.shown() == ["banner"]
    assert person.stored() == person.shop.nothing_optional()


def test_the_banner_is_a_region_that_keeps_nobody_from_the_page(person: Person) -> None:
    """It comes first, is no dialog, takes no focus, and the page behind it can be used."""
    person.go("/")
    assert person.tab.evaluate(
        """(() => {
          const one = document.querySelector("[data-gate=banner]");
          const focusable = [...document.querySelectorAll("a, button, input:not([type=hidden])")];
          return [one.localName, one.getAttribute("role"), one.hasAttribute("aria-modal"),
            one.getAttribute("aria-label"), one.parentElement === document.body,
            one.contains(focusable[0]), document.activeElement === document.body,
            document.querySelector("[inert]") === null];
        })()"""
    ) == ["section", None, False, "Privacy", True, True, True, True]
    person.tab.press("nav a[href='/about']")
    assert person.tab.evaluate("location.pathname") == "/about"


def test_a_refusal_stores_itself_and_nothing_else(person: Person) -> None:
    """One press and one request; the page stays as it is, and later pages do not ask."""
    person.go("/")
    person.asked()
    choose(person, REJECT)
    assert person.asked() == [POSTED]
    assert person.stored() == person.shop.chosen()
    assert (person.choices(), person.allowed()) == (NONE, [])
    for path in ("/", "/about", "/statistics"):
        person.go(path)
        assert person.asked() == [f"GET {path}"]
        assert person.shown() == []
        assert person.stored() == person.shop.chosen()


def test_a_yes_to_everything_is_heeded_at_once(person: Person) -> None:
    """The page's scripts may go on without a reload; the server's cookies come with the next."""
    person.go("/")
    person.asked()
    choose(person, ACCEPT)
    assert person.asked() == [POSTED]
    assert (person.choices(), person.allowed()) == (ALL, list(OPTIONAL))
    assert person.stored() == person.shop.chosen(*OPTIONAL)
    person.go("/")
    assert person.asked() == ["GET /"]
    assert person.shown() == []
    assert person.stored() == person.shop.chosen(*OPTIONAL, sent=OPTIONAL)


def test_some_can_be_allowed_and_the_rest_refused(person: Person) -> None:
    """The third button shows all choices in the page; no box is ticked; what is ticked counts."""
    person.go("/")
    person.asked()
    person.tab.click(SETTINGS)
    person.until_shown("choices")
    assert person.asked() == ["GET /_gate/banner?lang=en&next=%2F&open=1"]
    assert person.tab.evaluate("[...document.querySelectorAll(':checked')].length") == 0
    person.tab.click(box("analytics"))
    choose(person, SAVE)
    assert person.asked() == [POSTED]
    assert person.choices() == {**NONE, "analytics": "granted"}
    assert person.allowed() == ["analytics"]
    assert person.stored() == person.shop.chosen("analytics")
    person.go("/")
    assert person.stored() == person.shop.chosen("analytics", sent=["analytics"])


def test_a_choice_can_be_changed(person: Person) -> None:
    """The link in the footer shows the choices as they stand; what is unticked is gone at once."""
    accepted(person)
    person.tab.click(FOOTER)
    person.until_shown("choices")
    assert person.tab.evaluate(
        "[...document.querySelectorAll(':checked')].map((one) => one.value).sort()"
    ) == sorted(OPTIONAL)
    person.tab.click(box("marketing"))
    person.tab.click(box("preferences"))
    choose(person, SAVE)
    assert person.asked() == ["GET /_gate/banner?lang=en&next=%2F&open=1", POSTED]
    assert person.choices() == {**NONE, "analytics": "granted"}
    assert person.stored() == person.shop.chosen("analytics", sent=["analytics"])
    person.go("/")
    assert person.stored() == person.shop.chosen("analytics", sent=["analytics"])


def test_a_withdrawal_makes_a_newcomer(person: Person) -> None:
    """All that was stored is gone, and the banner asks again."""
    accepted(person)
    person.tab.click(FOOTER)
    person.until_shown("choices")
    person.tab.click(WITHDRAW)
    person.until_shown("banner")
    assert person.stored() == person.shop.nothing_optional()
    assert (person.choices(), person.allowed()) == (UNSET, [])
    person.go("/")
    assert person.shown() == ["banner"]
    assert person.stored() == person.shop.nothing_optional()


# --- what visitors delete or block ---------------------------------------------------------------


def test_who_deletes_cookies_and_storage_is_asked_again(person: Person) -> None:
    """Nothing of a choice outlives them, on pages that come from a cache too."""
    accepted(person)
    person.guest.forget_cookies()
    person.tab.evaluate("(localStorage.clear(), sessionStorage.clear())")
    for path in ("/about", "/"):
        person.go(path)
        person.until_shown("banner")
        assert person.allowed() == []
    assert person.stored() == person.shop.nothing_optional()


def test_an_old_mirror_opens_nothing(person: Person) -> None:
    """Who deletes the cookies alone is a newcomer: what the mirror said is taken away."""
    accepted(person)
    person.guest.forget_cookies()
    for path in ("/about", "/"):
        person.go(path)
        person.until_shown("banner")
        assert person.allowed() == []
    assert person.stored() == person.shop.nothing_optional()


def test_a_lost_mirror_is_written_again(person: Person) -> None:
    """Safari empties localStorage after seven days: the choice still stands, and nobody asks."""
    accepted(person)
    person.tab.evaluate("(localStorage.clear(), sessionStorage.clear())")
    person.go("/about")
    assert person.shown() == []
    person.tab.until(f"localStorage.getItem({MIRROR!r}) !== null")
    assert person.asked() == ["GET /about"]
    chosen = person.shop.chosen(*OPTIONAL, sent=OPTIONAL)
    # That page has no tags, which would write what is theirs again.
    again = person.shop.chosen(*OPTIONAL, tags=False)
    assert person.stored() == Stored(chosen.cookies, again.local, again.session)


def test_all_of_it_works_without_script(let_in: LetIn) -> None:
    """Reject, save some, withdraw: plain forms that lead back to the page they were pressed on."""
    with let_in(scripting=False) as person:
        person.go("/")
        assert person.asked_in_all() == sorted(
            {"GET /", *(one for one in PAGE_FILES if not one.endswith(".js"))}
        )
        assert person.shown() == ["banner"]
        position = "getComputedStyle(document.querySelector('[data-gate]')).position"
        assert person.tab.evaluate(position) == "static"
        assert person.stored() == person.shop.nothing_optional()

        person.tab.press(REJECT)
        assert person.asked() == ["GET /", POSTED]
        assert person.shown() == []
        assert person.stored() == person.shop.chosen(scripting=False)

        person.tab.press(FOOTER)
        assert person.asked() == ["GET /_gate/?next=/"]
        person.tab.click(box("analytics"))
        person.tab.press("button[value=save]")
        assert person.asked() == ["GET /", POSTED]
        assert person.stored() == person.shop.chosen(
            "analytics", sent=["analytics"], scripting=False
        )

        person.tab.press(FOOTER)
        person.tab.press("button[value=withdraw]")
        assert person.shown() == ["banner"]
        assert person.stored() == person.shop.nothing_optional()

        person.tab.press(SETTINGS)
        assert person.asked()[-1] == "POST /_gate/choice"
        assert person.tab.evaluate("location.pathname + location.search") == "/_gate/?next=%2F"
        person.tab.press(ACCEPT.replace("[data-gate] ", ""))
        assert person.tab.evaluate("location.pathname") == "/"
        assert person.stored() == person.shop.chosen(*OPTIONAL, sent=OPTIONAL, scripting=False)


def test_who_blocks_cookies_is_left_in_peace(let_in: LetIn) -> None:
    """No banner that could not keep the answer, nothing optional, and no request more."""
    with let_in(cookies=False) as person:
        for path in ("/", "/about", "/"):
            person.go(path)
            assert person.shown() == []
            assert person.allowed() == []
            assert person.asked() == [f"GET {path}"]
            assert person.stored() == Stored([], {}, {})


def test_who_blocks_storage_can_choose_all_the_same(let_in: LetIn) -> None:
    """The companion cookie says what the mirror cannot."""
    with let_in(storage=False) as person:
        person.go("/")
        choose(person, ACCEPT)
        assert (person.choices(), person.allowed()) == (ALL, list(OPTIONAL))
        person.asked()
        for path in ("/about", "/"):
            person.go(path)
            assert person.asked() == [f"GET {path}"]
            assert person.shown() == []
            assert person.allowed() == list(OPTIONAL)
        stored = person.stored()
        assert stored.cookies == person.shop.chosen(*OPTIONAL, sent=OPTIONAL).cookies
        assert stored.local == {}


# --- pages from caches ---------------------------------------------------------------------------


def from_cache(person: Person) -> bool:
    """Say whether the page open now came from the browser's cache."""
    size = "performance.getEntriesByType('navigation')[0].transferSize"
    return bool(person.tab.evaluate(size) == 0)


def test_a_page_from_a_cache_shows_what_is_right_today(person: Person) -> None:
    """One file for everybody: it asks newcomers, and nobody who has chosen since it was kept."""
    person.go("/about")
    person.until_shown("banner")
    assert person.asked() == ["GET /_gate/banner?lang=en&next=%2Fabout&open=", "GET /about"]
    assert person.stored() == Stored([], {}, {})
    person.go("/")
    choose(person, REJECT)
    person.asked()

    person.go("/about")
    assert from_cache(person)
    assert person.shown() == []
    assert person.allowed() == []
    assert person.asked() == ["GET /about"]
    assert person.stored() == person.shop.chosen()

    person.tab.click(FOOTER)
    person.until_shown("choices")
    choose(person, ACCEPT)
    assert person.allowed() == list(OPTIONAL)
    assert person.stored() == person.shop.chosen(*OPTIONAL, tags=False)


def test_a_choice_can_be_made_on_a_page_from_a_cache(person: Person) -> None:
    """The banner that the script put there is the same, and works the same."""
    person.go("/about")
    person.until_shown("banner")
    person.go("/")
    person.go("/about")
    assert from_cache(person)
    person.until_shown("banner")
    person.asked()
    choose(person, REJECT)
    assert person.asked() == [POSTED]
    assert person.stored() == person.shop.chosen()


def test_the_back_button_shows_no_banner_that_was_answered(person: Person) -> None:
    """The page that comes back as it was left takes note of what was chosen meanwhile."""
    person.go("/")
    assert person.shown() == ["banner"]
    person.tab.evaluate("(window.kept = true)")
    person.go("/statistics")
    choose(person, ACCEPT)
    person.tab.back()
    person.tab.until("location.pathname === '/'")
    person.until_shown()
    assert person.tab.evaluate("window.kept === true")
    assert (person.choices(), person.allowed()) == (ALL, list(OPTIONAL))


def test_the_back_button_asks_who_is_a_newcomer_again(person: Person) -> None:
    """The page that comes back may no longer use what was allowed when it was left."""
    accepted(person)
    person.tab.evaluate("(window.kept = true)")
    person.go("/statistics")
    person.guest.forget_cookies()
    person.tab.back()
    person.tab.until("location.pathname === '/'")
    person.until_shown("banner")
    assert person.tab.evaluate("window.kept === true")
    assert person.allowed() == []
    assert person.stored().local == {}


# --- two tabs, and slow networks -----------------------------------------------------------------


def test_one_tab_follows_the_other(person: Person) -> None:
    """A choice in one tab is heeded in the other, which needs no reload for it."""
    person.go("/")
    other = person.guest.another_tab()
    other.visit(person.shop.address + "/")
    other.click(ACCEPT)
    person.until_shown()
    assert (person.choices(), person.allowed()) == (ALL, list(OPTIONAL))
    other.visit(person.shop.address + "/about")
    other.click(FOOTER)
    other.until("document.querySelector('[data-gate=choices]') !== null")
    other.click(REJECT)
    person.tab.until("!gate.has('analytics')")
    assert (person.choices(), person.allowed(), person.shown()) == (NONE, [], [])
    assert person.stored() == person.shop.chosen()


def test_on_a_slow_network_nothing_starts_before_the_answer(person: Person) -> None:
    """A choice on its way can be seen to be, is not sent twice, and opens nothing yet."""
    person.go("/")
    person.asked()
    with person.guest.holding("/_gate/choice"):
        person.tab.click(ACCEPT)
        person.tab.until("document.querySelector('[data-gate][aria-busy=true]') !== null")
        person.tab.click(ACCEPT)
        assert person.allowed() == []
        assert person.stored() == person.shop.nothing_optional()
    person.until_shown()
    assert person.asked() == [POSTED]
    assert person.stored() == person.shop.chosen(*OPTIONAL)


def test_on_a_slow_network_a_page_from_a_cache_does_not_wait(person: Person) -> None:
    """It is there and can be used, without a banner and without anything optional."""
    with person.guest.holding("/_gate/banner"):
        person.go("/about")
        assert person.shown() == []
        assert person.allowed() == []
        assert person.stored(known=False) == Stored([], {}, {})
    person.until_shown("banner")
    assert person.allowed() == []


# --- strict pages --------------------------------------------------------------------------------


def test_a_strict_page_has_nothing_to_complain_of(person: Person) -> None:
    """No violation of a Content-Security-Policy that allows the site's own files alone."""
    for path in ("/", "/about"):
        person.go(path)
        policy = person.tab.evaluate(
            "fetch(location).then((answer) => answer.headers.get('content-security-policy'))"
        )
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'; ")
        assert "unsafe" not in policy.partition(", ")[0]  # what follows is the gate's own
        person.until_shown("banner")
        person.tab.click(SETTINGS)
        person.until_shown("choices")
        person.tab.click("[data-gate-close]")
        person.until_shown("banner")
        assert list(person.guest.complaints()) == []
    for path in ("/_gate/", "/_gate/declaration", "/_gate/opt-out"):
        person.go(path)
        assert list(person.guest.complaints()) == []
