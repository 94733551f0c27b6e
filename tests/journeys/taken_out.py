"""Take one feature after another out of a copy of the package, and see that its journeys fail.

A test that passes without the feature that it is about tests nothing. Exit 1 if one does.

cd tests && python -m journeys.taken_out [part of a feature's name ...]
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import consentgate
from web import small

PACKAGE = Path(consentgate.__file__).parent
TESTS = Path(__file__).parents[1]
# One browser and one shop are enough: what is asked here is whether the test looks.
WHERE = "not firefox and not flask and not django"
SCRIPT, STYLE = "pages/web/g.js", "pages/web/g.css"


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that is there, how to take it out, and the tests that must then fail."""

    name: str
    file: str
    there: str
    instead: str
    tests: tuple[str, ...]


FEATURES = [
    Feature(
        "the banner in the page",
        "core/front.py",
        "    if not asks:\n",
        "    if True:\n",
        ("test_a_newcomer_is_asked", "test_all_of_it_works_without_script"),
    ),
    Feature(
        "nothing before a yes",
        SCRIPT,
        "      return allowed.includes(category);",
        "      return true;",
        ("test_a_newcomer_is_asked", "test_a_refusal_stores_itself"),
    ),
    Feature(
        "a region, not a dialog",
        "pages/templates/banner.html",
        '<section class="gate"',
        '<section class="gate" role="dialog" aria-modal="true"',
        ("test_the_banner_is_a_region",),
    ),
    Feature(
        "reject",
        "core/own_pages.py",
        "            visit.reject_all()\n",
        "            visit.accept_all()\n",
        ("test_a_refusal_stores_itself",),
    ),
    Feature(
        "accept",
        "core/own_pages.py",
        "            visit.accept_all()\n",
        "            visit.reject_all()\n",
        ("test_a_yes_to_everything",),
    ),
    Feature(
        "heeded without a reload",
        SCRIPT,
        "if (state() !== before) {",
        "if (false) {",
        ("test_a_yes_to_everything",),
    ),
    Feature(
        "save some",
        "core/own_pages.py",
        "            visit.save(wish.grant, wish.leave - wish.object)\n",
        "            visit.accept_all()\n",
        ("test_some_can_be_allowed", "test_enter_among_the_boxes"),
    ),
    Feature(
        "boxes as they stand",
        "core/front.py",
        "        ticked=visit.choice(category.id) is Choice.GRANTED,\n",
        "",
        ("test_a_choice_can_be_changed",),
    ),
    Feature(
        "no box ticked",
        "core/front.py",
        "        ticked=visit.choice(category.id) is Choice.GRANTED,\n",
        "        ticked=True,\n",
        ("test_some_can_be_allowed",),
    ),
    Feature(
        "withdraw",
        SCRIPT,
        'button.value === "withdraw" ? "again" : "sent"',
        '"sent"',
        ("test_a_withdrawal_makes_a_newcomer",),
    ),
    Feature(
        "the companion",
        "core/companion.py",
        "if value and seconds > 0 else",
        "if False else",
        ("test_a_refusal_stores_itself", "test_a_lost_mirror", "test_who_blocks_storage"),
    ),
    Feature(
        "no mirror without companion",
        SCRIPT,
        "localStorage.removeItem(policy.mirror);",
        "",
        ("test_an_old_mirror", "test_a_withdrawal_makes_a_newcomer"),
    ),
    Feature(
        "the mirror",
        SCRIPT,
        "localStorage.setItem(policy.mirror, JSON.stringify(mirror));",
        "",
        ("test_a_lost_mirror", "test_one_tab_follows"),
    ),
    Feature(
        "the banner on pages from caches",
        SCRIPT,
        'if (made || (newcomer && cause === "sent")) {',
        "if (newcomer) {",
        ("test_a_page_from_a_cache", "test_a_choice_can_be_made_on_a_page", "test_who_deletes"),
    ),
    Feature(
        "forms without script",
        "pages/templates/banner.html",
        '<form method="post" action="{{ base }}/choice"',
        "<form",
        ("test_all_of_it_works_without_script",),
    ),
    Feature(
        "in the flow without script",
        STYLE,
        "@media (scripting: none) {",
        "@media (scripting: never) {",
        ("test_all_of_it_works_without_script",),
    ),
    Feature(
        "in peace without cookies",
        SCRIPT,
        "if (!own) clear(cookies === null ? SECTION : BANNER);",
        "if (!own) clear(BANNER + '-');",
        ("test_who_blocks_cookies",),
    ),
    Feature(
        "storage may be blocked",
        SCRIPT,
        "// Blocked or full: nothing here depends on it.",
        "throw new Error();",
        ("test_who_blocks_storage",),
    ),
    Feature(
        "the back button",
        SCRIPT,
        # At pageshow, at visibilitychange and where another page wrote the mirror: each suffices.
        "async function refresh(cause) {",
        'async function refresh(cause) { if (cause !== "load" && cause !== "sent") return;',
        ("test_the_back_button_shows", "test_the_back_button_asks"),
    ),
    Feature(
        "two tabs",
        SCRIPT,
        "  function notice() {\n",
        "  function notice() {\n    return;\n",
        ("test_one_tab_follows",),
    ),
    Feature(
        "sent once",
        SCRIPT,
        "    if (sending) return;\n    if (chooses)",
        "    if (chooses)",
        ("test_on_a_slow_network_nothing_starts",),
    ),
    Feature(
        "seen to be on its way",
        SCRIPT,
        'section.setAttribute("aria-busy", "true");',
        "",
        ("test_on_a_slow_network_nothing_starts",),
    ),
    Feature(
        "nothing in the page itself",
        "pages/templates/banner.html",
        '<section class="gate"',
        '<section style="opacity: 1" class="gate"',
        ("test_a_strict_page",),
    ),
    Feature(
        "the banner comes first",
        "pages/templates/banner.html",
        '<form method="post"',
        '<form tabindex="0" method="post"',
        ("test_the_banner_is_the_first",),
    ),
    Feature(
        "focus is not lost",
        SCRIPT,
        "function refocus() {",
        "function refocus() { return;",
        ("test_each_button_is_pressed",),
    ),
    Feature(
        "focus is given back",
        SCRIPT,
        "trigger = from === document.body ? null : from;",
        "trigger = null;",
        ("test_the_choices_take_the_focus", "test_the_choices_give_the_focus_back"),
    ),
    Feature(
        "the choices take the focus",
        SCRIPT,
        "first(`${CHOICES} h2`)?.focus();",
        "",
        ("test_the_choices_take_the_focus", "test_the_choices_give_the_focus_back"),
    ),
    Feature(
        "Escape closes the choices",
        SCRIPT,
        'event.key === "Escape"',
        'event.key === "F1"',
        ("test_the_choices_take_the_focus", "test_the_choices_give_the_focus_back"),
    ),
    Feature(
        "Escape is no answer",
        SCRIPT,
        "const panel = target.closest(CHOICES);",
        "const panel = document.querySelector(SECTION);",
        ("test_escape_outside",),
    ),
    Feature(
        "Enter saves",
        "pages/templates/preferences.html",
        '{{ button("save", words.text("preferences.save")) }}',
        '{{ button("accept", "") }}{{ button("save", words.text("preferences.save")) }}',
        ("test_enter_among_the_boxes",),
    ),
    Feature(
        "nothing hidden by the banner",
        SCRIPT,
        'style.setProperty("--gate-height", height ? `${height}px` : "")',
        "style.removeProperty('--gate-height')",
        ("test_nothing_that_has_the_focus_is_hidden_by_the_banner", "test_the_end_of_the_page"),
    ),
    Feature(
        "reject as heavy as accept",
        "pages/templates/_parts.html",
        '<button class="gate-button" name="action" value="{{ action }}">',
        '<button class="gate-{{ "button" if action != "reject" else "small" }}" name="action" '
        'value="{{ action }}">',
        ("test_accept_and_reject_are_alike",),
    ),
    Feature(
        "text may wrap",
        STYLE,
        "  font-weight: 600;\n",
        "  font-weight: 600;\n  white-space: nowrap;\n  overflow: hidden;\n",
        ("test_no_text_is_cut_off_at_twice_its_size[de]",),
    ),
    Feature(
        "dark where the page is dark",
        STYLE,
        "  color-scheme: inherit;\n",
        "",
        ("test_it_is_dark_where_the_page_is",),
    ),
    Feature(
        "contrast",
        STYLE,
        "--g-soft: color-mix(in srgb, var(--g-text) 78%, var(--g-back));",
        "--g-soft: color-mix(in srgb, var(--g-text) 40%, var(--g-back));",
        ("test_axe_finds_nothing[preferences-en-ltr]", "test_axe_finds_nothing[choices-en-ltr]"),
    ),
    Feature(
        "tags held back",
        "pages/web/t.js",
        'const allowed = (one) => gate.has(one.dataset.category ?? "");',
        "const allowed = () => true;",
        ("test_before_a_choice_no_third_party", "test_after_a_refusal_no_third_party"),
    ),
    Feature(
        "frames held back",
        "core/embeds.py",
        "    if allowed:\n        return f'<iframe",
        "    if True:\n        return f'<iframe",
        ("test_before_a_choice_no_third_party", "test_without_scripts_only"),
    ),
    Feature(
        "the policy that browsers enforce",
        "core/csp.py",
        'self._name = ENFORCED if enforced and csp.mode == "enforce" else REPORTED',
        "self._name = REPORTED",
        ("test_a_tag_that_is_not_held_back",),
    ),
    Feature(
        "a page is opened anew for what waits",
        SCRIPT,
        "if (waits && opensAnew()) location.reload();",
        "",
        ("test_a_yes_is_heeded_at_once",),
    ),
    Feature(
        "the guard",
        "pages/web/guard.js",
        'const blocks = policy.guard === "block" && !policy.report;',
        "const blocks = false;",
        ("test_who_is_no_longer_allowed", "test_a_withdrawal_takes_all_of_it"),
    ),
    Feature(
        "what is needed is not guarded against",
        "pages/web/first.js",
        "return policy.always.includes(id) || allowed.includes(id);",
        "return allowed.includes(id);",
        ("test_before_a_choice_no_third_party", "test_a_yes_to_everything_lets"),
    ),
    Feature(
        "the default before the tags",
        "pages/web/modes.js",
        'announce("default");',
        'setTimeout(() => announce("default"), 500);',
        ("test_no_tag_is_told_later",),
    ),
    Feature(
        "the default as it is",
        "pages/web/modes.js",
        "const yes = may(category)",
        "const yes = false",
        ("test_no_tag_is_told_later", "test_some_can_be_let_in"),
    ),
    Feature(
        "updates of it",
        "pages/web/modes.js",
        'news = () => announce("update");',
        "",
        ("test_no_tag_is_told_later",),
    ),
]


def without(feature: Feature, folder: Path) -> None:
    """Make a copy of the package in a folder, without the feature."""
    shutil.copytree(PACKAGE, folder / "consentgate", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "consentgate" / feature.file
    text = file.read_text("utf-8")
    if feature.there not in text:
        raise SystemExit(f"{feature.name}: {feature.file} does not say {feature.there!r}")
    file.write_text(text.replace(feature.there, feature.instead), "utf-8")
    if file.suffix == ".js":
        small.write(file.parent)


def outcomes(feature: Feature, folder: Path) -> dict[str, str]:
    """Run the feature's tests against the copy, and return what became of each."""
    names = " or ".join(name.partition("[")[0] for name in feature.tests)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "journeys",
            "-rA",
            "--tb=no",
            "-k",
            f"({names}) and {WHERE}",
        ],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(folder), "JOURNEY_SECONDS": "4"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = re.findall(r"^(PASSED|FAILED|ERROR) \S+?::(\S+)", run.stdout, re.M)
    found = {name: result for result, name in sorted(lines, reverse=True)}  # an error outdoes all
    if not found:
        raise SystemExit(f"{feature.name}: no test was run\n{run.stdout}{run.stderr}")
    return found


def main() -> int:
    wanted = sys.argv[1:]
    survived = False
    for feature in FEATURES:
        if wanted and not any(part in feature.name for part in wanted):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            without(feature, Path(scratch))
            found = outcomes(feature, Path(scratch))
        print(f"without {feature.name} ({feature.file})", flush=True)
        for name in feature.tests:
            results = {one: result for one, result in found.items() if one.startswith(name)}
            failing = sorted(one for one, result in results.items() if result != "PASSED")
            # Of a test with several cases, one that fails is enough.
            print("    fails:    " + ", ".join(failing) if failing else f"    SURVIVES: {name}")
            survived = survived or not failing
    return int(survived)


if __name__ == "__main__":
    raise SystemExit(main())
