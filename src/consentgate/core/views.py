"""What the gate's own pages show, as plain data, and who puts it into words and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol

from .policy import Category, Policy


class Control(StrEnum):
    """What a visitor can do about a category."""

    NONE = "none"  # it needs no consent
    ALLOW = "allow"  # a box stands for a yes
    OBJECT = "object"  # it is used without a yes; a box stands for a no


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryView:
    """One category among the choices. `until_objection`: or else it needs no consent here."""

    category: Category
    control: Control
    ticked: bool = False
    until_objection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalView:
    """That Global Privacy Control is honoured. `against`: what a yes would go against."""

    against: tuple[Category, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerView:
    """The banner. `buttons`: "accept", "reject" and "settings", in their order.

    `asked`: what it asks about. A yes must be informed: purposes, and who asks, belong on the first
    layer (EDPB guidelines 05/2020, paragraph 64).
    """

    template: ClassVar[str] = "banner.html"

    buttons: tuple[str, ...]
    asked: tuple[Category, ...]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicesView:
    """All choices. `standing` names what is said first, see the texts of that name.

    `next`: where a choice leads ("": back to this page); `back`: where "back" leads. `over_gpc`:
    a yes given here is one over the signal. `inline`: part of another page, not one of its own.
    """

    template: ClassVar[str] = "preferences.html"

    standing: str
    signal: SignalView | None
    buttons: tuple[str, ...]
    categories: tuple[CategoryView, ...]
    withdraws: bool
    opts_out: bool
    over_gpc: bool
    next: str
    back: str
    inline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutView:
    """The page on which to object to sale and sharing. `done`: it has been said already."""

    template: ClassVar[str] = "opt_out.html"

    signal: SignalView | None
    about: tuple[Category, ...]
    done: bool
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationView:
    """What the site stores, as the policy says it."""

    template: ClassVar[str] = "declaration.html"

    categories: tuple[Category, ...]
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """That a signal is honoured, as a piece of any page."""

    template: ClassVar[str] = "notice.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedView:
    """What stands in the place of a third party's content, until its category is allowed.

    `source` is the host that the content comes from ("": this site), `title` what it is called.
    `leave` are the categories about which nothing is said by a yes to this one. `once`: whether it
    can be loaded on this page alone.
    """

    template: ClassVar[str] = "embed.html"

    category: Category
    source: str
    title: str
    leave: tuple[str, ...]
    signal: SignalView | None
    over_gpc: bool
    once: bool
    next: str


View = BannerView | ChoicesView | OptOutView | DeclarationView | NoticeView | EmbedView


class Asset(NamedTuple):
    """A file of ours: its name below the base, its `integrity` (sha384-…), and its content."""

    name: str
    integrity: str
    content: bytes


class Around(NamedTuple):
    """What a page is made for. `base`: where the gate's own pages are, without a last slash.

    `asked` is a language that was asked for by name, `accepts` an Accept-Language header; both are
    the visitor's bytes.
    """

    policy: Policy
    base: str
    asked: str
    accepts: str
    script: Asset
    style: Asset


class Page(NamedTuple):
    """HTML, and the language (a BCP 47 tag) that it is in."""

    html: str
    language: str


class Sources(Protocol):
    """The sources of what goes with the pages. Where the word GATE_POLICY stands, the policy
    belongs.
    """

    @property
    def script(self) -> str:
        """The script of the banner."""
        ...

    @property
    def style(self) -> str:
        """The style sheet."""
        ...

    @property
    def first(self) -> str:
        """The script that runs before all others; "" if none must."""
        ...

    @property
    def tags(self) -> str:
        """The script that starts what is held back."""
        ...


class Renderer(Sources, Protocol):
    """Puts views into words and HTML."""

    def render(self, view: View, around: Around) -> Page:
        """Return a view as HTML, in the language that fits best. Never raises."""
        ...
