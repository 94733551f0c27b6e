"""Where a visitor is, from a MaxMind database: the extra `geo`."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from .core.http import Request
from .core.own_cookie import is_forwarded
from .core.regions import Locate

if TYPE_CHECKING:
    from maxminddb.reader import Reader


class NoDatabase(Exception):
    """The database cannot be used; the text says why, `remedy` what helps."""

    def __init__(self, reason: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(reason)


def database_locator(path: str | PathLike[str], address: str = "") -> Locate:
    """Return what finds the country and subdivision of a request in a MaxMind database.

    `address` names the header field with the visitor's address, which a proxy of the site must set
    anew on each request. Without it the connection's address counts, unless a forwarding field says
    that a proxy stands between. A field with more than one address in it, or none, says nothing.
    Raises NoDatabase.
    """
    try:
        import maxminddb
    except ModuleNotFoundError:
        raise NoDatabase("reading it needs maxminddb", 'pip install "consentgate[geo]"') from None
    try:
        reader = maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        remedy = "give the path of a GeoLite2 or GeoIP2 country or city file"
        raise NoDatabase(f"{error}", remedy) from None
    field = address.lower().encode()

    def locate(request: Request) -> str | None:
        if field:
            sent = request.single(field)
        else:
            sent = None if is_forwarded(request) else request.client.encode()
        return _place(reader, sent.decode("ascii", "replace").strip()) if sent else None

    return locate


def _place(reader: Reader, address: str) -> str | None:
    try:
        record: Any = reader.get(address)
    except ValueError:  # not one address
        return None
    if not isinstance(record, Mapping):
        return None
    country = record.get("country", {}).get("iso_code", "")
    parts = record.get("subdivisions") or [{}]
    part = parts[0].get("iso_code", "")
    return f"{country}-{part}" if part else country or None
