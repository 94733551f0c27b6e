"""What a Policy may say, but probably does not mean: warnings."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.matcher import Matcher
from ...core.policy import Category, Policy
from ...presets import necessary_rules, trackers_named
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
        if policy.expire_unknown:
            yield Fault(
                code="CG506",
                path=("expire_unknown",),
                message="unknown cookies are allowed, so none is expired",
                remedy='write unknown = "block", or leave expire_unknown out',
                severity="warning",
            )
    if not policy.hide:
        yield Fault(
            code="CG505",
            path=("hide",),
            message="the app reads cookies that the visitor has refused",
            remedy="leave hide out, unless nothing in the app reads them",
            severity="warning",
        )
    if policy.consent_mode is not None and policy.consent_mode.mode == "advanced":
        yield Fault(
            code="CG516",
            path=("consent_mode", "mode"),
            message="tags load, and send requests, before the visitor agrees",
            remedy='write mode = "basic", in which a tag loads only when it is allowed',
            severity="warning",
        )
    for number, category in enumerate(policy.categories):
        if category.secure and not policy.secure:
            yield Fault(
                code="CG506",
                path=("categories", number, "secure"),
                message="the site does without https, so none of its cookies is made Secure",
                remedy="set secure = true in [consent], or leave it out here",
                severity="warning",
            )
        if category.always:
            yield from _touched(category, ("categories", number))
    yield from _taken_over(policy)
    yield from _trackers(policy)


def _touched(category: Category, place: Path) -> Iterator[Fault]:
    """Find what changes cookies that people need."""
    found: list[tuple[Path, str, str]] = []
    if category.same_site:
        message = "a SameSite floor cuts people off who come back from a payment or a sign-in page"
        remedy = "leave same_site out here; set it in the app, for single cookies"
        found.append(((*place, "same_site"), message, remedy))
    if category.http_only:
        message = "HttpOnly keeps scripts from the CSRF token that some of them have to read"
        remedy = "leave http_only out here; set it in the app, for single cookies"
        found.append(((*place, "http_only"), message, remedy))
    for position, rule in enumerate(category.rules):
        at: Path = (*place, "rules", position)
        if not rule.sliding:
            message = f"{rule.name!r} cannot change once the browser holds it"
            remedy = "leave sliding out: sessions and CSRF tokens have to change"
            found.append(((*at, "sliding"), message, remedy))
    for position, rule in enumerate(category.rules):
        if rule.seconds is not None and not rule.published_only:
            message = (
                f"{rule.name!r} is cut to {rule.duration or rule.seconds!r} where the app keeps it "
                "longer, which may sign people out; so are others of this category with a duration"
            )
            remedy = "move them to [[cookies]] to publish durations only, or leave them if meant"
            found.append(((*place, "rules", position, "duration"), message, remedy))
            break  # one line for all of them
    for path, message, remedy in found:
        yield Fault(code="CG504", path=path, message=message, remedy=remedy, severity="warning")


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


def _trackers(policy: Policy) -> Iterator[Fault]:
    """Find cookies of known vendors that are called strictly necessary: never an error at load,
    or a new release of ours could keep a shop from starting."""
    named: list[tuple[str, Path, str]] = [
        (rule.name, ("categories", number, "rules", position, "name"), "in a category always on")
        for number, category in enumerate(policy.categories)
        if category.always
        for position, rule in enumerate(category.rules)
    ]
    named += [
        (name, ("flows", number, "cookies", position), "in a flow")
        for number, flow in enumerate(policy.flows)
        for position, name in enumerate(flow.cookies)
    ]
    for name, path, where in named:
        vendors = {f"{one.vendor} ({one.purpose})": None for one in trackers_named(name)}
        if vendors:
            shown = ", ".join(list(vendors)[:3]) + (" and others" if len(vendors) > 3 else "")
            yield Fault(
                code="CG507",
                path=path,
                message=f"{name!r} is no strictly necessary cookie, but one of {shown}",
                remedy=f"it stands {where}: move it to an optional category",
                severity="warning",
            )
