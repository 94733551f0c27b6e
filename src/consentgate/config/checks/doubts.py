"""What a Policy may say, but probably does not mean: warnings."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.matcher import Matcher
from ...core.policy import Policy
from ...presets import necessary_rules
from ..problems import Fault, Path


def doubts_about(policy: Policy) -> Iterator[Fault]:
    """Yield a warning for each thing that is probably not meant."""
    if policy.unknown == "allow":
        yield Fault(
            code="CG502",
            path=("unknown",),
            message="cookies that no rule names leave without consent",
            remedy='name them, then write unknown = "block"',
            severity="warning",
        )
    yield from _taken_over(policy)


def _taken_over(policy: Policy) -> Iterator[Fault]:
    """Find patterns that match a name which frameworks need, in categories that can be refused."""
    always = {category.id for category in policy.categories if category.always}
    places: dict[int, Path] = {
        id(rule): ("categories", number, "rules", position)
        for number, category in enumerate(policy.categories)
        for position, rule in enumerate(category.rules)
    }
    # A name that no cookie can have takes over nothing, and may not even have bytes.
    site = Matcher(
        rule for category in policy.categories for rule in category.rules if rule.name.isprintable()
    )
    taken: dict[int, tuple[str, list[str]]] = {}
    for known in necessary_rules():
        rule = site.find(known.name.replace("*", "x").encode())
        if rule is not None and "*" in rule.name and rule.category not in always:
            taken.setdefault(id(rule), (rule.name, []))[1].append(f"{known.name} ({known.origin})")
    for rule_id, (pattern, names) in taken.items():
        shown = ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")
        yield Fault(
            code="CG501",
            path=places[rule_id],
            message=f"{pattern!r} takes over names that frameworks need: {shown}",
            remedy="make the pattern longer, or list those names in a category that is always on",
            severity="warning",
        )
