"""axe-core finds nothing to say about what visitors see, however they see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from journeys.in_chromium import ChromiumGuest, InChromium
from journeys.shops import Person, Shop

# WCAG 2.2, levels A and AA: each version's own tags.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = f"""axe.run(document, {{runOnly: {{type: "tag", values: {TAGS}}}}}).then((found) =>
  found.violations.flatMap(({{id, nodes}}) => nodes.map((node) =>
    `${{id}}: ${{node.target}}: ${{node.failureSummary}}`)))"""

# How the same page may be shown.
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light", "forced_colors": "none"},
    {"color_scheme": "dark", "forced_colors": "none"},
    {"color_scheme": "light", "forced_colors": "active"},
    {"color_scheme": "dark", "forced_colors": "active"},
]


def banner(person: Person) -> None:
    person.go("/")
    assert person.shown() == ["banner"]


def choices(person: Person) -> None:
    person.go("/")
    # In the language of the banner that they take the place of.
    person.tab.evaluate("gate.open()")
    person.until_shown("choices")


def preferences(person: Person) -> None:
    person.go("/_gate/?next=/")


def declaration(person: Person) -> None:
    person.go("/_gate/declaration")


def opt_out(person: Person) -> None:
    person.go("/_gate/opt-out")


ALL = [banner, choices, preferences, declaration, opt_out]


def findings(guest: ChromiumGuest, axe: str) -> dict[str, list[str]]:
    """Open all details, look at the page in every way, and return what there is to say."""
    guest.tab.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    guest.tab.evaluate(axe)
    found = {}
    for look in LOOKS:
        guest.tab.page.emulate_media(**look)
        found[" ".join(look.values())] = guest.tab.evaluate(RUN)
    return {look: said for look, said in found.items() if said}


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])
@pytest.mark.parametrize("see", ALL)
def test_axe_finds_nothing(
    playwright_chromium: InChromium,
    one_shop: Shop,
    axe: str,
    see: Callable[[Person], None],
    language: str,
    direction: str,
) -> None:
    """At WCAG 2.2 A and AA: light, dark and in forced colours, and from right to left."""
    with playwright_chromium.guest(locale=language) as guest:
        see(Person(guest, one_shop))
        said = "document.querySelector('.gate').closest('[dir]')"
        assert guest.tab.evaluate(f"[{said}.lang, {said}.dir]") == [language, direction]
        assert findings(guest, axe) == {}


@pytest.mark.parametrize("see", ALL)
def test_it_is_dark_where_the_page_is(
    playwright_chromium: InChromium, one_shop: Shop, see: Callable[[Person], None]
) -> None:
    """A page that follows the visitor's light or dark is followed."""
    with playwright_chromium.guest(color_scheme="dark") as guest:
        see(Person(guest, one_shop))
        colour = "getComputedStyle(document.querySelector('.gate')).backgroundColor"
        dark = guest.tab.evaluate(colour)
        guest.tab.page.emulate_media(color_scheme="light")
        assert [dark, guest.tab.evaluate(colour)] == ["rgb(18, 18, 18)", "rgb(255, 255, 255)"]


@pytest.mark.parametrize("see", ALL)
def test_axe_finds_nothing_on_a_narrow_screen(
    playwright_chromium: InChromium, one_shop: Shop, axe: str, see: Callable[[Person], None]
) -> None:
    """At 320 pixels nothing is beside the window, and targets are still large enough (2.5.8)."""
    with playwright_chromium.guest(viewport={"width": 320, "height": 640}) as guest:
        see(Person(guest, one_shop))
        assert findings(guest, axe) == {}
        page = "document.documentElement"
        assert guest.tab.evaluate(f"{page}.scrollWidth <= {page}.clientWidth")


@pytest.mark.parametrize("see", [choices, preferences, opt_out])
def test_axe_finds_nothing_where_a_signal_is_honoured(
    playwright_chromium: InChromium, one_shop: Shop, axe: str, see: Callable[[Person], None]
) -> None:
    """Nor in the notice that says so."""
    with playwright_chromium.guest(extra_http_headers={"Sec-GPC": "1"}) as guest:
        see(Person(guest, one_shop))
        assert guest.tab.evaluate("document.querySelector('[role=status]') !== null")
        assert findings(guest, axe) == {}
