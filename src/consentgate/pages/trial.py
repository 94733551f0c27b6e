"""A site's own templates, tried before any visitor sees them."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from ..core.policy import Policy
from ..core.views import (
    Around,
    Asset,
    BannerView,
    CategoryView,
    ChoicesView,
    Control,
    DeclarationView,
    EmbedView,
    NoticeView,
    OptOutView,
    SignalView,
    View,
)
from .render import environment, line_of, surroundings
from .texts import Library

_FILE = Asset(name="g.0.x", integrity="sha384-0", content=b"")


class _Buttons(HTMLParser):
    """Finds out with which actions a choice can be sent by what can be seen and pressed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.actions: set[str | None] = set()
        self._hidden = 0  # elements that are open within one that is hidden, and itself
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in _VOID:
            return
        if self._hidden or "hidden" in attributes or tag == "template":
            self._hidden += 1
        elif (
            tag == "button" and "disabled" not in attributes and attributes.get("name") == "action"
        ):
            self.actions.add(attributes.get("value"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._hidden = max(0, self._hidden - 1)


_VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Fault(NamedTuple):
    """What is wrong with a template. `line` is 0 where it is the whole; `dark`: a dark pattern."""

    template: str
    line: int
    message: str
    dark: bool = False


def faults_in(policy: Policy) -> Iterator[Fault]:
    """Yield what is wrong with the templates in the policy's folder.

    Each is rendered in all the ways in which it can be asked for. Of the banner and the choices it
    is seen to that refusing is there where accepting is, and taking back where there is something
    to take back (GDPR article 7(3)).
    """
    own = {path.name for path in Path(policy.pages.templates).glob("*.html")}
    if not own:
        return
    found = environment(policy.pages.templates)
    words = Library(policy).words(policy.pages.language, "")
    around = Around(policy, "/_gate", "", "", _FILE, _FILE)
    told: set[tuple[str, int]] = set()
    for view in _views(policy):
        try:
            html = found.get_template(view.template).render(surroundings(view, around, words))
        except Exception as error:  # the site's own code
            name, line = line_of(error, view.template)
            if name in own and (name, line) not in told:
                told.add((name, line))
                yield Fault(name, line, f"cannot be rendered: {error}")
            continue
        for message in _missing(view, html):
            if (view.template, 0) not in told:
                told.add((view.template, 0))
                yield Fault(view.template, 0, message, dark=True)


def _missing(view: View, html: str) -> Iterator[str]:
    buttons = _Buttons(html).actions
    if isinstance(view, BannerView | ChoicesView) and not {"accept", "reject"} <= buttons:
        missing = " and no ".join(sorted({"accept", "reject"} - buttons))
        yield f'has no {missing}: each is a button with name="action" and that value'
    if isinstance(view, EmbedView) and "save" not in buttons:
        yield 'has no way to allow it for good: a button with name="action", value="save"'
    if isinstance(view, ChoicesView) and view.withdraws and "withdraw" not in buttons:
        yield 'has nothing to take a choice back with: name="action", value="withdraw"'


def _views(policy: Policy) -> Iterator[View]:
    """Yield every kind of page, empty and full."""
    categories = policy.categories
    buttons = ("accept", "reject", "settings")
    signals = (None, SignalView(), SignalView(against=categories))
    yield BannerView(buttons=buttons, asked=(), next="")
    yield BannerView(buttons=buttons[1::-1], asked=categories, next="/x")
    yield NoticeView()
    yield DeclarationView(categories=categories, back="/")
    for one in categories:
        for signal in (None, SignalView(against=(one,))):
            yield EmbedView(
                category=one,
                source="",
                title="",
                leave=(one.id,),
                signal=signal,
                over_gpc=signal is not None,
                once=signal is None,
                next="",
            )
    for full in (False, True):
        for inline in (False, True):
            for signal in signals:
                yield ChoicesView(
                    standing="decided" if full else "undecided",
                    signal=signal,
                    buttons=buttons[:2],
                    categories=tuple(
                        CategoryView(
                            category=one, control=control, ticked=full, until_objection=full
                        )
                        for one in categories
                        for control in Control
                    ),
                    withdraws=full,
                    opts_out=full,
                    over_gpc=full,
                    next="/x" if full else "",
                    back="/",
                    inline=inline,
                )
        for signal in signals:
            yield OptOutView(signal=signal, about=categories[:full], done=full, back="/")
