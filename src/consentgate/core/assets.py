"""The scripts and the style of the gate: the same for every visitor, named by their content.

Rule 1. A name with a digest in it never has another content, so it is kept for good.
Rule 2. The plain name is asked for again each time, which costs a "not modified".
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from .http import Header, Request, Response
from .views import Asset, Sources

# The word in a script's source where the policy belongs.
PLACE = "GATE_POLICY"
_TYPES = {"js": b"text/javascript; charset=utf-8", "css": b"text/css; charset=utf-8"}
# The names without a digest, in the order of the files.
_PLAIN = ("/g.js", "/g.css", "/first.js", "/t.js")
# RFC 9111 5.2, RFC 8246: a year is as good as for good.
_FOR_GOOD = b"public, max-age=31536000, immutable"
_REVALIDATED = b"public, no-cache"


class Assets(NamedTuple):
    """What goes with the pages. `first` runs before all other scripts; it may be empty. `tags` is
    for pages with something that is held back.
    """

    script: Asset
    style: Asset
    first: Asset
    tags: Asset

    def answer(self, path: str, request: Request) -> Response | None:
        """Return the file at a path below the prefix; None: there is none of this name."""
        for asset, plain in zip(self, _PLAIN, strict=True):
            if path not in (plain, "/" + asset.name):
                continue
            if request.method not in ("GET", "HEAD"):
                return None
            lasting = path != plain
            tag = f'"{asset.name}"'.encode()
            headers: list[Header] = [
                (b"cache-control", _FOR_GOOD if lasting else _REVALIDATED),
                (b"etag", tag),
                (b"x-content-type-options", b"nosniff"),
            ]
            if _matches(request.values(b"if-none-match"), tag):
                return Response(304, headers, b"")
            headers.append((b"content-type", _TYPES[plain.rpartition(".")[2]]))
            headers.append((b"content-length", str(len(asset.content)).encode()))
            return Response(200, headers, b"" if request.method == "HEAD" else asset.content)
        return None


def assets_of(
    sources: Sources,
    policy: Mapping[str, object],
    banner: Mapping[str, object] = MappingProxyType({}),
    guard: Mapping[str, object] = MappingProxyType({}),
) -> Assets:
    """Return the files made of these sources, for a policy as far as scripts must know it.

    `banner` is what the script of the banner must know beside that, `guard` that which runs first.
    """
    style, tags = _asset("g", sources.style, "css"), _asset("t", sources.tags, "js")
    files = {"style": [style.name, style.integrity], "tags": [tags.name, tags.integrity]}
    script = sources.script.replace(PLACE, _literal({**policy, **banner, **files}))
    first = sources.first.replace(PLACE, _literal({**policy, **guard}))
    return Assets(_asset("g", script, "js"), style, _asset("first", first, "js"), tags)


def _literal(data: object) -> str:
    """Return data as a JavaScript literal that may also stand inside a script element.

    ASCII only, so nothing depends on how the file is read; and no "<" could end the element.
    """
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _asset(stem: str, text: str, kind: str) -> Asset:
    content = text.encode()
    name = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{kind}"
    digest = b64encode(hashlib.sha384(content).digest()).decode()
    return Asset(name=name, integrity=f"sha384-{digest}", content=content)


def _matches(values: list[bytes], tag: bytes) -> bool:
    """Say whether If-None-Match names this tag (RFC 9110 13.1.2, compared weakly)."""
    listed = [item.strip().removeprefix(b"W/") for value in values for item in value.split(b",")]
    return tag in listed or b"*" in listed
