"""The keys that a policy file may have, and what to say of any other."""

from __future__ import annotations

import re
from dataclasses import fields

from ..core.policy import (
    Banner,
    Change,
    ConsentMode,
    Controller,
    Csp,
    Exemption,
    Flow,
    Gpc,
    Pages,
    Profile,
    Regions,
)
from .problems import Fault, Path, nearest
from .wording import english

# Dictionaries, for they keep their order and are compared at once.
Keys = dict[str, None]

TOP: Keys = dict.fromkeys(
    (
        "version",
        "mode",
        "unknown",
        "guard",
        "unknown_storage",
        "hide",
        "expire_unknown",
        "strict",
        "consent",
        "controller",
        "regions",
        "gpc",
        "banner",
        "categories",
        "cookies",
        "flows",
        "pages",
        "csp",
        "consent_mode",
        "texts",
        "changes",
    )
)
CONSENT: Keys = dict.fromkeys(
    (
        "secret_env",
        "site",
        "origins",
        "exclude",
        "prefix",
        "cookie",
        "domain",
        "same_site",
        "secure",
        "mirror",
        "clear_site_data",
        "accepted_for",
        "refused_for",
    )
)
CATEGORY: Keys = dict.fromkeys(
    (
        "always",
        "title",
        "description",
        "cookies",
        "local_storage",
        "session_storage",
        "indexed_db",
        "cache_storage",
        "sources",
        "secure",
        "http_only",
        "same_site",
        "sale_or_sharing",
        "honours",
        "exemption",
    )
)
RULE: Keys = dict.fromkeys(
    (
        "name",
        "provider",
        "purpose",
        "duration",
        "party",
        "recipients",
        "sliding",
        "domain",
        "path",
        "partitioned",
    )
)
# Of what scripts store beside cookies.
STORED: Keys = dict.fromkeys(("name", "provider", "purpose", "duration", "party", "recipients"))
# Those of tables that are read straight into a dataclass are its fields.
CONTROLLER: Keys = dict.fromkeys(field.name for field in fields(Controller))
REGIONS: Keys = dict.fromkeys(field.name for field in fields(Regions))
PROFILE: Keys = dict.fromkeys(field.name for field in fields(Profile) if field.name != "built_in")
GPC: Keys = dict.fromkeys(field.name for field in fields(Gpc))
BANNER: Keys = dict.fromkeys(field.name for field in fields(Banner))
FLOW: Keys = dict.fromkeys(field.name for field in fields(Flow))
PAGES: Keys = dict.fromkeys(field.name for field in fields(Pages))
CSP: Keys = dict.fromkeys(field.name for field in fields(Csp))
CONSENT_MODE: Keys = dict.fromkeys(field.name for field in fields(ConsentMode))
CHANGE: Keys = dict.fromkeys(field.name for field in fields(Change))
EXEMPTION: Keys = dict.fromkeys(field.name for field in fields(Exemption))
LONG_RULE: Keys = {"name": None, "category": None, **RULE}

# Where a key belongs that was written in the wrong table.
_HOMES = (
    ("in the table of one cookie", RULE),
    ("in a [[cookies]] table", {"category": None}),
    ("in a [categories.…] table", CATEGORY),
    ("in [consent]", CONSENT),
    ("in [controller]", CONTROLLER),
    ("in [regions]", REGIONS),
    ("in [[regions.profiles]]", PROFILE),
    ("in [gpc]", GPC),
    ("in [banner]", BANNER),
    ("in [[flows]]", FLOW),
    ("in [pages]", PAGES),
    ("in [csp]", {key: None for key in CSP if key != "mode"}),
    ("in [consent_mode]", {key: None for key in CONSENT_MODE if key != "mode"}),
    ("in [[changes]]", {key: None for key in CHANGE if key != "version"}),
    ("in the exemption of a category", EXEMPTION),
    ("at the top of the file, before the first [table]", TOP),
)
_SECRETIVE = re.compile("secret|key|password", re.IGNORECASE)
_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")


def unknown_key(at: Path, key: str, value: object, known: Keys) -> Fault:
    """Return what to say of a key that its table does not have."""
    path: Path = (*at, key)
    if at in ((), ("consent",)) and _SECRETIVE.search(key) and _is_secret(value):
        return Fault(
            code="CG304",
            path=path,
            message="a signing key does not belong in a file",
            remedy="take it out and make a new one; secret_env names the variable that holds it",
        )
    homes = _home_of_text(at, key)
    if not homes and at[:1] != ("changes",):  # what is told of a category is no news
        homes = [where for where, keys in _HOMES if key in keys]
    home = f"it belongs {', or '.join(homes)}" if homes else ""
    meant = key_meant(key, known)
    remedies = [home, f"did you mean {meant!r}?" if meant else ""]
    if isinstance(value, (dict, list)):  # [category.x]: the name of a table, not a key astray
        remedies.reverse()
    remedy = remedies[0] or remedies[1] or f"known here: {', '.join(known)}"
    return Fault(code="CG101", path=path, message=f"unknown key {key!r}", remedy=remedy)


def _home_of_text(at: Path, key: str) -> list[str]:
    """Return where a text for visitors belongs that stands where a setting would."""
    if at == () and key in english():
        return [f"in [texts.en], as [texts.en.{key}], and so for other languages"]
    if at == ("banner",) and key in english()["banner"]:
        return ["in [texts.en.banner], and so for other languages"]
    return []


def key_meant(key: str, known: Keys) -> str:
    """Return the known key that an unknown one most likely stands for, or ""."""
    if "secret_env" in known and _SECRETIVE.search(key):
        return "secret_env"
    return nearest(key, known)


def _is_secret(value: object) -> bool:
    """Say whether a value of a suspicious key is the secret itself, and not a variable's name."""
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and not _VARIABLE.fullmatch(text) for text in texts)
