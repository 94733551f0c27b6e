"""TOML data -> Policy: which keys there are, and of which type each value is.

Rule 1. Nothing raises, nothing is guessed, and no key that is not known is passed over.
Rule 2. What is wrong is left out, or stands at its default, so that the rest can be read.
Rule 3. Whether a value of the right type makes sense is asked elsewhere, of the Policy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.policy import (
    Banner,
    Change,
    ConsentMode,
    Controller,
    Csp,
    Flow,
    Pages,
    Policy,
    Profile,
    Regions,
)
from ..law import profiles
from .categories import Categories
from .checks.third_parties import SIGNALS, no_such_category
from .known import (
    BANNER,
    CHANGE,
    CONSENT,
    CONSENT_MODE,
    CONTROLLER,
    CSP,
    FLOW,
    GPC,
    PAGES,
    PROFILE,
    REGIONS,
    TOP,
)
from .problems import Fault, Path

# The type of a key is that of its field's default.
_DEFAULTS = Policy(version="")

# The keys of the top that are no tables.
_SIMPLE = (
    "version",
    "mode",
    "unknown",
    "guard",
    "unknown_storage",
    "hide",
    "expire_unknown",
    "strict",
)


class Reader(Categories):
    """Reads one file's data; `folder` is where the file is."""

    def __init__(self, folder: str = "") -> None:
        super().__init__()
        self._folder = folder

    def policy(self, data: dict[str, Any]) -> Policy:
        """Return the policy that `data` describes, as far as it can be read."""
        self.known_keys(data, TOP, ())
        consent = self.table(data, "consent", ())
        self.known_keys(consent, CONSENT, ("consent",))
        fields: dict[str, Any] = {}
        for key in _SIMPLE:
            fields[key] = self.like(getattr(_DEFAULTS, key), key, data, (), ())
        for key in CONSENT:
            self.paths[(key,)] = ("consent", key)
            fields[key] = self.like(getattr(_DEFAULTS, key), key, consent, ("consent",), ())
        # People copy origins from the address bar, which ends them with a slash.
        fields["site"] = fields["site"].removesuffix("/")
        fields["origins"] = tuple(origin.removesuffix("/") for origin in fields["origins"])
        fields["controller"] = self.record(data, "controller", Controller(), CONTROLLER)
        fields["regions"] = self._regions(data)
        fields["gpc"] = self.record(data, "gpc", _DEFAULTS.gpc, GPC) or _DEFAULTS.gpc
        fields["banner"] = self.record(data, "banner", _DEFAULTS.banner, BANNER) or Banner()
        fields["flows"] = self.records(data, "flows", (), Flow(), FLOW)
        fields["pages"] = self._pages(data)
        fields["csp"] = self.record(data, "csp", _DEFAULTS.csp, CSP) or Csp()
        fields["consent_mode"] = self.record(data, "consent_mode", ConsentMode(), CONSENT_MODE)
        fields["texts"] = self._by_language(data)
        fields["changes"] = self.records(data, "changes", (), Change(), CHANGE)
        policy = Policy(categories=self.categories(data), **fields)
        if policy.consent_mode is not None:
            self._signals(data["consent_mode"], policy, policy.consent_mode)
        return policy

    def path_of(self, place: Path) -> Path:
        """Return where in the file a place in the Policy stands.

        A place runs through fields and positions: ("categories", 0, "rules", 3, "duration").
        """
        for end in range(len(place), 0, -1):
            path = self.paths.get(place[:end])
            if path is not None:
                return path if path in self.short else (*path, *place[end:])
        return place

    def located(self, fault: Fault) -> Fault:
        """Return a fault of the Policy as one of the file."""
        other = None if fault.other is None else self.path_of(fault.other)
        return replace(fault, path=self.path_of(fault.path), other=other)

    # --- tables ---------------------------------------------------------------------------------

    def _regions(self, data: dict[str, Any]) -> Regions | None:
        if "regions" not in data:
            return None
        table = self.table(data, "regions", ())
        self.known_keys(table, REGIONS, ("regions",))
        own = self.records(table, "profiles", ("regions",), Profile(), PROFILE)
        simple = [key for key in REGIONS if key != "profiles"]
        regions = self.fields(table, Regions(), simple, ("regions",))
        # The file's own come first, and the first that names a place is the one that counts.
        return replace(regions, profiles=(*own, *profiles()))

    def _pages(self, data: dict[str, Any]) -> Pages:
        pages = self.record(data, "pages", _DEFAULTS.pages, PAGES) or _DEFAULTS.pages
        if not pages.templates:
            return pages
        # From where the file is, for there people see the folder; an absolute path stays.
        return replace(pages, templates=os.path.join(self._folder, pages.templates))

    def _signals(self, table: dict[str, Any], policy: Policy, read: ConsentMode) -> None:
        """Note which categories do not exist that are written down, though they are the default."""
        default = ConsentMode()
        for signal in SIGNALS:
            named = getattr(read, signal)
            written = table.get(signal) == named == getattr(default, signal)
            if written and (fault := no_such_category(policy, signal, named)):
                self.faults.append(fault)

    def _by_language(self, data: dict[str, Any]) -> Mapping[str, object]:
        """Return [texts.*] as they stand: which keys and texts there may be is checked later."""
        remedy = "write [texts.en], or another language, and its tables below"
        given = data.get("texts", {})
        if not isinstance(given, dict):
            self.wrong_type(("texts",), given, "a table", remedy)
            return {}
        found: dict[str, object] = {}
        for tag, table in given.items():
            place, path = ("texts", tag.lower()), ("texts", tag)
            if not isinstance(table, dict):
                self.wrong_type(path, table, "a table", remedy)
            elif place[1] in found:
                fault = Fault(
                    code="CG202",
                    path=path,
                    message=f"{tag!r} is the same language",
                    remedy="merge the two",
                    other=self.paths[place],
                )
                self.faults.append(fault)
            else:
                self.paths[place] = path
                found[place[1]] = table
        return found
