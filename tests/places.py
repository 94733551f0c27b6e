"""A small database of places, in the format of GeoLite2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

PLACES: dict[str, dict[str, Any]] = {
    "192.0.2.0/24": {"country": {"iso_code": "FR"}},
    "198.51.100.0/24": {
        "country": {"iso_code": "US"},
        "subdivisions": [{"iso_code": "CA"}, {"iso_code": "X"}],
    },
    "203.0.113.0/24": {"continent": {"code": "EU"}},
    "2001:db8::/32": {"country": {"iso_code": "DE"}, "subdivisions": []},
}


def write_places(path: Path) -> Path:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    for network, record in PLACES.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path
