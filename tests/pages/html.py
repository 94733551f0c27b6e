"""HTML taken apart, as far as the tests of the pages need it."""

from __future__ import annotations

from html.parser import HTMLParser

Element = tuple[str, dict[str, str | None]]
_VOID = {"meta", "link", "input", "br", "hr", "img"}


class Parsed(HTMLParser):
    """Every element with its attributes, all of its text, and what was left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        last = self.open.pop()
        assert last == tag, f"</{tag}> closes <{last}>"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def words(self) -> str:
        """The text, each run of white space one space."""
        return " ".join(self.text.split())
