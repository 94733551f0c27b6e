"""Signing keys from the environment."""

from __future__ import annotations

from collections.abc import Mapping

MIN_KEY_BYTES = 32
MAKE_ONE = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"


def read_keys(
    variable: str, environ: Mapping[str, str]
) -> tuple[list[bytes], list[tuple[str, str]]]:
    """Return the keys in the variable, newest first, and what is wrong with them as (code, text).

    Several keys are separated by commas: the first signs, all verify, so a key is changed by
    writing the new one in front and removing the old one when its choices have expired.
    """
    text = environ.get(variable, "")
    keys = [key.strip() for key in text.split(",") if key.strip()]
    if not keys:
        return [], [("CG301", f"the environment variable {variable} holds no signing key")]
    problems = []
    for number, key in enumerate(keys, 1):
        which = f"key {number} of {len(keys)} in {variable}" if len(keys) > 1 else variable
        if len(key.encode()) < MIN_KEY_BYTES:
            length = len(key.encode())
            problems.append(("CG302", f"{which} has {length} bytes; it needs {MIN_KEY_BYTES}"))
        elif len(set(key)) < 10:
            problems.append(("CG303", f"{which} looks like a placeholder, not like a random key"))
    return [key.encode() for key in keys], problems
