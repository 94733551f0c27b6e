"""Where a visitor is, from a MaxMind database."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from consentgate.core.http import Request
from consentgate.geo import NoDatabase, database_locator
from places import write_places


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_places(tmp_path_factory.mktemp("geo") / "places.mmdb")


def at(client: str, *headers: tuple[bytes, bytes]) -> Request:
    request = Request("GET", "/", headers=headers)
    request.client = client
    return request


@pytest.mark.parametrize(
    ("client", "place"),
    [
        ("192.0.2.7", "FR"),
        ("198.51.100.1", "US-CA"),
        ("203.0.113.1", None),
        ("2001:db8::1", "DE"),
        ("10.0.0.1", None),
        ("", None),
        ("testclient", None),
        ("unix:", None),
    ],
)
def test_the_connection_tells_the_place(database: Path, client: str, place: str | None) -> None:
    """Country and first subdivision; what is no address, and unknown, is nowhere."""
    assert database_locator(database)(at(client)) == place


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ([b"198.51.100.1"], "US-CA"),
        ([b" 198.51.100.1 "], "US-CA"),
        ([], None),
        ([b""], None),
        ([b"198.51.100.1, 192.0.2.7"], None),
        ([b"198.51.100.1", b"198.51.100.1"], None),
        ([b"198.51.100.1:443"], None),
        ([b"\xff"], None),
    ],
)
def test_the_named_header_tells_the_place(
    database: Path, sent: list[bytes], place: str | None
) -> None:
    """And it alone: behind a proxy the connection is the proxy's. It must hold one address."""
    headers = [(b"x-real-ip", value) for value in sent]
    assert database_locator(database, "X-Real-IP")(at("192.0.2.7", *headers)) == place


def test_a_database_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    """Missing, or no database at all."""
    (tmp_path / "text.mmdb").write_text("no database")
    for name in ("missing.mmdb", "text.mmdb"):
        with pytest.raises(NoDatabase, match=name) as caught:
            database_locator(tmp_path / name)
        assert caught.value.remedy == ("give the path of a GeoLite2 or GeoIP2 country or city file")


def test_without_its_extra_a_database_asks_for_it(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(NoDatabase, match="reading it needs maxminddb") as caught:
        database_locator(database)
    assert caught.value.remedy == 'pip install "consentgate[geo]"'
