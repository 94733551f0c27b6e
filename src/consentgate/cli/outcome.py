"""What becomes of each category, and of those who were asked about it, under another policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..core.own_cookie import OwnCookie
from ..core.policy import Category, Policy
from ..core.revision import revision_of, stamp, told_of
from .changes import Difference, Kind, differences

# Who is asked again.
NOBODY, YES, EVERYBODY = "nobody", "yes", "everybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of one category: who is `asked`, and why.

    Of the revisions a yes to which was valid, `lost` are those that no longer count, `kept` the
    others, and `missing` those that NEW would have to honour for every such yes to stand. `old`
    and `new` are its revisions, "" where no consent is asked for. `finding` is what should not
    be so.
    """

    id: str
    status: str  # "unchanged", "changed", "new", "gone", "always on", "no longer always on"
    asked: str = NOBODY
    old: str = ""
    new: str = ""
    lost: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    finding: str = ""

    @property
    def wider(self) -> bool:
        """Whether it asks for more than was agreed to."""
        return any(one.kind is Kind.WIDER for one in self.differences)

    @property
    def acceptable(self) -> bool:
        """Whether there is something to accept, and nothing against it."""
        return self.status == "changed" and not self.wider and bool(self.missing)


def compare(old: Policy, new: Policy) -> list[Outcome]:
    """Return what becomes of each category that is optional in either policy, in NEW's order."""
    homes = {rule.name: category for category in new.categories for rule in category.rules}
    found = []
    for after in new.categories:
        before = old.category(after.id)
        if before is None or before.always:
            if not after.always:
                status = "new" if before is None else "no longer always on"
                revision = revision_of(after)
                found.append(Outcome(id=after.id, status=status, asked=EVERYBODY, new=revision))
        elif after.always:
            finding = "its cookies are now set for those who refused them, too"
            found.append(
                Outcome(id=after.id, status="always on", old=revision_of(before), finding=finding)
            )
        else:
            found.append(_outcome(before, after, differences(before, after, homes)))
    gone = [one for one in old.categories if not one.always and new.category(one.id) is None]
    return found + [Outcome(id=one.id, status="gone", old=revision_of(one)) for one in gone]


def _outcome(old: Category, new: Category, found: tuple[Difference, ...]) -> Outcome:
    was, now = revision_of(old), revision_of(new)
    # As the gate does: tokens hold stamps of revisions.
    valid = {stamp(now), *map(stamp, new.honours)}
    was_valid = tuple(dict.fromkeys((was, *(one.lower() for one in old.honours))))
    listed = {now, *(one.lower() for one in new.honours)}
    changed = told_of(old) != told_of(new)
    finding = ""
    if any(one.kind is Kind.WIDER for one in found) and stamp(was) in valid:
        finding = f"a yes to {was} stays valid, but it was given to less"
    lost = tuple(one for one in was_valid if stamp(one) not in valid)
    return Outcome(
        id=new.id,
        status="changed" if changed else "unchanged",
        asked=YES if lost else NOBODY,
        old=was,
        new=now,
        lost=lost,
        kept=tuple(one for one in was_valid if one not in lost),
        differences=found,
        finding=finding,
        missing=tuple(one for one in was_valid if one not in listed),
    )


def further(old: Policy, new: Policy) -> Iterator[str]:
    """Yield why people are asked again whatever the categories say."""
    was, now = (
        OwnCookie(one, secure=one.secure, domain=one.domain).name.decode() for one in (old, new)
    )
    if was != now:
        yield f"the choice is kept in {now}, before in {was}: everybody is asked"
    for key, who in (("accepted_for", "yes"), ("refused_for", "no")):
        before, after = getattr(old, key), getattr(new, key)
        if after < before:
            days, fewer = (f"{seconds / 86_400:g} days" for seconds in (before, after))
            yield f"{key} is {fewer}, before {days}: who said {who} is asked again sooner"
