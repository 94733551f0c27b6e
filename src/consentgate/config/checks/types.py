"""Do the values of a Policy made in Python have the types that its fields declare?

A file's Policy has them by construction. The declarations themselves are asked, so that no type is
written down twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from ...core.policy import Policy
from ..problems import Fault, Path, kind_of

_NAMES = {str: "text", bool: "True or False", int: "a whole number", type(None): "None"}

# How deep texts go below their languages: "durations", "month", "other". What is deeper is no text.
_DEEP = 3


def type_faults(policy: Policy) -> list[Fault]:
    """Return a fault for each value, at any depth, that is not of its field's type."""
    return list(_faults(policy, Policy, ()))


def _faults(value: object, kind: Any, place: Path) -> Iterator[Fault]:
    if get_origin(kind) is tuple:
        if isinstance(value, tuple):
            for number, member in enumerate(value):
                yield from _faults(member, get_args(kind)[0], (*place, number))
        else:
            yield _fault(place, value, "a tuple")
    elif get_origin(kind) is Mapping:
        yield from _mapping(value, place)
    elif not _is_one_of(value, _kinds(kind)):
        yield _fault(place, value, " or ".join(map(_name, _kinds(kind))))
    elif is_dataclass(value):
        for name, hint in _hints(value.__class__):
            yield from _faults(getattr(value, name), hint, (*place, name))


def _mapping(value: object, place: Path, deep: int = _DEEP) -> Iterator[Fault]:
    """Check that something is a mapping, and has text for its keys, as every mapping in it."""
    if not isinstance(value, Mapping):
        yield _fault(place, value, "a mapping")
        return
    for key, member in value.items():
        if not isinstance(key, str):
            message = f"must have text for its keys, not {kind_of(key)}"
            yield Fault(code="CG102", path=place, message=message, remedy="make its keys text")
        elif isinstance(member, Mapping) and deep:
            yield from _mapping(member, (*place, key), deep - 1)


@cache
def _hints(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple(get_type_hints(kind).items())


def _kinds(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the one type that it is."""
    return get_args(kind) or (kind,)


def _name(kind: type) -> str:
    """Say in plain words what is wanted."""
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    return _NAMES.get(kind) or f"{article} {kind.__name__}"


def _is_one_of(value: object, kinds: tuple[Any, ...]) -> bool:
    # True is an int to Python, but no number of seconds to us.
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds)


def _fault(place: Path, value: object, wanted: str) -> Fault:
    message = f"must be {wanted}, not {kind_of(value)}"
    return Fault(code="CG102", path=place, message=message, remedy=f"give it {wanted}")
