"""What visitors must be told and are not, and what is only worth a thought when a file is checked.

None of it is said when a policy is loaded, unless it asks for that: strict = true.

Who the controller is, and how to get in touch: GDPR article 13(1)(a). What each cookie is for, how
long it lives, and whether third parties have access: CJEU C-673/17 Planet49. Who has access is its
provider and its `recipients`; these are never asked for, for none is what an empty list says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ...core.policy import NECESSARY, OPT_OUT, Category, Policy, Rule
from ..problems import Fault, Path, key_path

_CONTROLLER = "GDPR article 13(1)(a)"
_PLANET49 = "CJEU C-673/17 Planet49"


def fact_faults(policy: Policy) -> Iterator[Fault]:
    """Yield what visitors are not told, one for each cookie; errors where the policy is strict."""
    severity = "error" if policy.strict else "warning"
    for path, message, remedy in _missing(policy):
        yield Fault(code="CG508", path=path, message=message, remedy=remedy, severity=severity)


def thoughts_on(policy: Policy) -> Iterator[Fault]:
    """Yield warnings that are for whoever checks a file, and would be noise at every start."""
    regions = policy.regions
    if regions is None:
        return
    if not regions.country and not regions.database:
        yield Fault(
            code="CG509",
            path=("regions",),
            message="nothing says which region a visitor is in, so all are where it is strictest",
            remedy="add country or database, unless the app passes locate= to wrap",
            severity="warning",
        )
    optional = [category for category in policy.categories if not category.always]
    sold = any(category.sale_or_sharing for category in optional)
    if optional and not sold and any(one.regime == OPT_OUT for one in regions.profiles):
        yield Fault(
            code="CG510",
            path=("regions",),
            message=(
                "there are opt-out regions, but no category is marked as sold or shared: an "
                "opt-out, and Global Privacy Control, then concern all optional categories"
            ),
            remedy="write sale_or_sharing = true in those that are sold, shared or used for ads",
            severity="warning",
        )


def _missing(policy: Policy) -> Iterator[tuple[Path, str, str]]:
    optional = [
        (number, category)
        for number, category in enumerate(policy.categories)
        if not category.always and category.id != NECESSARY  # for that, see CG105
    ]
    if optional:
        yield from _controller(policy)
    for number, category in optional:
        place: Path = ("categories", number)
        if not category.description.strip():
            message = f"visitors are not told what {category.id!r} is for ({_PLANET49})"
            remedy = f'add description = "…" to [{key_path(("categories", category.id))}]'
            yield (*place, "description"), message, remedy
        yield from _cookies(category, place)


def _controller(policy: Policy) -> Iterator[tuple[Path, str, str]]:
    controller = policy.controller
    if controller is None:
        message = f"visitors are not told who decides over their data ({_CONTROLLER})"
        remedy = "add [controller] with name, and contact or address"
        yield ("controller",), message, remedy
        return
    missing = {}
    if not controller.name.strip():
        missing["a name"] = 'name = "…"'
    if not controller.contact.strip() and not controller.address.strip():
        missing["a contact or an address"] = 'contact = "…" or address = "…"'
    if missing:
        message = f"the controller lacks {_and(missing)} ({_CONTROLLER})"
        yield ("controller",), message, f"write {', and '.join(missing.values())}"


def _cookies(category: Category, place: Path) -> Iterator[tuple[Path, str, str]]:
    for position, rule in enumerate(category.rules):
        missing = list(_untold(rule))
        if missing:
            message = f"visitors are not told the {_and(missing)} of {rule.name!r} ({_PLANET49})"
            example = {"provider": "…", "purpose": "…", "duration": "13 months"}
            facts = [f'{key} = "{example[key]}"' for key in missing]
            remedy = f"add {_and(facts)}"
            if len(missing) == len(example):  # most likely a name alone
                name = json.dumps(rule.name, ensure_ascii=not rule.name.isprintable())
                remedy = f"write {{ name = {name}, {', '.join(facts)} }}"
            yield (*place, "rules", position), message, remedy


def _untold(rule: Rule) -> Iterator[str]:
    if not rule.provider.strip():
        yield "provider"
    if not rule.purpose.strip():
        yield "purpose"
    if not rule.duration.strip() and rule.seconds is None:
        yield "duration"


def _and(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
