"""The value of the consent cookie: a signed record of some 120 bytes, name included.

    payload "." signature          both base64url (RFC 4648 section 5) without padding

    payload, format 1:
      1 byte    high four bits: the format; low four: 1 = has an id, 2 = granted over a signal (GPC)
                after notice of it, 4 = was written again, 8 = counts tries
      4 bytes   decided at, seconds since 1970, unsigned
      10 bytes  id, if there is one (80 bits: two of a billion meet with a chance of 1 in 2 million)
      2 bytes   days after which it was written again, if it was
      9 bytes   tries, if they are counted: 1 total, 1 times, 2 tag, 2 left, 1 form, 2 place
      4 bytes   for each category decided: 16 bits of the SHA-256 of its id, 1 bit granted,
                15 bits of the revision; or 0 for denied, 1 for asked about again; those of
                other policies are written back as they came. A tag of 0: all that is named nowhere

Categories go by a tag of their id, not by position, so that a reordered file never turns a no into
a yes. Eight of them make 47 bytes; with signature and `__Host-gate=` that is 119, and 126 for a
refusal that counts tries, was written again, and covers what is named nowhere.

Rule 1. Nothing is decoded before the signature holds, and nothing longer than 1 KiB is verified.
Rule 2. A released format stays readable for as long as a choice may live.
Rule 3. Time and keys are arguments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from types import MappingProxyType
from typing import NoReturn

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from .consent import GRANTED, NO, NO_OTHER, NO_OTHER_TAG, NO_TRIES, REOPENED, Consent, Tries
from .memo import Memo

SALT = b"consentgate.consent.v1"
MAX_TOKEN_BYTES = 1024
ID_BYTES = 10
_FORMAT = 1
_HAS_ID = 1
_OVER_GPC = 2
_RENEWED = 4
_COUNTS = 8
_TRIES = Struct(">BBHHBH")
# What of other policies is kept: more than a cookie shared by a few sites has.
_MAX_OTHERS = 64 * 4


def category_tag(id: str) -> int:
    """Return the 16 bits that stand for a category in a token."""
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:2], "big")


class Tokens:
    """Sign and verify consent with `keys`, the newest first.

    `stamps` are, for each category, those of its revision and of the earlier ones that it honours:
    a yes to any other was given to another text, and is no yes to this one. Raises ValueError when
    two categories have the same tag.
    """

    __slots__ = ("_ids", "_sets", "_signer", "_stamps", "_tags", "_verified")

    def __init__(
        self,
        keys: Sequence[bytes],
        categories: Iterable[str],
        stamps: Mapping[str, Sequence[int]] = MappingProxyType({}),
    ) -> None:
        categories = tuple(categories)
        self._stamps = {id: tuple(stamps.get(id, (0,))) for id in categories}
        self._tags = {id: category_tag(id) for id in categories}
        if NO_OTHER_TAG in self._tags.values():
            raise ValueError("a category id cannot be told from all others in a token: rename it")
        self._ids = {tag: id for id, tag in self._tags.items()}
        if len(self._ids) < len(self._tags):
            raise ValueError("two category ids cannot be told apart in a token: rename one")
        # itsdangerous signs with the last key and verifies with all: the one place that reverses.
        self._signer = Signer(
            list(reversed(keys)), salt=SALT, digest_method=hashlib.sha256, key_derivation="hmac"
        )
        # Only what was verified gets in, so a visitor without the key cannot fill it.
        self._verified: Memo[bytes, Consent] = Memo(2048)
        self._sets: Memo[frozenset[str], frozenset[str]] = Memo(256)

    def __reduce__(self) -> NoReturn:
        # A consent that is pickled, with a request's state say, would carry the keys along.
        raise TypeError("signing keys are never pickled: keep consent.granted instead")

    def __deepcopy__(self, memo: object) -> Tokens:
        return self

    def write(self, consent: Consent) -> bytes:
        """Return the signed cookie value for this consent."""
        id = bytes.fromhex(consent.id) if consent.id else b""
        tries = consent.tries
        flags = (_HAS_ID if id else 0) | (_COUNTS if tries.total else 0)
        flags |= _OVER_GPC if consent.over_gpc else 0
        flags |= _RENEWED if consent.renewed else 0
        older = dict(consent.older)
        payload = bytearray([_FORMAT << 4 | flags])
        payload += (consent.decided_at or 0).to_bytes(4, "big") + id
        if flags & _RENEWED:
            payload += consent.renewed.to_bytes(2, "big")
        if flags & _COUNTS:
            payload += _TRIES.pack(*tries)
        for category, tag in sorted(self._tags.items()):
            if category in consent.granted:
                stamp = older.get(category, self._stamps[category][0])
                payload += tag.to_bytes(2, "big") + (GRANTED << 8 | stamp).to_bytes(2, "big")
            elif category in consent.denied:
                payload += tag.to_bytes(2, "big") + NO
            elif category in consent.reopened:
                payload += tag.to_bytes(2, "big") + REOPENED
        payload += consent.others
        return self._signer.sign(base64_encode(bytes(payload)))

    def length(self, consent: Consent) -> int:
        """Return how long the value is that `write` returns for this consent, tries included."""
        categories = len(consent.granted) + len(consent.denied | consent.reopened)
        payload = 5 + ID_BYTES * bool(consent.id) + 2 + _TRIES.size + 4 * categories
        return -(-(payload + len(consent.others)) * 4 // 3) + 1 + 43  # SHA-256 in base64url

    def read(self, value: bytes) -> Consent | None:
        """Return the consent that a cookie value carries, or None when it is not to be believed."""
        if len(value) > MAX_TOKEN_BYTES:
            return None
        consent = self._verified.young.get(value) or self._verified.get(value)
        if consent is None:
            try:
                payload = base64_decode(self._signer.unsign(value))
            except BadData:
                return None
            consent = self._decode(payload)
            if consent is not None:
                self._verified.put(value, consent)
        return consent

    def _shared(self, ids: frozenset[str]) -> frozenset[str]:
        """Return one and the same set for all visitors who chose alike: a few dozen at most."""
        shared = self._sets.get(ids)
        if shared is None:
            self._sets.put(ids, ids)
            return ids
        return shared

    def _decode(self, payload: bytes) -> Consent | None:
        if not payload or payload[0] >> 4 != _FORMAT:
            return None
        end_of_id = start = 5 + ID_BYTES * (payload[0] & _HAS_ID)
        start += 2 * bool(payload[0] & _RENEWED) + _TRIES.size * bool(payload[0] & _COUNTS)
        if len(payload) < start or (len(payload) - start) % 4:
            return None
        renewed = 0
        if payload[0] & _RENEWED:
            renewed = int.from_bytes(payload[end_of_id : end_of_id + 2], "big")
        tries = NO_TRIES
        if payload[0] & _COUNTS:
            tries = Tries(*_TRIES.unpack(payload[start - _TRIES.size : start]))
        granted: set[str] = set()
        denied: set[str] = set()
        reopened: set[str] = set()
        older: list[tuple[str, int]] = []
        others = b""
        named: set[str] = set()
        for at in range(start, len(payload), 4):
            category = self._ids.get(int.from_bytes(payload[at : at + 2], "big"))
            said = payload[at + 2 : at + 4]
            if category is None:
                others += payload[at : at + 4]
                continue
            named.add(category)
            if said[0] & GRANTED:
                stamp = int.from_bytes(said, "big") ^ GRANTED << 8
                stamps = self._stamps[category]
                if stamp in stamps:
                    granted.add(category)
                    if stamp != stamps[0]:
                        older.append((category, stamp))
            else:
                (reopened if said == REOPENED else denied).add(category)
        if len(others) > _MAX_OTHERS:  # what is cut off may have been a no
            others = others[: _MAX_OTHERS - 4] + NO_OTHER
        if NO_OTHER in (others[at : at + 4] for at in range(0, len(others), 4)):
            reopened |= self._tags.keys() - named
        return Consent(
            granted=self._shared(frozenset(granted - denied - reopened)),
            denied=self._shared(frozenset(denied)),
            reopened=self._shared(frozenset(reopened - denied)),
            older=frozenset(older),
            over_gpc=bool(payload[0] & _OVER_GPC),
            renewed=renewed,
            id=payload[5:end_of_id].hex() or None,
            decided_at=int.from_bytes(payload[1:5], "big"),
            tries=tries,
            others=others,
        )
