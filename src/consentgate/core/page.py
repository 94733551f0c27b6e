"""The preferences page: plain HTML forms, no script, accept and reject alike in every respect."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from .compiled import Compiled
from .consent import Choice
from .policy import Category, Controller, Rule
from .standing import Basis
from .visit import Visit

_STYLE = """
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}
fieldset{border:1px solid;border-radius:.5rem;margin:1rem 0;padding:.75rem 1rem}
legend{padding:0 .4rem}label,legend{font-weight:600}
input[type=checkbox]{width:1.2rem;height:1.2rem;vertical-align:-.2rem;margin-right:.4rem}
p{margin:.4rem 0}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;overflow-wrap:anywhere}
.choices{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0}
.choices button{flex:1 1 9rem}
button{font:inherit;font-weight:600;padding:.6rem 1rem;border:2px solid;border-radius:.5rem;
background:Canvas;color:CanvasText;cursor:pointer}
button:focus-visible,input:focus-visible,a:focus-visible{outline:3px solid Highlight;
outline-offset:2px}
"""
# The page works under the strictest policy: its one style is allowed by hash, nothing else at all.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def preferences(site: Compiled, visit: Visit, next_path: str, home: str) -> str:
    """Return the preferences page for this visitor.

    Two forms, because the Enter key presses a form's first button: among the boxes that must be
    "save", never "accept".

    `next_path` is where a choice and "back" lead; without it, to this page and to `home`.
    """
    back = escape(next_path or home, quote=True)
    hidden = f'<input type="hidden" name="next" value="{back}">' if next_path else ""
    if visit.gpc and site.sold:  # the notice of it stands above
        hidden += '<input type="hidden" name="over_gpc" value="1">'
    # In the policy's order; both are always there.
    order = [one for one in (*site.policy.banner.buttons, *_BUTTONS) if one in _BUTTONS]
    buttons = "".join(_BUTTONS[one] for one in dict.fromkeys(order))
    changed = '<button name="action" value="withdraw">Withdraw my choice</button>'
    opt_out = f' · <a href="opt-out">{_OPT_OUT}</a>' if site.sold or site.lenient else ""
    return _document(
        "Privacy choices",
        f"""<p>{_standing(visit)}</p>
{_signal(site, visit)}<p>You may change your mind here at any time. The site works either way.</p>
<form method="post" action="choice">{hidden}
<div class="choices">
{buttons}</div>
</form>
<form method="post" action="choice">{hidden}
{"".join(_category(category, visit) for category in site.categories)}
<div class="choices">
<button name="action" value="save">Save these choices</button>
{changed if visit.decided else ""}
</div>
</form>
{_controller(site.policy.controller)}<p><a href="{back}">Back to the site</a>{opt_out} · \
Policy version {escape(visit.version)}</p>
""",
    )


def opt_out(site: Compiled, visit: Visit, home: str) -> str:
    """Return the page on which to object to sale and sharing: this page and one button."""
    sold = site.sold or site.optional
    labels = [escape(one.label) for one in site.categories if one.id in sold]
    names = f": {', '.join(labels)}" if labels else ""
    if all(visit.choice(id) is Choice.DENIED for id in sold):
        said = f'<p role="status">You have opted out. This is not used for you{names}.</p>'
    else:
        said = f"""<p>One press of the button is enough. It is about what this site sells, shares or
uses for advertising{names}.</p>
<form method="post" action="opt-out">
<div class="choices"><button>{_OPT_OUT}</button></div>
</form>"""
    return _document(
        _OPT_OUT,
        f"""{_signal(site, visit)}{said}
{_controller(site.policy.controller)}<p><a href="./">All privacy choices</a> · \
<a href="{escape(home, quote=True)}">Back to the site</a></p>
""",
    )


_OPT_OUT = "Do not sell or share my personal information"
_BUTTONS = {
    "accept": '<button name="action" value="accept">Accept all</button>\n',
    "reject": '<button name="action" value="reject">Reject all</button>\n',
}


def _document(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}</main>
</body>
</html>
"""


def _standing(visit: Visit) -> str:
    if visit.standing.unasked:
        return "Where you are, some of this may be used until you object. It says so below."
    if not visit.decided and visit.gpc:
        return "Your browser has said no for you, so nothing optional is used."
    if not visit.decided:
        return "You have not chosen yet, so nothing optional is used."
    if visit.needs_choice:
        return "There is something new to choose; what you chose before still stands."
    return "Your choice is recorded as shown below."


def _signal(site: Compiled, visit: Visit) -> str:
    if not visit.gpc:
        return ""
    text = f"{visit.opt_out_notice}\n<p>Your browser sends Global Privacy Control, or has sent it."
    labels = [escape(one.label) for one in site.categories if one.id in site.sold]
    if labels:
        text += (
            f" It says no to: {', '.join(labels)}. If you say yes to that here, your yes goes "
            "against this signal, and this site follows your yes."
        )
    return f"{text}</p>\n"


def _controller(controller: Controller | None) -> str:
    if controller is None:
        return ""
    texts = [escape(text) for text in (controller.name, controller.address, controller.contact)]
    if controller.url:
        url = escape(controller.url, quote=True)
        texts.append(f'<a href="{url}">{url}</a>')
    return f"<p>{' · '.join(text for text in texts if text)}</p>\n"


def _category(category: Category, visit: Visit) -> str:
    id, label = escape(category.id, quote=True), escape(category.label)
    if category.always:
        control = "<p>Always on: the site does not work without these.</p>"
    elif category.id in visit.standing.unasked:
        # No box stands for a yes that nobody gave: an objection is what there is to tick.
        why = (
            "is used until you object"
            if visit.basis(category.id) is Basis.OPT_OUT
            else ("needs no consent here")
        )
        control = (
            f'<input type="hidden" name="leave" value="{id}">'
            f'<p>This {why}.</p><p><input type="checkbox" id="c-{id}" name="object" value="{id}">'
            f'<label for="c-{id}">Do not use {label}</label></p>'
        )
        if category.exemption is not None and category.exemption.objection:
            href = escape(category.exemption.objection, quote=True)
            control += f'<p><a href="{href}">More on how to object</a></p>'
    else:
        ticked = " checked" if visit.choice(category.id) is Choice.GRANTED else ""
        control = (
            f'<p><input type="checkbox" id="c-{id}" name="grant" value="{id}"{ticked}>'
            f'<label for="c-{id}">Allow {label}</label></p>'
        )
    about = f"<p>{escape(category.description)}</p>" if category.description else ""
    return (
        f"<fieldset><legend>{label}</legend>{about}{control}{_table(category.rules)}</fieldset>\n"
    )


def _table(rules: tuple[Rule, ...]) -> str:
    if not rules:
        return ""
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(text) or '–'}</td>"
            for text in (rule.name, _who(rule), rule.purpose, rule.duration)
        )
        + "</tr>"
        for rule in rules
    )
    return (
        f"<details><summary>What is stored ({len(rules)})</summary><table><thead><tr>"
        '<th scope="col">Name</th><th scope="col">Provider</th><th scope="col">Purpose</th>'
        f'<th scope="col">Kept for</th></tr></thead><tbody>{rows}</tbody></table></details>'
    )


def _who(rule: Rule) -> str:
    shared = f"shared with {', '.join(rule.recipients)}" if rule.recipients else ""
    return "; ".join(text for text in (rule.provider, shared) if text)
