"""The preferences page: plain HTML forms, no script, accept and reject alike in every respect."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from .compiled import Compiled
from .consent import Choice
from .policy import Category, Rule
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
    categories = "".join(_category(category, visit) for category in site.categories)
    target = f'<input type="hidden" name="next" value="{back}">' if next_path else ""
    changed = '<button name="action" value="withdraw">Withdraw my choice</button>'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Privacy choices</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>Privacy choices</h1>
<p>{_standing(visit)}</p>
<p>You may change your mind here at any time. The site works either way.</p>
<form method="post" action="choice">{target}
<div class="choices">
<button name="action" value="accept">Accept all</button>
<button name="action" value="reject">Reject all</button>
</div>
</form>
<form method="post" action="choice">{target}
{categories}
<div class="choices">
<button name="action" value="save">Save these choices</button>
{changed if visit.decided else ""}
</div>
</form>
<p><a href="{back}">Back to the site</a> · Policy version {escape(visit.version)}</p>
</main>
</body>
</html>
"""


def _standing(visit: Visit) -> str:
    if not visit.decided:
        return "You have not chosen yet, so nothing optional is used."
    if visit.needs_choice:
        return "There is something new to choose; what you chose before still stands."
    return "Your choice is recorded as shown below."


def _category(category: Category, visit: Visit) -> str:
    id = escape(category.id, quote=True)
    if category.always:
        control = "<p>Always on: the site does not work without these.</p>"
    else:
        ticked = " checked" if visit.choice(category.id) is Choice.GRANTED else ""
        control = (
            f'<p><input type="checkbox" id="c-{id}" name="grant" value="{id}"{ticked}>'
            f'<label for="c-{id}">Allow {escape(category.label)}</label></p>'
        )
    about = f"<p>{escape(category.description)}</p>" if category.description else ""
    return (
        f"<fieldset><legend>{escape(category.label)}</legend>{about}{control}"
        f"{_table(category.rules)}</fieldset>\n"
    )


def _table(rules: tuple[Rule, ...]) -> str:
    if not rules:
        return ""
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(text) or '–'}</td>"
            for text in (rule.name, rule.provider, rule.purpose, rule.duration)
        )
        + "</tr>"
        for rule in rules
    )
    return (
        f"<details><summary>What is stored ({len(rules)})</summary><table><thead><tr>"
        '<th scope="col">Name</th><th scope="col">Provider</th><th scope="col">Purpose</th>'
        f'<th scope="col">Kept for</th></tr></thead><tbody>{rows}</tbody></table></details>'
    )
