"""Policies to measure with: a shop's, and as many rules as wanted of every kind."""

from __future__ import annotations

from consentgate import Category, Policy, Rule

KEY = b"a key for measuring and for nothing else: 0123456789"

SHOP: dict[str, tuple[str, ...]] = {
    "necessary": ("sessionid", "session", "csrftoken", "basket", "currency", "language"),
    "preferences": ("theme", "view_*", "recently_viewed"),
    "analytics": ("_ga", "_ga_*", "_gid", "_gat*", "_hjSession*", "_pk_id*", "_pk_ses*"),
    "marketing": ("_fbp", "_fbc", "_gcl_*", "IDE", "test_cookie", "*_adclick*", "li_*"),
}

# How much of a policy is of which kind; the remainder are exact names.
MIXES: dict[str, tuple[tuple[str, float], ...]] = {
    "exact, prefix*": (("{}*", 0.4),),
    "exact, prefix*, *ending": (("{}*", 0.3), ("*{}", 0.2)),
    "exact, prefix*, *ending, *inner*": (
        ("{}*", 0.3),
        ("*{}", 0.1),
        ("*{}*", 0.05),
        ("x*{}", 0.05),
    ),
}
# Patterns of different kinds get literal text of different lengths, so that no two of them tie.
_KINDS = ("{}*", "*{}", "*{}*", "x*{}")


def shop() -> Policy:
    """Return the policy of a shop: 23 rules in four categories."""
    return _policy({id: list(names) for id, names in SHOP.items()})


def of_many(count: int, mix: str) -> Policy:
    """Return a policy of `count` rules: half of the first ten are a shop's, the others made up.

    A smaller policy of the same mix is the beginning of a larger one.
    """
    names: dict[str, list[str]] = {
        "necessary": ["sessionid", "csrftoken"],
        "preferences": ["theme"],
        "analytics": ["_ga"],
        "marketing": ["_fbp"],
    }
    ids = list(names)
    for number in range(count - 5):
        name = pattern(number, mix)
        # Two patterns with text in the middle nearly always meet: they must not disagree.
        several = name.strip("*").count("*") or (name[0] == name[-1] == "*")
        names["marketing" if several else ids[number % len(ids)]].append(name)
    return _policy(names)


def pattern(number: int, mix: str) -> str:
    """Return the name of rule `number` of a mix."""
    word = f"{_word(number)}_{number}"
    place = number * 7 % 20 / 20
    for shape, share in MIXES[mix]:
        if place < share:
            kind = _KINDS.index(shape)
            while (len(word) + len(shape.replace("*", "").replace("{}", ""))) % len(_KINDS) != kind:
                word += "z"
            return shape.format(word)
        place -= share
    return word


def _word(number: int) -> str:
    syllables = ("ab", "ev", "tra", "vis", "ses", "cli", "seg", "opt", "uid", "pix", "met", "cam")
    return "_" + "".join(syllables[number // 12**place % 12] for place in range(3))


def _policy(names: dict[str, list[str]]) -> Policy:
    return Policy(
        version="1",
        categories=tuple(
            Category(
                id=id,
                always=id == "necessary",
                rules=tuple(Rule(name=name, category=id) for name in listed),
            )
            for id, listed in names.items()
        ),
    )


def as_name_lists(policy: Policy) -> str:
    """Write a policy file with one list of names for each category."""
    lines = [f'version = "{policy.version}"']
    for category in policy.categories:
        lines += [f"[categories.{category.id}]", f"always = {str(category.always).lower()}"]
        lines += ["cookies = [", *(f'    "{rule.name}",' for rule in category.rules), "]"]
    return "\n".join(lines) + "\n"


def as_tables(policy: Policy) -> str:
    """Write a policy file with a [[cookies]] table for each name, everything said of it."""
    lines = [f'version = "{policy.version}"']
    for category in policy.categories:
        lines += [f"[categories.{category.id}]", f"always = {str(category.always).lower()}"]
    for category in policy.categories:
        for rule in category.rules:
            lines += [
                "[[cookies]]",
                f'name = "{rule.name}"',
                f'category = "{category.id}"',
                'provider = "Example"',
                'purpose = "Tells visitors apart"',
                'duration = "13 months"',
            ]
    return "\n".join(lines) + "\n"
