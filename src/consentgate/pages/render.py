"""Views -> HTML, with Jinja2: the built-in templates, and a site's own in place of them.

Rule 1. Everything is escaped: what stands in the policy, and what visitors send, is text.
Rule 2. A site's template that fails never costs the page: the built-in one of its name is shown.
"""

from __future__ import annotations

import logging
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.policy import Policy
from ..core.views import Around, Page, View
from .texts import Library, Said, Words

if TYPE_CHECKING:
    import jinja2

_log = logging.getLogger("consentgate")
_HERE = Path(__file__).parent
TEMPLATES = _HERE / "templates"
WEB = _HERE / "web"
# The word in a script's source where the vendors belong that a policy names.
VENDORS = "GATE_VENDORS"
# Lines that are nothing but a comment, and what stands before a line: for who reads the source.
_SPACE = re.compile(r"^[ \t]+|\n(?=[ \t]*\n)", re.MULTILINE)
_STYLE_COMMENTS = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n", re.MULTILINE | re.DOTALL)


class JinjaRenderer:
    """Renders what one policy's visitors see.

    Templates of the folder `policy.pages.templates`, as far as there are any, stand in for the
    built-in ones. Jinja2 itself is loaded when the first page is rendered.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._library = Library(policy)
        self._failed: set[str] = set()

    @cached_property
    def script(self) -> str:
        """The script of the banner."""
        return _sent("g")

    @cached_property
    def first(self) -> str:
        """The script that runs before all others; "" where nothing needs it."""
        guards, mode = self._policy.guard != "off", self._policy.consent_mode
        if mode is None:
            return _sent("first-guard") if guards else ""
        vendors = ",".join(f"{one}:{_sent(f'vendors/{one}').strip()}" for one in mode.vendors)
        return _sent("first" if guards else "first-modes").replace(VENDORS, f"{{{vendors}}}")

    @cached_property
    def tags(self) -> str:
        """The script that starts what is held back."""
        return _sent("t")

    @cached_property
    def style(self) -> str:
        """The style sheet, without its comments and the space before its lines."""
        source = (WEB / "g.css").read_text("utf-8")
        return _SPACE.sub("", _STYLE_COMMENTS.sub("", source))

    def render(self, view: View, around: Around) -> Page:
        """Return a view as HTML, in the language that fits best. Never raises."""
        words = self._library.words(around.asked, around.accepts)
        context = surroundings(view, around, words)
        if self._policy.pages.templates:
            try:
                return Page(self._own.get_template(view.template).render(context), words.language)
            except Exception as error:  # the site's own code
                self._tell(view.template, error)
        return Page(self._built_in.get_template(view.template).render(context), words.language)

    @cached_property
    def _built_in(self) -> jinja2.Environment:
        return environment(None)

    @cached_property
    def _own(self) -> jinja2.Environment:
        return environment(self._policy.pages.templates)

    def _tell(self, template: str, error: Exception) -> None:
        """Say once of each template that it fails; not what it says, which may be a visitor's."""
        if template in self._failed:
            return
        self._failed.add(template)
        name, line = line_of(error, template)
        _log.error(
            "the site's template %s cannot be rendered (%s, line %d), so the built-in one is shown",
            name,
            type(error).__name__,
            line,
        )


def _sent(stem: str) -> str:
    """Return a script as it is sent: made of the sources beside it by `make scripts`."""
    return (WEB / "small" / f"{stem}.js").read_text("utf-8")


def surroundings(view: View, around: Around, words: Words) -> dict[str, object]:
    """Return what a template can ask for."""
    return {
        "view": view,
        "policy": around.policy,
        "words": words,
        "base": around.base,
        # What keeps a language that was asked for by name on the way to the next page.
        "kept": f"?lang={words.language}" if around.asked else "",
        "script": around.script,
        "style": around.style,
    }


def environment(folder: str | None) -> jinja2.Environment:
    """Return the environment of the built-in templates, with a folder's in front of them."""
    import jinja2

    loader: jinja2.BaseLoader = jinja2.FileSystemLoader(TEMPLATES)
    if folder is not None:
        # "built-in/banner.html" is what a site's own banner.html may extend.
        loader = jinja2.ChoiceLoader(
            [
                jinja2.FileSystemLoader(folder),
                loader,
                jinja2.PrefixLoader({"built-in": loader}),
            ]
        )
    return jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_with_language,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _with_language(value: Any) -> Any:
    """Mark a text that is in another language than the page (WCAG 2.2, 3.1.2)."""
    from markupsafe import Markup

    if isinstance(value, Said) and value.language:
        return Markup('<span lang="{}" dir="{}">{}</span>').format(
            value.language, value.direction, str(value)
        )
    return value


def line_of(error: Exception, template: str) -> tuple[str, int]:
    """Return the template, and the line of it, in which an error came about (0: unknown)."""
    name, line = getattr(error, "name", None), getattr(error, "lineno", None)
    if isinstance(line, int):  # an error of grammar
        return (name if isinstance(name, str) else template), line
    at, found = error.__traceback__, (template, 0)
    while at is not None:
        file = at.tb_frame.f_code.co_filename
        if file.endswith(".html"):
            found = (Path(file).name, at.tb_lineno)
        at = at.tb_next
    return found
