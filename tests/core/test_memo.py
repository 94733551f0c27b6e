"""A bounded memory of answers already worked out."""

from __future__ import annotations

import sys
from threading import Thread

from consentgate.core.memo import Memo


def test_what_was_put_is_found_again() -> None:
    """An answer comes back; what was never put is None; a newer answer replaces an older one."""
    memo: Memo[bytes, int] = Memo(4)
    memo.put(b"a", 1)
    memo.put(b"a", 2)
    assert (memo.get(b"a"), memo.get(b"b"), len(memo)) == (2, None, 1)


def test_it_never_holds_more_than_twice_its_limit() -> None:
    """However many names a visitor makes up, memory stays where it is."""
    memo: Memo[int, int] = Memo(10)
    sizes = []
    for number in range(1000):
        memo.put(number, number)
        sizes.append(len(memo))
    assert max(sizes) == 20
    assert memo.get(999) == 999
    assert memo.get(0) is None


def test_what_is_asked_for_survives_what_is_not() -> None:
    """An answer in use moves to the young generation, so a flood of others does not remove it."""
    memo: Memo[object, int] = Memo(10)
    memo.put("used", 1)
    for number in range(1000):
        memo.put(number, number)
        assert memo.get("used") == 1


def test_a_full_memory_takes_a_newer_answer_for_a_known_key() -> None:
    """Replacing an answer puts no generation aside."""
    memo: Memo[int, int] = Memo(2)
    memo.put(1, 1)
    memo.put(2, 2)
    memo.put(1, 3)
    assert (memo.get(1), memo.get(2), len(memo)) == (3, 2, 2)


def test_threads_never_get_a_wrong_answer() -> None:
    """Rule 2: a wrong moment costs time, never a wrong answer."""
    memo: Memo[int, int] = Memo(8)
    wrong: list[tuple[int, int]] = []

    def work() -> None:
        for number in range(4000):
            key = number % 40
            found = memo.get(key)
            if found is None:
                memo.put(key, key * 7)
            elif found != key * 7:
                wrong.append((key, found))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert wrong == []
    assert len(memo) <= 16 + len(threads)
