"""Signing keys from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

MIN_KEY_BYTES = 32
MAKE_ONE = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'

# A random key of 32 hexadecimal digits has fewer than 8 different ones once in 10**7 times.
_MIN_DIFFERENT = 8
# What documents and templates write where a key should be. Compared with a key's letters alone;
# that a random key of 64 characters holds one of these happens about once in 10**9 times.
_PLACEHOLDERS = re.compile(
    "changeme|changethis|changeit|replaceme|replacethis|replacewith|placeholder|yoursecret|"
    "yourkey|insecure"
)
_NOT_LETTERS = re.compile("[^a-z]+")


def read_keys(
    variable: str, environ: Mapping[str, str]
) -> tuple[list[bytes], list[tuple[str, str]]]:
    """Return the keys in the variable, newest first, and what is wrong with them as (code, text).

    Several keys are separated by commas: the first signs, all verify, so a key is changed by
    writing the new one in front and removing the old one when its choices have expired.
    No text shows any part of a key.
    """
    texts = [key.strip() for key in environ.get(variable, "").split(",")]
    # The environment may hold any bytes; Python reads those that are not UTF-8 as surrogates.
    keys = [key.encode("utf-8", "surrogateescape") for key in texts if key]
    if not keys:
        return [], [("CG301", f"the environment variable {variable} holds no signing key")]
    problems = []
    for number, key in enumerate(keys, 1):
        which = f"key {number} of {len(keys)} in {variable}" if len(keys) > 1 else variable
        if len(key) < MIN_KEY_BYTES:
            problems.append(("CG302", f"{which} has {len(key)} bytes; it needs {MIN_KEY_BYTES}"))
        elif _is_placeholder(key):
            problems.append(("CG303", f"{which} looks like a placeholder, not like a random key"))
    return keys, problems


def looks_like_key(text: str) -> bool:
    """Say whether a text that should name a variable is rather the key itself."""
    return len(text) >= MIN_KEY_BYTES and text != text.upper()


def _is_placeholder(key: bytes) -> bool:
    if len(set(key)) < _MIN_DIFFERENT:
        return True
    return bool(_PLACEHOLDERS.search(_NOT_LETTERS.sub("", key.decode("latin-1").lower())))
