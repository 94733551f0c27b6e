"""A site's own templates are tried at start-up, in all the ways they can be asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from consentgate.core.policy import Category, Controller, Exemption, Pages
from consentgate.pages.render import TEMPLATES
from consentgate.pages.trial import Fault, faults_in
from core.samples import POLICY


def faults(folder: Path, **templates: str) -> list[Fault]:
    for name, text in templates.items():
        (folder / f"{name}.html").write_text(text)
    maps = Category(id="maps", exemption=Exemption(kind="statistical", objection="/no"))
    policy = replace(
        POLICY,
        pages=Pages(templates=str(folder)),
        categories=(*POLICY.categories, maps),
        controller=Controller(name="Shop"),
    )
    return list(faults_in(policy))


def test_the_built_in_templates_have_no_fault(tmp_path: Path) -> None:
    """Copied as they are, to begin with; nor does an empty folder have one."""
    assert faults(tmp_path) == []
    texts = {path.stem: path.read_text() for path in TEMPLATES.glob("*.html")}
    assert faults(tmp_path, **texts) == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\n{% if %}", 2, "Expected an expression, got 'end of statement block'"),
        ("\n\n{{ words.nothing }}", 3, "has no attribute 'nothing'"),
        ("{{ view.nothing }}", 1, "has no attribute 'nothing'"),
        ("{{ nothing }}", 1, "'nothing' is undefined"),
        ('\n{% include "other.html" %}', 2, "other.html"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_a_fault(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    """Once, with its line and what is wrong there."""
    (fault,) = faults(tmp_path, notice=text)
    assert (fault.template, fault.line, fault.dark) == ("notice.html", line, False)
    assert fault.message.startswith("cannot be rendered: ")
    assert message in fault.message


def test_a_fault_is_that_of_the_file_it_is_in(tmp_path: Path) -> None:
    """Also where others include it."""
    inner = tmp_path / "inner.html"
    inner.write_text("\n{{ nothing }}")
    (fault,) = faults(tmp_path, notice='{% include "inner.html" %}')
    assert (fault.template, fault.line) == ("inner.html", 2)


def test_what_only_some_visitors_see_is_tried_too(tmp_path: Path) -> None:
    """The choices as a part of a page, for who signals, with an objection and so on."""
    for case in ("view.inline", "view.signal and view.signal.against", "view.over_gpc"):
        text = '{% extends "built-in/preferences.html" %}{% block end %}'
        text += "{% if " + case + " %}{{ nothing }}{% endif %}{% endblock %}"
        (fault,) = faults(tmp_path, preferences=text)
        assert (fault.template, fault.message) == (
            "preferences.html",
            "cannot be rendered: 'nothing' is undefined",
        )


ACCEPT = '<button name="action" value="accept">Yes</button>'
REJECT = "<button name=action value=reject>No</button>"


@pytest.mark.parametrize(
    ("template", "text", "message"),
    [
        ("banner", ACCEPT, "has no reject: each is a button"),
        ("banner", REJECT, "has no accept: each is a button"),
        ("banner", "<p>We use everything.</p>", "has no accept and no reject: each is a button"),
        ("preferences", ACCEPT, "has no reject: each is a button"),
        ("preferences", ACCEPT + REJECT, "has nothing to take a choice back with"),
        ("banner", f"{ACCEPT}<!-- {REJECT} -->", "has no reject: each is a button"),
        ("banner", f"{ACCEPT}<p hidden><br>{REJECT}</p>", "has no reject: each is a button"),
        ("banner", f"{ACCEPT}<template>{REJECT}</template>", "has no reject: each is a button"),
        (
            "banner",
            ACCEPT + REJECT.replace(">", " disabled>", 1),
            "has no reject: each is a button",
        ),
        ("banner", ACCEPT + REJECT.replace(">", " hidden>", 1), "has no reject: each is a button"),
        ("banner", ACCEPT + '<input name="action" value="reject">', "has no reject: each is a"),
    ],
)
def test_a_template_without_a_way_to_refuse_is_a_dark_pattern(
    tmp_path: Path, template: str, text: str, message: str
) -> None:
    """As is one with no way back."""
    (fault,) = faults(tmp_path, **{template: text})
    assert (fault.template, fault.line, fault.dark) == (f"{template}.html", 0, True)
    assert fault.message.startswith(message)


def test_a_banner_with_both_is_in_order(tmp_path: Path) -> None:
    """However it is written, and whatever else is hidden there."""
    assert faults(tmp_path, banner=f"<p hidden>x<br></p>{ACCEPT}{REJECT}") == []
