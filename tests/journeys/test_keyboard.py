"""The banner and the choices by keyboard alone, in real browsers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from journeys.guests import House, Settings
from journeys.shops import OPTIONAL, Person, Shop

LetIn = Callable[..., AbstractContextManager[Person]]

# What has the focus, in few words.
FOCUSED = """(() => {
  const one = document.activeElement;
  return one.value || one.getAttribute("formmethod") || one.textContent.trim() || one.localName;
})()"""


@pytest.fixture
def let_in(house: House, one_shop: Shop) -> LetIn:
    @contextmanager
    def let_in(**settings: bool | int) -> Iterator[Person]:
        with house.guest(Settings(**settings)) as guest:
            yield Person(guest, one_shop)
            assert list(guest.complaints()) == []

    return let_in


@pytest.fixture
def person(let_in: LetIn) -> Iterator[Person]:
    with let_in() as somebody:
        somebody.go("/")
        yield somebody


def tab_to(person: Person, focused: str) -> None:
    """Press Tab until this has the focus."""
    for _ in range(40):
        person.tab.key("Tab")
        if person.tab.evaluate(FOCUSED) == focused:
            return
    raise AssertionError(f"Tab never comes to {focused}")


def test_the_banner_is_the_first_that_tab_comes_to(person: Person) -> None:
    """Its link and three buttons in their order, and then the page: nobody is held in it."""
    found = []
    for _ in range(6):
        person.tab.key("Tab")
        found.append(person.tab.evaluate(FOCUSED))
    assert found == ["What this site stores", "accept", "reject", "get", "Shop", "Basket (0)"]
    person.tab.key("Shift+Tab")
    person.tab.key("Shift+Tab")
    assert person.tab.evaluate(FOCUSED) == "get"


@pytest.mark.parametrize("key", ["Enter", "Space"])
@pytest.mark.parametrize("button", ["accept", "reject"])
def test_each_button_is_pressed_by_enter_and_by_space(
    person: Person, button: str, key: str
) -> None:
    """Afterwards the focus is where the page begins to speak, not lost with the banner."""
    tab_to(person, button)
    person.tab.key(key)
    person.until_shown()
    assert person.allowed() == (list(OPTIONAL) if button == "accept" else [])
    assert person.tab.evaluate("document.activeElement.localName") == "h1"
    person.tab.key("Tab")
    assert person.tab.evaluate(FOCUSED) == "Mug"


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_choices_take_the_focus_and_escape_gives_it_back(person: Person, key: str) -> None:
    """Opened from the banner: its heading has the focus, and Escape leads back to the button."""
    tab_to(person, "get")
    person.tab.key(key)
    person.until_shown("choices")
    person.tab.until("document.activeElement.matches('[data-gate=choices] h2')")
    person.tab.key("Escape")
    person.until_shown("banner")
    assert person.tab.evaluate(FOCUSED) == "get"


def test_the_choices_give_the_focus_back_to_a_link_of_the_page(person: Person) -> None:
    """Opened from the footer, and closed by Escape or by the button that is there for it."""
    tab_to(person, "Privacy choices")
    person.tab.key("Enter")
    person.until_shown("choices")
    person.tab.until("document.activeElement.matches('[data-gate=choices] h2')")
    person.tab.key("Escape")
    person.until_shown("banner")
    assert person.tab.evaluate(FOCUSED) == "Privacy choices"
    person.tab.key("Enter")
    person.until_shown("choices")
    tab_to(person, "Back to the site")
    person.tab.key("Enter")
    person.until_shown("banner")
    assert person.tab.evaluate(FOCUSED) == "Privacy choices"


def test_escape_outside_the_choices_is_the_pages_own(person: Person) -> None:
    """The banner is not closed by it: only an answer does that."""
    tab_to(person, "reject")
    person.tab.key("Escape")
    assert (person.shown(), person.tab.evaluate(FOCUSED)) == (["banner"], "reject")
    tab_to(person, "Shop")
    person.tab.key("Escape")
    assert (person.shown(), person.tab.evaluate(FOCUSED)) == (["banner"], "Shop")


@pytest.mark.parametrize("scripting", [True, False])
def test_enter_among_the_boxes_saves_them(let_in: LetIn, scripting: bool) -> None:
    """It never accepts everything: with and without script only what is ticked counts."""
    with let_in(scripting=scripting) as person:
        person.go("/" if scripting else "/_gate/?next=/")
        if scripting:
            tab_to(person, "get")
            person.tab.key("Enter")
            person.until_shown("choices")
        tab_to(person, "analytics")
        person.tab.key("Space")
        person.tab.key("Enter")
        if scripting:
            person.until_shown()
            assert person.allowed() == ["analytics"]
        person.tab.until("location.pathname === '/'")
        person.go("/statistics")
        assert "this visit is counted" in person.tab.evaluate("document.body.textContent")
        person.go("/_gate/")
        checked = "[...document.querySelectorAll(':checked')].map((one) => one.value)"
        assert person.tab.evaluate(checked) == ["analytics"]


# --- nothing focused is hidden (WCAG 2.2, 2.4.11) ------------------------------------------------

# Which part of the focused element cannot be seen, from 0 to 1: it is outside the window, behind
# the banner, or outside the choices in which it stands.
HIDDEN = """(() => {
  const one = document.activeElement;
  if (one === document.body) return 0;
  const box = one.getBoundingClientRect();
  const out = Math.max(0, -box.top, box.bottom - innerHeight);
  const over = [...document.querySelectorAll("[data-gate]")]
    .filter((section) => !section.contains(one))
    .map((section) => section.getBoundingClientRect())
    .filter((other) => other.left < box.right && box.left < other.right)
    .map((other) => Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top));
  const panel = one.closest("[data-gate]")?.getBoundingClientRect();
  const clipped = panel ? Math.max(0, panel.top - box.top, box.bottom - panel.bottom) : 0;
  return Math.min(1, Math.max(Math.round(Math.max(out, clipped, ...over, 0)) / box.height, 0));
})()"""
# The same, once the page has stopped scrolling.
SETTLED = f"""(async () => {{
  let before = -1;
  for (let frame = 0; frame < 100; frame += 1) {{
    await new Promise(requestAnimationFrame);
    const now = {HIDDEN};
    if (now === before || now === 0) return now;
    before = now;
  }}
  return before;
}})()"""
LONG = """void [...Array(40).keys()].forEach((number) => {
  const line = document.createElement("p");
  const link = document.createElement("a");
  link.href = "#" + number;
  link.textContent = "Line " + number;
  line.append(link);
  document.querySelector("ul").after(line);
})"""


def hidden(person: Person, presses: int, key: str, allowed: float = 0) -> dict[str, Any]:
    """Press a key so often, and return what had the focus and was hidden by more than allowed."""
    found = {}
    for _ in range(presses):
        person.tab.key(key)
        if (part := person.tab.evaluate(SETTLED)) > allowed:
            found[person.tab.evaluate(FOCUSED)] = part
    return found


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 800)])
def test_nothing_that_has_the_focus_is_hidden_by_the_banner(
    let_in: LetIn, width: int, height: int
) -> None:
    """On a page of several screens, forwards and backwards."""
    with let_in(width=width, height=height) as person:
        person.go("/")
        person.tab.evaluate(LONG)
        assert person.shown() == ["banner"]
        assert person.tab.evaluate(
            "getComputedStyle(document.querySelector('.gate')).position"
        ) == ("fixed")
        assert (hidden(person, 58, "Tab"), hidden(person, 50, "Shift+Tab")) == ({}, {})


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1280, 800)])
def test_nothing_that_has_the_focus_is_hidden_in_the_choices(
    let_in: LetIn, width: int, height: int
) -> None:
    """They may be longer than the window, and are scrolled then.

    Firefox leaves alone what it sees a part of; no more than half of it is hidden.
    """
    with let_in(width=width, height=height) as person:
        person.go("/")
        person.tab.click("[data-gate=banner] button[formmethod=get]")
        person.until_shown("choices")
        count = person.tab.evaluate(
            "document.querySelectorAll('[data-gate] :is(button, input:not([type=hidden]), "
            "summary, a)').length"
        )
        assert count > 10
        assert hidden(person, count, "Tab", 0.5) == {}
        assert hidden(person, count, "Shift+Tab", 0.5) == {}


def test_the_end_of_the_page_can_be_seen_under_the_banner(person: Person) -> None:
    """There is room below the last line, so that it can be scrolled above the banner."""
    person.tab.evaluate(LONG)
    person.tab.evaluate("window.scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    lines = person.tab.evaluate(
        json.dumps(["footer", "[data-gate]"])
        + ".map((one) => document.querySelector(one).getBoundingClientRect())"
        + ".map((box) => [Math.round(box.top), Math.round(box.bottom)])"
    )
    assert lines[0][1] <= lines[1][0]
