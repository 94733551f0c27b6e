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
    """One readable request for a choice."""

    action: str
    grant: frozenset[str] = frozenset()
    next: str = ""


class BadWish(ValueError):
    """A body that cannot be read; its text is one plain sentence for the sender."""


def media_type(content_type: bytes | None) -> bytes:
    """Return the media type without parameters, in lower case."""
    return (content_type or b"").partition(b";")[0].strip().lower()


def read_wish(body: bytes, kind: bytes) -> Wish:
    """Read a form or JSON body, at most MAX_BODY bytes of it. Raises BadWish."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadWish("The body is not UTF-8.") from None
    action, grant, next_path = _from_json(text) if kind == JSON else _from_form(text)
    if action not in _ACTIONS:
        raise BadWish(f"The action must be one of: {', '.join(_ACTIONS)}.")
    return Wish(action=action, grant=frozenset(grant), next=next_path)


def _from_form(text: str) -> tuple[str, list[str], str]:
    try:
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError:
        raise BadWish("The form cannot be read.") from None
    single = {}
    for name in ("action", "next"):
        values = [value for key, value in fields if key == name]
        if len(values) > 1:
            raise BadWish(f"The field {name} was sent more than once.")
        single[name] = values[0] if values else ""
    return single["action"], [value for key, value in fields if key == "grant"], single["next"]


def _from_json(text: str) -> tuple[str, list[str], str]:
    try:
        data = json.loads(text, object_pairs_hook=_without_repeats)
    except BadWish:
        raise
    except (ValueError, RecursionError):
        raise BadWish("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise BadWish("The body must be a JSON object.")
    action, grant, next_path = data.get("action"), data.get("grant", []), data.get("next", "")
    if not isinstance(grant, list) or not all(isinstance(one, str) for one in grant):
        raise BadWish("The field grant must be an array of category ids.")
    if not isinstance(action, str) or not isinstance(next_path, str):
        raise BadWish("The fields action and next must be strings.")
    return action, grant, next_path


def _without_repeats(fields: list[tuple[str, object]]) -> dict[str, object]:
    data = dict(fields)
    if len(data) < len(fields):  # which of the two is meant would be a guess
        raise BadWish("A field was sent more than once.")
    return data
