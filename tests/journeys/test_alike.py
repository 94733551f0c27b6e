"""Accept and reject are alike in every respect that can be measured, in every language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import consentgate
from journeys.in_chromium import InChromium
from journeys.shops import Person, Shop

LANGUAGES = sorted(
    file.stem for file in Path(consentgate.__file__).parent.glob("pages/texts/*.toml")
)
LOOKS = [
    "color",
    "backgroundColor",
    "borderTopWidth",
    "borderTopColor",
    "borderTopStyle",
    "borderTopLeftRadius",
    "paddingTop",
    "fontFamily",
    "fontSize",
    "fontWeight",
    "fontStyle",
    "letterSpacing",
    "textTransform",
    "textDecorationLine",
    "opacity",
    "boxShadow",
    "filter",
    "transform",
    "cursor",
    "display",
    "visibility",
]
MEASURED = """((form, names) =>
  [...document.querySelector(form).querySelectorAll("button")].map((one) => {
    const style = getComputedStyle(one);
    const { left, top, width, height } = one.getBoundingClientRect();
    const looks = Object.fromEntries(names.map((name) => [name, style[name]]));
    return { looks: { ...looks, classes: one.className }, place: { left, top, width, height } };
  })
)"""


def measured(person: Person, form: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.tab.evaluate(
        f"{MEASURED}({json.dumps(form)}, {json.dumps(LOOKS)})"
    )
    return found


def differing(found: list[dict[str, Any]]) -> set[str]:
    """Return in which of their measures the boxes differ, by more than what is rounded."""
    places = [one["place"] for one in found]
    return {
        name
        for name in places[0]
        if max(one[name] for one in places) - min(one[name] for one in places) > 0.1
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    ("path", "form", "buttons"),
    [("/", "[data-gate=banner] form", 3), ("/_gate/", "form", 2)],
    ids=["banner", "preferences"],
)
def test_accept_and_reject_are_alike(
    playwright_chromium: InChromium,
    one_shop: Shop,
    path: str,
    form: str,
    buttons: int,
    width: int,
    scheme: str,
) -> None:
    """In size, weight and colour, and side by side or below each other; in the banner all three."""
    with playwright_chromium.guest(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as guest:
        person = Person(guest, one_shop)
        person.go(path)
        found = measured(person, form)
        assert len(found) == buttons
        assert [one["looks"] for one in found] == [found[0]["looks"]] * buttons
        assert differing(found) in ({"left"}, {"top"})


# --- no text is cut off --------------------------------------------------------------------------

# Every element with text of its own that is wider or higher inside than it is.
CUT = """(() => {
  document.documentElement.style.fontSize = "200%";
  document.querySelectorAll("details").forEach((one) => (one.open = true));
  const found = [];
  for (const one of document.querySelectorAll(".gate, .gate *")) {
    const style = getComputedStyle(one);
    const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!said || style.display === "inline" || style.clipPath !== "none") continue;
    const head = one.closest("thead");
    if (head && getComputedStyle(head).clipPath !== "none") continue;
    const wide = one.scrollWidth - one.clientWidth;
    const high = one.scrollHeight - one.clientHeight;
    if (wide > 1 || (high > 1 && one.localName === "button")) {
      found.push(`${one.localName} ${one.textContent.trim()}: ${wide} ${high}`);
    }
  }
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) found.push(`the page: ${page.scrollWidth}`);
  return found;
})()"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_cut_off_at_twice_its_size(
    playwright_chromium: InChromium, one_shop: Shop, language: str
) -> None:
    """In the banner and on the preferences page, on a wide screen and on a narrow one."""
    found = {}
    with playwright_chromium.guest(locale=language) as guest:
        person = Person(guest, one_shop)
        for path in ("/", "/_gate/"):
            person.go(path)
            spoken = person.tab.evaluate("document.querySelector('.gate').closest('[lang]').lang")
            assert spoken.partition("-")[0] == language
            for width in (1280, 360):
                guest.tab.page.set_viewport_size({"width": width, "height": 800})
                found[path, width] = person.tab.evaluate(CUT)
    assert found == {(path, width): [] for path in ("/", "/_gate/") for width in (1280, 360)}
