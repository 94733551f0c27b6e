"""A policy that names a database of places."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.samples import ENVIRON
from consentgate import ConfigError, Policy, Regions, load_gate
from consentgate.config import gate_of
from consentgate.core.http import Request
from places import write_places

FILE = """\
version = "1"

[regions]
database = "{database}"
{more}
[categories.analytics]
cookies = ["_ga"]
"""


def written(folder: Path, database: Path, more: str = "") -> Path:
    path = folder / "consentgate.toml"
    path.write_text(FILE.format(database=database, more=more))
    return path


def test_a_visitor_is_placed_by_the_database(tmp_path: Path) -> None:
    """By the connection's address, or by the one in the header that the policy names."""
    database = write_places(tmp_path / "places.mmdb")
    direct = Request("GET", "/")
    request = Request("GET", "/", headers=[(b"x-real-ip", b"198.51.100.7")])
    direct.client = request.client = "192.0.2.1"
    gate = load_gate(written(tmp_path, database), environ=ENVIRON)
    assert gate.locates
    assert gate.site.locate(direct) == "FR"
    assert gate.site.locate(request) is None  # a proxy stands between, and its address says nothing
    named = written(tmp_path, database, 'address = "X-Real-IP"\n')
    assert load_gate(named, environ=ENVIRON).site.locate(request) == "US-CA"


def test_a_database_that_cannot_be_used_is_an_error_like_others(tmp_path: Path) -> None:
    """With its line, and beside every other mistake."""
    database = tmp_path / "missing.mmdb"
    with pytest.raises(ConfigError) as caught:
        load_gate(written(tmp_path, database, "speed = 1\n"), environ={})
    codes = [(one.code, one.line, one.key) for one in caught.value.problems]
    assert codes == [
        ("CG301", 1, "consent.secret_env"),
        ("CG106", 4, "regions.database"),
        ("CG101", 5, "regions.speed"),
    ]
    text = caught.value.problems[1].message
    assert text.startswith("the database cannot be used: ")
    assert str(database) in text


def test_a_policy_made_in_python_may_name_one_too(tmp_path: Path) -> None:
    """The same check, without a line."""
    policy = Policy(version="1", regions=Regions(database=str(tmp_path / "missing.mmdb")))
    with pytest.raises(ConfigError) as caught:
        gate_of(policy, environ=ENVIRON)
    assert [(one.code, one.line, one.key) for one in caught.value.problems] == [
        ("CG106", 0, "regions.database")
    ]
