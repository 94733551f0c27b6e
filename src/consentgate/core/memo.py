"""A bounded memory of answers already worked out: the core's only mutable state.

Rule 1. It never holds more than twice its limit, whatever a visitor sends.
Rule 2. A wrong moment costs time, never a wrong answer: only results of pure functions go in.
Rule 3. It needs no lock: a full generation is put aside whole, by one assignment.
"""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Remember up to `limit` answers in a young generation and as many in an old one."""

    __slots__ = ("_limit", "_old", "young")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.young: dict[K, V] = {}  # read directly where a call per header would cost too much
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return the remembered answer, or None."""
        found = self.young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Remember `value`; when the young generation is full it becomes the old one."""
        young = self.young
        if len(young) >= self._limit and key not in young:
            self._old = young
            self.young = young = {}
        young[key] = value

    def __len__(self) -> int:
        return len(self.young) + len(self._old)
