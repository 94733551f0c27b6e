"""Third parties' scripts, held back: they start when they may, in order, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tags.conftest import Tab
from tags.site import Site

HELD = """
<script type="text/plain" data-category="marketing" src="THIRD/slow.js?wait=300"></script>
<script type="text/plain" data-category="marketing">tell("inline " + document.currentScript.id);
</script>
<script type="text/plain" data-category="analytics" src="THIRD/analytics.js"></script>
<script type="text/plain" data-category="marketing" src="THIRD/missing.js"></script>
<script type="text/plain" data-category="marketing" src="THIRD/fifth.js"></script>
<script type="text/plain" data-category="marketing" src="THIRD/last.js"></script>"""


def test_of_a_newcomer_nobody_else_hears(tab: Tab, site: Site) -> None:
    """No request and no code, as long as nothing was said."""
    site.body = HELD
    tab.go()
    assert (site.third.asked, tab.ran) == ([], [])


@pytest.mark.parametrize("action", ["reject", "withdraw", "opt-out"])
def test_nothing_starts_for_who_says_no(tab: Tab, site: Site, action: str) -> None:
    """Neither on that page nor on the next."""
    site.body = HELD
    tab.go()
    tab.choose(action=action)
    tab.go("/next")
    assert (site.third.asked, tab.ran) == ([], [])


def test_what_is_granted_starts_at_once_in_the_order_of_the_page(tab: Tab, site: Site) -> None:
    """However slow one is; what cannot be had holds up nobody, and other categories wait."""
    site.body = HELD
    tab.go()
    tab.grant("marketing")
    tab.wait("ran.length === 4")
    assert tab.ran == ["/slow.js", "inline ", "/fifth.js", "/last.js"]
    assert site.third.asked == ["/slow.js", "/missing.js", "/fifth.js", "/last.js"]
    tab.grant("marketing", "analytics")
    tab.wait("ran.length === 5")
    assert tab.ran[4] == "/analytics.js"
    tab.settle()
    assert len(site.third.asked) == 5


def test_it_starts_once(tab: Tab, site: Site) -> None:
    """Whatever is said afterwards, and on the next page once again."""
    site.body = '<script type="text/plain" data-category="analytics" src="THIRD/a.js"></script>'
    tab.go()
    tab.grant("analytics")
    tab.wait("ran.length === 1")
    tab.choose(action="reject")
    tab.grant("analytics")
    assert tab.ran == ["/a.js"]
    tab.go("/next")
    tab.wait("ran.length === 1")
    assert (tab.ran, site.third.asked) == (["/a.js"], ["/a.js", "/a.js"])


def test_all_attributes_are_kept(tab: Tab, site: Site) -> None:
    """But for the type, which becomes that of data-type; it stays where it stands."""
    site.body = """<p><script type="text/plain" data-category="necessary" id="tag" data-more="x"
      data-type="module" async>tell(import.meta.url.length > 0)</script><b></b></p>"""
    tab.go()
    tab.wait("ran.length === 1")
    script = tab.run("document.querySelector('main p').innerHTML")
    assert script == (
        '<script type="module" data-category="necessary" id="tag" data-more="x" '
        'data-type="module" async="">tell(import.meta.url.length > 0)</script><b></b>'
    )


def test_what_is_added_later_is_held_back_and_started_as_well(tab: Tab, site: Site) -> None:
    """As an element; what comes by innerHTML never runs, as no script does that comes so."""
    tab.go()
    add = """(name) => {
      const script = document.createElement("script");
      script.type = "text/plain";
      script.dataset.category = "marketing";
      script.src = "THIRD" + name;
      document.querySelector("main").append(script);
      const place = document.createElement("div");
      document.body.append(place);
      place.innerHTML = '<script type="text/plain" data-category="marketing">tell(1)</script>';
    }""".replace("THIRD", site.third.address)
    # g.js loads the rest where it finds something of the kind: once is enough for the later ones.
    tab.page.evaluate(add, "/one.js")
    tab.settle()
    assert site.third.asked == []
    tab.grant("marketing")
    tab.wait("ran.length === 1")
    tab.page.evaluate(add, "/two.js")
    tab.wait("ran.length === 2")
    assert tab.ran == ["/one.js", "/two.js"]


def test_after_a_withdrawal_nothing_new_starts(tab: Tab, site: Site) -> None:
    """What has started cannot be stopped; what waited its turn is not begun any more."""
    site.body = """
    <script type="text/plain" data-category="marketing" src="THIRD/slow.js?wait=600"></script>
    <script type="text/plain" data-category="marketing" src="THIRD/second.js"></script>"""
    tab.go()
    tab.grant("marketing")
    tab.choose(action="withdraw")
    tab.wait("ran.length === 1")
    tab.settle()
    assert (tab.ran, site.third.asked) == (["/slow.js"], ["/slow.js"])


def test_one_that_never_answers_holds_up_the_others_for_ten_seconds(tab: Tab, site: Site) -> None:
    """Longer than that no tag is waited for."""
    site.body = """
    <script type="text/plain" data-category="marketing" src="THIRD/slow.js?wait=2500"></script>
    <script type="text/plain" data-category="marketing" src="THIRD/second.js"></script>"""
    tab.page.clock.install()
    tab.go()
    tab.grant("marketing")
    assert site.third.asked == ["/slow.js"]
    tab.page.clock.run_for(10_000)
    tab.page.clock.resume()
    tab.wait("ran.length === 1")
    assert tab.ran == ["/second.js"]


STRICT = ("Content-Security-Policy", "script-src 'nonce-abc' 'strict-dynamic'; ")
TRUSTED = "require-trusted-types-for 'script'"
LINE = '<script src="/_gate/t.js" defer nonce="abc"></script>'
NONCED = """
<script type="text/plain" data-category="marketing" nonce="abc" src="THIRD/a.js"></script>
<script type="text/plain" data-category="marketing" nonce="abc">tell("inline")</script>
<script type="text/plain" data-category="marketing" src="THIRD/injected.js"></script>
<script type="text/plain" data-category="marketing">tell("injected")</script>"""


@pytest.mark.parametrize(("more", "line"), [("", ""), (TRUSTED, LINE)])
def test_a_strict_policy_of_the_page_has_nothing_to_refuse(
    tab: Tab, site: Site, more: str, line: str
) -> None:
    """Nonces are passed on, and markup without one is not the page's; where Trusted Types are
    required, with a line of the page's own."""
    site.nonce = "abc"
    site.headers = [(STRICT[0], STRICT[1] + more)]
    site.body = NONCED + line
    refused: list[str] = []
    tab.page.on("console", lambda message: refused.append(message.text))
    tab.go()
    tab.grant("marketing")
    tab.wait("ran.length === 2")
    assert tab.ran == ["/a.js", "inline"]
    assert (site.third.asked, refused) == (["/a.js"], [])
    assert len([one for one in site.asked if "/t." in one]) == 1


def test_where_trusted_types_keep_it_out_only_the_tags_are_missing(tab: Tab, site: Site) -> None:
    """Without that line they stay where they are; the rest works, and nothing is thrown."""
    site.nonce = "abc"
    site.headers = [(STRICT[0], STRICT[1] + TRUSTED)]
    site.body = NONCED
    tab.go()
    tab.grant("marketing")
    assert (tab.run("gate.has('marketing')"), tab.ran, site.third.asked) == (True, [], [])


def test_a_page_with_nothing_held_back_does_not_load_what_starts_it(tab: Tab, site: Site) -> None:
    """It is loaded when the first comes, and once."""
    tab.go()
    tab.grant("marketing")
    assert [one for one in site.asked if "/t." in one] == []
    for name in ("one", "two"):
        tab.run(
            f"""() => {{
              const script = document.createElement("script");
              script.type = "text/plain";
              script.dataset.category = "marketing";
              script.text = "tell('{name}')";
              document.body.append(script);
            }}"""
        )
        tab.settle()
    tab.wait("ran.length === 2")
    assert tab.ran == ["one", "two"]
    assert len([one for one in site.asked if "/t." in one]) == 1


def test_without_javascript_nothing_of_it_runs(let_in: Callable[..., Tab], site: Site) -> None:
    """Not even where all was granted."""
    site.body = HELD
    let_in(java_script_enabled=False).page.goto(site.address)
    assert site.third.asked == []
