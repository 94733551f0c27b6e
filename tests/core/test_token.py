"""The consent cookie's value: signed, short, and believed only when it holds."""

from __future__ import annotations

import hashlib
import pickle
from copy import deepcopy
from dataclasses import replace
from itertools import combinations

import pytest
from itsdangerous import Signer, TimestampSigner, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from consentgate.core.consent import NO, NO_OTHER, Consent, Tries
from consentgate.core.token import MAX_TOKEN_BYTES, Tokens, category_tag
from core.samples import ID, KEY, NOW, OLD_KEY, TODAY, consent_of

CATEGORIES = ("analytics", "marketing")


def tokens(*keys: bytes, categories: tuple[str, ...] = CATEGORIES) -> Tokens:
    return Tokens(keys or (KEY,), categories)


def signed(payload: bytes, key: bytes = KEY) -> bytes:
    """Sign any payload at all, as only a holder of the key can."""
    signer = Signer(
        key, salt=b"consentgate.consent.v1", digest_method=hashlib.sha256, key_derivation="hmac"
    )
    return signer.sign(base64_encode(payload))


@pytest.mark.parametrize(
    "consent",
    [
        consent_of("analytics", "marketing"),
        consent_of("analytics"),
        consent_of("analytics", denied=()),
        consent_of(at=TODAY),
        consent_of(denied=["marketing"], at=TODAY),
        Consent(granted=frozenset({"analytics"}), id=ID, decided_at=2**32 - 1),
    ],
)
def test_what_is_written_is_read(consent: Consent) -> None:
    """Every consent survives its own token, whole."""
    assert tokens().read(tokens().write(consent)) == consent


def test_tokens_of_format_1_stay_readable() -> None:
    """Tokens as the first release wrote them, byte for byte: they must be read for ever after."""
    accept = b"EWroe0AwMTIzNDU2Nzg5ZfmAAOKlAAA.Hvf5egQfaEOrPGKimbBGdGB1n7apS1neBL44LkES7IU"
    refusal = b"EGrn0oBl-QAA4qUAAA.FXGK6oSDmnaYDMKYVdlsJv1tUY_7oDiIk_Ij-XLABwI"
    assert tokens().read(accept) == consent_of("analytics")
    assert tokens().write(consent_of("analytics")) == accept
    assert tokens().read(refusal) == consent_of(at=TODAY)
    assert tokens().write(consent_of(at=TODAY)) == refusal


@pytest.mark.parametrize("count", range(1, 9))
def test_a_token_with_its_name_has_at_most_120_bytes_for_8_categories(count: int) -> None:
    """Id, time and a choice for each category fit, with room for a revision of each."""
    names = tuple(f"a category with a rather long id {number}" for number in range(count))
    for granted in (names, names[:1]):
        consent = Consent(
            granted=frozenset(granted),
            denied=frozenset(names) - frozenset(granted),
            id="f" * 20,
            decided_at=2**32 - 1,
        )
        value = tokens(categories=names).write(consent)
        assert tokens(categories=names).read(value) == consent
        assert len(b"__Host-gate=" + value) <= 120


def test_every_byte_of_a_token_may_stand_in_a_cookie() -> None:
    """base64url and one dot: nothing that any parser quotes, splits or decodes."""
    value = tokens().write(consent_of("analytics"))
    assert (
        value.translate(None, b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").translate(
            None, b"0123456789-_"
        )
        == b"."
    )


def test_a_refusal_holds_nothing_to_recognise_a_visitor_by() -> None:
    """Two visitors who refuse on one day have the very same token."""
    payload = base64_decode(tokens().write(consent_of(at=TODAY)).partition(b".")[0])
    assert payload[0] == 0x10
    assert payload[1:5] == TODAY.to_bytes(4, "big")
    assert len(payload) == 5 + 4 * 2


def test_a_yes_counts_for_the_text_it_was_given_to() -> None:
    """For today's revision and those that it honours, not for another; a no always stands."""
    stamps = {"analytics": (0x1F3C, 0x7FFF), "marketing": (5,)}
    mine = Tokens([KEY], ("analytics", "marketing"), stamps)
    tag = category_tag("analytics").to_bytes(2, "big")
    payload = bytes([0x11]) + NOW.to_bytes(4, "big") + bytes.fromhex(ID) + tag
    yes = consent_of("analytics", denied=())
    assert mine.read(signed(payload + b"\x9f\x3c")) == yes
    older = replace(yes, older=frozenset({("analytics", 0x7FFF)}))
    assert mine.read(signed(payload + b"\xff\xff")) == older
    assert mine.read(signed(payload + b"\x80\x00")) == replace(yes, granted=frozenset())
    assert mine.read(mine.write(yes)) == yes
    assert mine.read(mine.write(older)) == older
    no = consent_of()
    assert mine.read(tokens().write(no)) == no


def test_what_is_asked_about_again_is_no_yes() -> None:
    """What was taken back, when it was written again, and a yes over a signal, each as it was."""
    consent = Consent(
        denied=frozenset({"analytics"}),
        reopened=frozenset({"marketing"}),
        decided_at=TODAY,
        over_gpc=True,
        renewed=200,
        tries=Tries(1, 2, 3, 4, 5, 6),
    )
    assert tokens().read(tokens().write(consent)) == consent


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x10",
        b"\x10\0\0\0",
        b"\x11\0\0\0\0",
        b"\x11\0\0\0\0" + b"x" * 9,
        b"\x10\0\0\0\0\0",
        b"\x10\0\0\0\0\0\0\0",
        b"\x00\0\0\0\0",
        b"\x20\0\0\0\0",
        b"\xf0\0\0\0\0",
    ],
)
def test_a_payload_of_the_wrong_shape_is_not_believed(payload: bytes) -> None:
    """Signed or not: another format, or a length that cannot be, is no consent."""
    assert tokens().read(signed(payload)) is None


def test_a_category_said_both_yes_and_no_to_is_a_no() -> None:
    """A contradiction is read the stricter way."""
    tag = category_tag("analytics").to_bytes(2, "big")
    payload = b"\x10\0\0\0\0" + tag + b"\x80\0" + tag + b"\0\0"
    assert tokens().read(signed(payload)) == Consent(denied=frozenset({"analytics"}), decided_at=0)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b".",
        b"x",
        b"x.y",
        b"\xff\xfe.\x00",
        b"..",
        b"EWrn" * 40,
        base64_encode(b"\x10\0\0\0\0"),
        base64_encode(b"\x10\0\0\0\0") + b".",
    ],
)
def test_what_is_no_token_is_not_believed(value: bytes) -> None:
    """Rubbish is None, never an error."""
    assert tokens().read(value) is None


def test_nothing_longer_than_1_kib_is_verified() -> None:
    """The cap stands before the signature: a longer value is refused even where it would hold."""
    tag = category_tag("analytics").to_bytes(2, "big") + b"\x80\0"
    short = signed(b"\x10\0\0\0\0" + tag * 180)
    long = signed(b"\x10\0\0\0\0" + tag * 190)
    assert len(short) <= MAX_TOKEN_BYTES < len(long)
    assert MAX_TOKEN_BYTES == 1024
    assert tokens().read(short) == Consent(granted=frozenset({"analytics"}), decided_at=0)
    assert tokens().read(long) is None


def test_a_category_that_the_policy_no_longer_has_says_nothing() -> None:
    """What was said of it is dropped; the rest stands. Categories go by id, not by place."""
    value = tokens().write(consent_of("analytics"))
    analytics = category_tag("analytics").to_bytes(2, "big") + b"\x80\0"
    marketing = category_tag("marketing").to_bytes(2, "big") + b"\0\0"
    assert tokens(categories=("marketing", "new")).read(value) == Consent(
        denied=frozenset({"marketing"}), id=ID, decided_at=NOW, others=analytics
    )
    assert tokens(categories=("marketing", "analytics")).read(value) == consent_of("analytics")
    other = tokens(categories=("other",)).read(value)
    assert other == Consent(id=ID, decided_at=NOW, others=analytics + marketing)
    assert other.grants
    assert other.others_as(NO) == analytics[:2] + NO + marketing


def test_what_another_policy_was_told_is_written_back_as_it_came() -> None:
    """Sites that share a cookie, and versions of one site in a row, keep each other's choices."""
    value = tokens().write(consent_of("analytics"))
    mine = tokens(categories=("other",))
    read = mine.read(value)
    assert read is not None
    changed = mine.write(replace(read, granted=frozenset({"other"})))
    again = tokens().read(changed)
    assert again is not None
    assert (again.granted, again.denied) == ({"analytics"}, {"marketing"})
    many = Consent(others=bytes(range(1, 81)) * 4, decided_at=NOW)
    kept = tokens().read(tokens().write(many))
    assert kept is not None
    assert kept.others == many.others[:252] + NO_OTHER  # what is cut off may have been a no


@pytest.mark.parametrize("granted", [(), ("analytics",), ("analytics", "marketing")])
def test_the_length_of_a_value_is_known_before_it_is_written(granted: tuple[str, ...]) -> None:
    """With tries, at the most; so that there is room left for it."""
    consent = replace(consent_of(*granted), others=b"abcd" * 3)
    tries = Tries(255, 255, 65_535, 65_535, 255, 65_535)
    counted = replace(consent, tries=tries, renewed=65_535)
    length = tokens().length(consent)
    assert len(tokens().write(counted)) <= length <= len(tokens().write(counted)) + 2
    assert tokens().read(tokens().write(counted)) == counted


def test_two_ids_that_a_token_cannot_tell_apart_are_refused() -> None:
    """16 bits of a hash may meet; then one of the two must be renamed."""
    seen: dict[int, str] = {}
    number = 0
    while (tag := category_tag(f"c{number}")) not in seen:
        seen[tag] = f"c{number}"
        number += 1
    with pytest.raises(ValueError, match="rename one"):
        tokens(categories=(seen[tag], f"c{number}"))


# --- keys ---------------------------------------------------------------------------------------


def test_the_newest_key_comes_first_and_signs() -> None:
    """Signed with the old key, read with [new, old], written again with the new one."""
    consent = consent_of("analytics")
    old_value = tokens(OLD_KEY).write(consent)
    rotating = tokens(KEY, OLD_KEY)
    assert rotating.read(old_value) == consent
    new_value = rotating.write(consent)
    assert new_value == tokens(KEY).write(consent)
    assert tokens(KEY).read(new_value) == consent
    assert tokens(OLD_KEY).read(new_value) is None


def test_keys_in_the_wrong_order_go_on_signing_with_the_old_one() -> None:
    """[old, new] verifies both but signs with the old: without that one every choice is lost."""
    consent = consent_of("analytics")
    wrong = tokens(OLD_KEY, KEY)
    assert wrong.read(tokens(KEY).write(consent)) == consent
    assert wrong.write(consent) == tokens(OLD_KEY).write(consent)
    assert tokens(KEY).read(wrong.write(consent)) is None


def test_a_lost_key_is_a_lost_choice() -> None:
    """What no key of ours signed is not believed."""
    assert tokens(KEY).read(tokens(OLD_KEY).write(consent_of("analytics"))) is None


def test_signatures_made_for_other_purposes_do_not_count() -> None:
    """Same key, other salt, digest or format: a session token is no consent."""
    payload = base64_encode(
        b"\x10\0\0\0\0" + category_tag("analytics").to_bytes(2, "big") + b"\x80\0"
    )
    digests = (hashlib.sha1, hashlib.sha256, hashlib.sha512)
    for salt in (b"itsdangerous.Signer", b"cookie-session", b"consentgate.consent.v1"):
        for digest in digests:
            for derivation in ("django-concat", "hmac", "none"):
                value = Signer(
                    KEY, salt=salt, digest_method=digest, key_derivation=derivation
                ).sign(payload)
                ours = (salt, digest, derivation) == (
                    b"consentgate.consent.v1",
                    hashlib.sha256,
                    "hmac",
                )
                assert (tokens().read(value) is not None) is ours
    assert tokens().read(TimestampSigner(KEY).sign(payload)) is None
    assert tokens().read(URLSafeSerializer(KEY).dumps({"granted": ["analytics"]}).encode()) is None


def test_only_verified_tokens_are_remembered() -> None:
    """Without the key nobody fills the memory; with tokens nobody grows it past its bounds."""
    ours = tokens()
    for number in range(100):
        assert ours.read(b"x%d.y" % number) is None
    assert len(ours._verified) == 0
    for number in range(5000):
        ours.read(ours.write(consent_of("analytics", at=number)))
    assert len(ours._verified) <= 4096


def test_a_remembered_token_reads_the_same() -> None:
    """The second look gives what the first gave."""
    ours = tokens()
    value = ours.write(consent_of("analytics"))
    assert ours.read(value) is ours.read(value)


def test_category_tags_are_stable() -> None:
    """A tag is the beginning of the id's SHA-256; released tokens hold it."""
    assert category_tag("analytics") == 0x65F9
    assert category_tag("marketing") == 0xE2A5
    common = ("analytics", "marketing", "preferences", "statistics", "functional", "advertising")
    assert all(category_tag(one) != category_tag(two) for one, two in combinations(common, 2))


def test_keys_are_never_pickled_and_a_copy_is_the_same_object() -> None:
    """Whatever carries a consent about must not carry the keys along."""
    ours = tokens()
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(ours)
    assert deepcopy(ours) is ours
    assert KEY.decode() not in repr(ours)
