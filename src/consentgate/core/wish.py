"""What a visitor asks for in the body of `POST choice`, read strictly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qsl

MAX_BODY = 4096
_ACTIONS = ("accept", "reject", "save", "withdraw")
FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One readable request for a choice.

    With "save": `grant` are the categories granted, `leave` those that stay as they are unless they
    are in `object`. `over_gpc`: a notice was shown that this goes against the browser's signal.
    """

    action: str
    grant: frozenset[str] = frozenset()
    leave: frozenset[str] = frozenset()
    object: frozenset[str] = frozenset()
    over_gpc: bool = False
    next: str = ""


class BadWish(ValueError):
    """A body that cannot be read; its text is one plain sentence for the sender."""


def media_type(content_type: bytes | None) -> bytes:
    """Return the media type without parameters, in lower case."""
    return (content_type or b"").partition(b";")[0].strip().lower()


def read_wish(body: bytes, kind: bytes, action: str = "") -> Wish:
    """Read a form or JSON body, at most MAX_BODY bytes of it. Raises BadWish.

    `action`: the only one that this address is for; the body need not name it, nor be there.
    """
    if action and not body:
        return Wish(action=action)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadWish("The body is not UTF-8.") from None
    wish = _from_json(text, action) if kind == JSON else _from_form(text, action)
    actions = (action,) if action else _ACTIONS
    if wish.action not in actions:
        raise BadWish(f"The action must be one of: {', '.join(actions)}.")
    return wish


def _from_form(text: str, action: str) -> Wish:
    try:
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError:
        raise BadWish("The form cannot be read.") from None
    single = {}
    for name in ("action", "next", "over_gpc"):
        values = [value for key, value in fields if key == name]
        if len(values) > 1:
            raise BadWish(f"The field {name} was sent more than once.")
        single[name] = values[0] if values else ""
    lists = {
        name: frozenset(value for key, value in fields if key == name)
        for name in ("grant", "leave", "object")
    }
    return Wish(
        action=single["action"] or action,
        **lists,
        over_gpc=single["over_gpc"] == "1",
        next=single["next"],
    )


def _from_json(text: str, action: str) -> Wish:
    try:
        data = json.loads(text, object_pairs_hook=_without_repeats)
    except BadWish:
        raise
    except (ValueError, RecursionError):
        raise BadWish("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise BadWish("The body must be a JSON object.")
    lists = {}
    for name in ("grant", "leave", "object"):
        ids = data.get(name, [])
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            raise BadWish(f"The field {name} must be an array of category ids.")
        lists[name] = frozenset(ids)
    asked, next_path = data.get("action", action or None), data.get("next", "")
    over_gpc = data.get("over_gpc", False)
    if not isinstance(asked, str) or not isinstance(next_path, str):
        raise BadWish("The fields action and next must be strings.")
    if not isinstance(over_gpc, bool):
        raise BadWish("The field over_gpc must be true or false.")
    return Wish(action=asked, **lists, over_gpc=over_gpc, next=next_path)


def _without_repeats(fields: list[tuple[str, object]]) -> dict[str, object]:
    data = dict(fields)
    if len(data) < len(fields):  # which of the two is meant would be a guess
        raise BadWish("A field was sent more than once.")
    return data
