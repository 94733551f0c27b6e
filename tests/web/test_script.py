"""The script in a real Chromium, against a stand-in for the gate and for a site.

Each test sees what was asked of the server, what is shown, what may be used, and what the browser
holds. That nothing else was asked is part of it: the log is compared whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from browsers.chromium import Chromium, ChromiumVisitor, find_chromium
from browsers.driving import BrowserError
from web.standin import DAY, KEY, MIRROR, NAME, Site, companion, serving, today

RENDERED = {"script": "data-rendered", "banner": "1"}
ASKED = "/_gate/banner?lang=de&next="
NOTHING = {"necessary": "granted", "analytics": "unset", "marketing": "unset"}
YES = {"necessary": "granted", "analytics": "granted", "marketing": "granted"}
NO = {"necessary": "granted", "analytics": "denied", "marketing": "denied"}
ALL = ["necessary", "analytics", "marketing"]
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"
# What the page hears of changes, and of anything that goes wrong in it.
HEARS = """
var heard = [], wrong = [];
document.addEventListener("gate:change", (event) => heard.push(event.detail.allowed.join()));
addEventListener("error", (event) => wrong.push(event.message));
addEventListener("unhandledrejection", (event) => wrong.push(String(event.reason)));
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on the search path and none named in $CHROMIUM")
    with Chromium(executable) as browser:
        yield browser


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    running.reset()
    return running


class Tab:
    """A visitor's one tab, with words for what these tests do in it."""

    def __init__(self, visitor: ChromiumVisitor, site: Site) -> None:
        self.visitor = visitor
        self.site = site
        self.run = visitor.evaluate

    def begin(self, **query: str) -> str:
        """Open a page of the site, and return its path."""
        query["before"] = HEARS + query.get("before", "")
        path = f"/?{urlencode(query)}"
        self.visitor.visit(self.site.address + path)
        return path

    def go(self, **query: str) -> str:
        """Open a page, wait until the script knows what holds, and return the page's path."""
        path = self.begin(**query)
        self.run("window.gate?.ready")
        return path

    def look(self) -> None:
        """Look at the page again, after having looked at another."""
        self.run(
            "Object.defineProperty(document, 'hidden', {value: true, configurable: true}),"
            " document.dispatchEvent(new Event('visibilitychange')), delete document.hidden,"
            " void document.dispatchEvent(new Event('visibilitychange'))"
        )

    def hold(self, value: str, mirror: str | None = None) -> None:
        """Have a companion, and perhaps a mirror, from an earlier visit."""
        self.run(f"document.cookie = {json.dumps(f'{NAME}={value}; Path=/; Secure')}")
        if mirror is not None:
            self.run(f"localStorage.setItem('{MIRROR}', {json.dumps(mirror)})")

    def wait(self, condition: str) -> None:
        """Wait until something is so in the page."""
        assert self.run(
            f"""new Promise((resolve) => {{
                const until = Date.now() + 5000;
                const look = () => {{
                    if ({condition}) resolve(true);
                    else if (Date.now() > until) resolve(false);
                    else setTimeout(look, 5);
                }};
                look();
            }})"""
        ), condition

    def land(self, condition: str) -> None:
        """Wait until another page is there of which something is so."""
        until = monotonic() + 10
        while True:
            with suppress(BrowserError):  # the page before it went away meanwhile
                if self.run(f"document.readyState === 'complete' && ({condition})"):
                    return
            assert monotonic() < until, condition
            sleep(0.01)

    def pause(self) -> None:
        """Give what should not happen the time to happen."""
        self.run("new Promise((resolve) => setTimeout(resolve, 80))")

    def shown(self, what: str) -> None:
        """Wait until exactly these sections are on the page."""
        self.wait(f"{SHOWN} === '{what}'")

    def press(self, selector: str) -> None:
        self.run(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
            " one.focus(); one.click(); })()"
        )

    def escape(self) -> None:
        self.run(
            "void document.activeElement.dispatchEvent("
            "new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))"
        )

    @property
    def sections(self) -> str:
        shown: str = self.run(SHOWN)
        return shown

    @property
    def choices(self) -> Any:
        return self.run("gate.choices")

    @property
    def allowed(self) -> list[str]:
        found: list[str] = self.run(f"{json.dumps([*ALL, 'other'])}.filter((id) => gate.has(id))")
        return found

    @property
    def mirror(self) -> Any:
        return json.loads(self.run(f"localStorage.getItem('{MIRROR}')") or "null")

    @property
    def focus(self) -> str:
        focused: str = self.run("document.activeElement.textContent.trim()")
        return focused

    def told(self) -> dict[str, Any]:
        """Return all at once: what is shown, may be used and was said, is kept, and was asked."""
        return {
            "sections": self.sections,
            "allowed": self.allowed,
            "choices": self.choices,
            "mirror": self.mirror,
            "heard": self.run("heard"),
            "wrong": self.run("wrong"),
            "log": self.site.log,
        }


SHOWN = "[...document.querySelectorAll('[data-gate]')].map((one) => one.dataset.gate).join()"


@pytest.fixture(scope="module")
def visitor(chromium: Chromium) -> Iterator[ChromiumVisitor]:
    with chromium.visitor() as somebody:
        yield somebody


@pytest.fixture
def tab(visitor: ChromiumVisitor, site: Site) -> Tab:
    """Somebody new, on a page without the script."""
    visitor.visit(site.address + "/elsewhere")
    visitor.forget()
    visitor.evaluate("localStorage.clear()")
    site.log.clear()
    return Tab(visitor, site)


def ask(path: str, *, opens: bool = False) -> str:
    return ASKED + quote(path, safe="*").replace("%20", "+") + ("&open=1" if opens else "&open=")


def day(number: int) -> str:
    return datetime.fromtimestamp(number * DAY, UTC).date().isoformat()


def mirrored(analytics: str, marketing: str, at: int | None = None) -> dict[str, Any]:
    return {
        "v": 1,
        "version": "2026-11",
        "decided": day(today() if at is None else at),
        "choices": {"analytics": analytics, "marketing": marketing},
    }


def wish(action: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "grant": [], "leave": [], "over_gpc": False, **more}


# --- who has chosen ------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["", "head", "end"])
def test_a_yes_is_known_at_once_and_costs_no_request(tab: Tab, at: str) -> None:
    """With a companion that says it all, wherever the script stands, the server is not asked."""
    tab.hold(f"{today()}.{KEY}&analytics=0c3d&marketing=77aa")
    tab.go(at=at)
    assert tab.told() == {
        "sections": "",
        "allowed": ALL,
        "choices": YES,
        "mirror": mirrored("granted", "granted"),
        "heard": [",".join(ALL)],
        "wrong": [],
        "log": [],
    }


def test_a_no_is_no_change(tab: Tab) -> None:
    """Who has refused has nothing optional, and the page hears of no change."""
    tab.hold(f"{today()}.{KEY}&analytics=&marketing=")
    tab.go()
    assert tab.told() == {
        "sections": "",
        "allowed": ["necessary"],
        "choices": NO,
        "mirror": mirrored("denied", "denied"),
        "heard": [],
        "wrong": [],
        "log": [],
    }


def test_the_companion_beats_the_mirror(tab: Tab) -> None:
    """A mirror that says more than the companion is written anew."""
    tab.hold(f"{today()}.{KEY}&analytics=&marketing=", json.dumps(mirrored("granted", "granted")))
    tab.go()
    assert (tab.allowed, tab.mirror) == (["necessary"], mirrored("denied", "denied"))


def test_a_mirror_alone_says_nothing(tab: Tab) -> None:
    """Without a companion an old mirror is removed, and allows nothing."""
    tab.hold(
        f"{today()}.{KEY}&analytics=1a2b&marketing=77aa; Max-Age=0",
        json.dumps(mirrored("granted", "granted")),
    )
    path = tab.go()
    assert (tab.allowed, tab.choices, tab.mirror) == (["necessary"], NOTHING, None)
    assert tab.site.log[0] == ask(path)


def test_a_mirror_that_is_right_is_not_written(tab: Tab) -> None:
    """Other tabs hear nothing of a page that changes nothing."""
    tab.hold(
        f"{today()}.{KEY}&analytics=&marketing=",
        json.dumps(mirrored("denied", "denied"), separators=(",", ":")),
    )
    tab.go()
    tab.run(
        """(async () => {
          const frame = document.createElement("iframe");
          frame.src = "/other";
          await new Promise((resolve) => {
            frame.onload = resolve;
            document.body.append(frame);
          });
          window.heard = [];
          frame.contentWindow.addEventListener("storage", ({ key }) => heard.push(key));
        })()"""
    )
    tab.look()
    tab.run("localStorage.setItem('another', '1')")
    tab.wait("heard.length > 0")
    assert tab.run("heard") == ["another"]


def test_a_banner_that_a_cache_brought_goes(tab: Tab) -> None:
    """All copies of a banner leave the page of a visitor who has chosen."""
    tab.hold(f"{today()}.{KEY}&analytics=&marketing=")
    tab.go(script="data-rendered", banner="2", at="head")
    tab.shown("")
    assert tab.site.log == []


def test_ids_are_percent_encoded(tab: Tab) -> None:
    """A category of any id is found in the companion, and ids of other policies do not matter."""
    tab.site.policy["categories"] = {"a&b=ü": ["0001"]}
    tab.hold(f"{today()}.{KEY}&a%26b%3D%C3%BC=0001&other=ffff")
    tab.go()
    assert tab.choices == {"necessary": "granted", "a&b=ü": "granted"}
    assert tab.site.log == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        "!",
        "x&analytics=1a2b&marketing=77aa",
        f"{today()}.{KEY}&analytics=1a2b&marketing=77aa&",
        f"{today()}.{KEY}&analytics=1a2b&marketing",
        f"{today()}.{KEY}&analytics=1a2b&marketing=77AA",
        f"{today()}.{KEY}&analytics=1a2b&marketing=77aa&analytics=1a2b",
        f"{today()}.{KEY}&analytics=1a2b&marketing=77aa&%E0=",
        f"{today() + 3}.{KEY}&analytics=1a2b&marketing=77aa",
        f"{today()}.{KEY}!!&analytics=1a2b&marketing=77aa",
        f"{today()}&analytics=1a2b&marketing=77aa",
        f"{today()}.dead&analytics=1a2b&marketing=77aa",  # signed with a key of another time
    ],
)
def test_what_cannot_be_read_is_no_companion(tab: Tab, value: str) -> None:
    """A value malformed, from the future, or of a lost key allows nothing; the server is asked."""
    tab.hold(value, json.dumps(mirrored("granted", "granted")))
    path = tab.go()
    tab.shown("banner")
    assert (tab.allowed, tab.choices, tab.mirror) == (["necessary"], NOTHING, None)
    assert tab.site.log == [ask(path), "style"]


def test_a_key_that_is_still_in_use_counts(tab: Tab) -> None:
    """A choice that was signed with an earlier key, which the gate still reads, is one."""
    tab.hold(companion("analytics=1a2b&marketing=77aa", key="33ff"))
    tab.go()
    assert (tab.allowed, tab.site.log) == (ALL, [])


def test_a_clock_may_be_behind(tab: Tab) -> None:
    """A companion of tomorrow, by this clock, counts."""
    tab.hold(f"{today() + 1}.{KEY}&analytics=1a2b&marketing=77aa")
    tab.go()
    assert (tab.allowed, tab.site.log) == (ALL, [])


def test_two_companions_that_differ_are_none(tab: Tab) -> None:
    """Of two values under the name neither counts; the name is matched whole."""
    one, other = (
        f"{today()}.{KEY}&analytics=1a2b&marketing=77aa",
        f"{today()}.{KEY}&analytics=&marketing=",
    )
    jar = "Object.defineProperty(document, 'cookie', {get: () => '%s'});"
    tab.go(before=jar % f"a=1; {NAME}={one}; {NAME}={other}")
    assert tab.allowed == ["necessary"]
    tab.go(before=jar % f"{NAME}={one}; {NAME}={one}; x{NAME}={other}; {NAME}2={other}")
    assert tab.allowed == ALL


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (f"{today()}.{KEY}&analytics=ffff&marketing=", "unset"),  # another text than today's
        (f"{today()}.{KEY}&marketing=", "unset"),  # a new category
        (f"{today() - 183}.{KEY}&analytics=1a2b&marketing=77aa", "unset"),  # a yes of too long ago
        (f"{today() - 183}.{KEY}&analytics=&marketing=", "unset"),  # a no that is asked about again
    ],
)
def test_what_no_longer_settles_it_asks_the_server(tab: Tab, value: str, word: str) -> None:
    """Where the companion is out of date, what the server says holds, and its banner is shown."""
    said = {"necessary": "granted", "analytics": word, "marketing": "denied"}
    tab.site.state = {"allowed": ["necessary", "unheard-of"], "categories": said}
    tab.hold(value)
    path = tab.go()
    tab.shown("banner")
    assert (tab.allowed, tab.choices) == (["necessary"], said)
    assert tab.mirror["choices"] == {"marketing": "denied"}
    assert tab.site.log == [ask(path), "style"]


def test_a_yes_that_the_server_still_holds_for_one_counts(tab: Tab) -> None:
    """While only a new category is asked about, what was granted before may be used."""
    said = {"necessary": "granted", "analytics": "granted", "marketing": "unset"}
    tab.site.state = {"allowed": ["analytics", "necessary"], "categories": said}
    tab.hold(f"{today() - 9}.{KEY}&analytics=1a2b")
    tab.go()
    tab.shown("banner")
    assert (tab.allowed, tab.choices) == (["necessary", "analytics"], said)
    assert tab.mirror == {
        **mirrored("", "", today() - 9),
        "choices": {"analytics": "granted"},
    }


# --- who has not ---------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["", "head", "end"])
def test_one_static_line_shows_the_banner(tab: Tab, at: str) -> None:
    """A newcomer gets the banner of the server as the first thing in the page, unfocused."""
    path = tab.go(at=at)
    tab.shown("banner")
    assert tab.told() == {
        "sections": "banner",
        "allowed": ["necessary"],
        "choices": NOTHING,
        "mirror": None,
        "heard": [],
        "wrong": [],
        "log": [ask(path), "style"],
    }
    assert tab.run("document.body.firstElementChild.dataset.gate") == "banner"
    assert tab.run("document.activeElement.tagName") == "BODY"


def test_a_rendered_banner_is_left_alone(tab: Tab) -> None:
    """Where the page was made with the banner, it stays where it is, and nothing is asked."""
    tab.go(**RENDERED)
    assert tab.told() == {
        "sections": "banner",
        "allowed": ["necessary"],
        "choices": NOTHING,
        "mirror": None,
        "heard": [],
        "wrong": [],
        "log": [],
    }
    assert tab.run("document.querySelector('main > [data-gate]') !== null")


def test_a_banner_in_a_page_of_a_cache_is_asked_about(tab: Tab) -> None:
    """A banner that the server did not render for this visitor stays only if it says so."""
    path = tab.go(banner="1")
    tab.pause()
    assert (tab.sections, tab.site.log) == ("banner", [ask(path), "style"])
    tab.site.log.clear()
    tab.site.needs_choice = False
    path = tab.go(banner="1")
    tab.shown("")
    assert tab.site.log == [ask(path)]


def test_a_page_made_without_the_banner_stays_without(tab: Tab) -> None:
    """Who has no companion on a page made for them has nothing optional, and is not asked about."""
    tab.site.state, tab.site.needs_choice = {"allowed": ALL, "categories": YES}, True
    tab.go(script="data-rendered")
    tab.look()
    tab.pause()
    assert (tab.sections, tab.allowed, tab.site.log) == ("", ["necessary"], [])


def test_where_the_law_is_lenient_the_server_says_what_holds(tab: Tab) -> None:
    """Where something may be used unasked, an absent choice means what the server says."""
    tab.site.policy["asks"], tab.site.needs_choice = True, False
    tab.site.state["allowed"] = ["marketing", "necessary"]
    path = tab.go(**RENDERED)
    tab.shown("")
    assert (tab.allowed, tab.choices, tab.mirror) == (["necessary", "marketing"], NOTHING, None)
    assert (tab.run("heard"), tab.site.log) == (["necessary,marketing"], [ask(path)])


def test_where_it_is_not_lenient_no_answer_allows_anything(tab: Tab) -> None:
    """Without a companion nothing optional is used, whatever the server says."""
    tab.site.state = {"allowed": ALL, "categories": YES}
    tab.go()
    tab.shown("banner")
    assert (tab.allowed, tab.choices, tab.run("heard")) == (["necessary"], NOTHING, [])


@pytest.mark.parametrize("value", ["", f"{today()}.{KEY}&analytics=1a2b"])
@pytest.mark.parametrize("status", [404, 500])
def test_no_answer_is_a_no(tab: Tab, status: int, value: str) -> None:
    """Where the request fails nothing optional is used, nothing is shown, nothing is thrown."""
    tab.site.status["banner"] = status
    tab.site.state = {"allowed": ALL, "categories": YES}
    if value:
        tab.hold(value)
    path = tab.go()
    assert (tab.sections, tab.allowed) == ("", ["necessary"])
    assert (tab.run("wrong"), tab.site.log) == ([], [ask(path)])


def test_an_answer_that_is_another_page_is_none(tab: Tab) -> None:
    """A page without the gate's state on it, of a proxy say, shows nothing."""
    tab.go(script='data-base="/elsewhere?"')
    assert (tab.sections, tab.allowed, tab.run("wrong")) == ("", ["necessary"], [])


def test_a_late_answer_undoes_nothing(tab: Tab) -> None:
    """What the server said before a choice was made elsewhere is not listened to after it."""
    tab.site.told.clear()
    path = tab.begin()
    tab.run(f"document.cookie = '{NAME}={today()}.{KEY}&analytics=1a2b&marketing=; Path=/; Secure'")
    tab.look()
    allowed = tab.allowed
    tab.site.told.set()
    tab.pause()
    assert (allowed, tab.allowed, tab.sections) == (ALL[:2], ALL[:2], "")
    assert tab.site.log == [ask(path)]


def test_a_banner_that_comes_while_the_choices_are_open_waits(tab: Tab) -> None:
    """The choices are not taken away from under the visitor; closed, they leave the banner."""
    tab.site.told.clear()
    path = tab.begin()
    tab.run("gate.open()")
    tab.site.told.set()
    tab.run("gate.ready")
    tab.pause()
    assert (tab.sections, tab.focus) == ("choices", "Privacy choices")
    tab.escape()
    assert (tab.sections, tab.focus) == ("banner", "A page")
    assert sorted(tab.site.log) == [ask(path), ask(path, opens=True), "style"]


def test_no_network_is_another_try_later(tab: Tab) -> None:
    """What failed is tried again when the page is looked at again, and what did not is not."""
    tab.site.status["banner"] = 500
    path = tab.go()
    tab.site.status.clear()
    for _ in range(3):
        tab.look()
        tab.shown("banner")
    assert tab.site.log == [ask(path), ask(path), "style"]


def test_who_sends_the_signal_is_not_asked(tab: Tab) -> None:
    """With Global Privacy Control nothing optional is used, nothing shown, nothing asked."""
    tab.go(before=GPC, **RENDERED)
    assert tab.told() == {
        "sections": "",
        "allowed": ["necessary"],
        "choices": NOTHING,
        "mirror": None,
        "heard": [],
        "wrong": [],
        "log": [],
    }


def test_the_signal_asks_where_the_policy_does_not_take_it_for_a_no(tab: Tab) -> None:
    """Where the signal is about a sale alone, the banner is shown as to anybody."""
    tab.site.policy["quiet"] = False
    path = tab.go(before=GPC)
    tab.shown("banner")
    assert tab.site.log == [ask(path), "style"]


def test_the_signal_goes_before_a_yes(tab: Tab) -> None:
    """A yes to what is sold, given without the signal, is left to the server to judge."""
    said = {"necessary": "granted", "analytics": "granted", "marketing": "denied"}
    tab.site.state = {"allowed": ["analytics", "necessary"], "categories": said}
    tab.site.needs_choice = False
    tab.hold(f"{today()}.{KEY}&analytics=1a2b&marketing=77aa")
    path = tab.go(before=GPC)
    assert (tab.allowed, tab.choices) == (["necessary", "analytics"], said)
    assert (tab.mirror, tab.site.log) == (mirrored("granted", "denied"), [ask(path)])


def test_the_signal_is_about_what_is_sold_alone(tab: Tab) -> None:
    """A yes to something else is settled, with the signal or without."""
    tab.hold(f"{today()}.{KEY}&analytics=1a2b&marketing=")
    tab.go(before=GPC)
    assert (tab.allowed, tab.site.log) == (["necessary", "analytics"], [])


def test_a_yes_over_the_signal_stands(tab: Tab) -> None:
    """What was granted after the notice of the conflict may be used, and nothing is asked."""
    tab.hold(f"{today()}.{KEY}!&analytics=1a2b&marketing=77aa")
    tab.go(before=GPC)
    assert (tab.allowed, tab.site.log) == (ALL, [])


@pytest.mark.parametrize(
    ("said", "counts"),
    [("'1'", True), ("'unspecified'", False), ("'0'", False), ("null", False), ("'yes'", False)],
)
def test_do_not_track_is_the_signal_where_the_policy_says_so(
    tab: Tab, said: str, counts: bool
) -> None:
    """ "DNT: 1" goes before a yes to what is sold only where it is taken for a signal."""
    before = f"Object.defineProperty(Navigator.prototype, 'doNotTrack', {{value: {said}}})"
    for signals in (["globalPrivacyControl"], ["globalPrivacyControl", "doNotTrack"]):
        tab.site.policy.update(signals=signals, sold=["analytics", "marketing"])
        tab.hold(companion("analytics=1a2b&marketing=77aa"))
        tab.go(before=before)
        heeded = counts and len(signals) > 1
        assert tab.allowed == (["necessary"] if heeded else ALL)


# --- what the site asks of this page alone -------------------------------------------------------

TOLD = '<script data-rendered %s src="/_gate/g.js" defer></script>'


@pytest.mark.parametrize("more", ["", TOLD % "data-strict"])
def test_on_a_strict_page_only_a_yes_counts(tab: Tab, more: str) -> None:
    """Where the site asks everybody, nothing is used unasked, and the rendered banner stays."""
    tab.site.policy["asks"], tab.site.needs_choice = True, False
    tab.site.state["allowed"] = ALL
    tab.hold(companion("analytics=1a2b"))
    page = {"banner": "1", "script": "" if more else "data-rendered data-strict", "more": more}
    tab.go(**page)
    tab.look()
    tab.pause()
    assert (tab.sections, tab.allowed, tab.site.log) == ("banner", ALL[:2], [])
    tab.hold(companion("marketing=77aa"))
    tab.look()
    tab.pause()
    assert (tab.sections, tab.allowed) == ("banner", ["necessary", "marketing"])
    tab.hold(companion("analytics=&marketing="))
    tab.look()
    assert (tab.sections, tab.allowed) == ("", ["necessary"])


@pytest.mark.parametrize("before", ["", GPC])
def test_on_a_strict_page_a_newcomer_has_nothing(tab: Tab, before: str) -> None:
    """The banner that the server rendered there is left alone, whatever the law of the place."""
    tab.site.policy["asks"], tab.site.needs_choice = True, False
    tab.site.state["allowed"] = ALL
    for asks in (True, False):
        tab.site.policy["asks"] = asks
        tab.go(before=before, banner="1", script="data-rendered data-strict")
        tab.look()
        tab.pause()
        assert (tab.sections, tab.allowed, tab.site.log) == ("banner", ["necessary"], [])


def test_what_the_site_rules_out_for_a_page_is_not_used_there(tab: Tab) -> None:
    """`data-without` on any tag of the server's goes before a yes, and before the server's word."""
    tab.hold(companion("analytics=1a2b&marketing=77aa"))
    tab.go(more=TOLD % 'data-without="marketing other"')
    assert (tab.allowed, tab.choices) == (["necessary", "analytics"], YES)
    tab.site.policy["asks"], tab.site.state["allowed"] = True, ALL
    tab.visitor.forget()
    tab.go(script='data-rendered data-without="marketing"')
    assert tab.allowed == ["necessary", "analytics"]


def test_nothing_is_used_before_the_page_has_told_all(tab: Tab) -> None:
    """While the page is being read, a tag that rules something out may be still to come."""
    tab.hold(companion("analytics=1a2b&marketing=77aa"))
    reads = "<script>var early = gate.has('analytics')</script>"
    tab.go(at="head", more=reads + TOLD % 'data-without="marketing"')
    assert (tab.run("early"), tab.allowed) == (False, ["necessary", "analytics"])
    assert tab.run("heard") == ["necessary,analytics"]


def test_a_page_with_the_style_in_it_fetches_none(tab: Tab) -> None:
    """What is inline, under hashes alone, is not asked for again."""
    path = tab.go(more="<style data-gate-style></style>")
    tab.shown("banner")
    assert tab.site.log == [ask(path)]


def test_a_page_made_in_advance_decides_when_it_is_shown(tab: Tab) -> None:
    """While it is prerendered nothing is asked or allowed; then what was rendered may be old."""
    early = "Object.defineProperty(document, 'prerendering', {value: true});"
    path = tab.begin(before=early, **RENDERED)
    tab.run("var ready = false; gate.ready.then(() => { ready = true; }), undefined")
    tab.hold(companion("analytics=1a2b"))
    tab.look()
    tab.pause()
    assert (tab.run("ready"), tab.allowed, tab.site.log) == (False, ["necessary"], [])
    tab.hold(f"{companion('')}; Max-Age=0")
    tab.run("void document.dispatchEvent(new Event('prerenderingchange'))")
    tab.wait("ready")
    assert tab.site.log[:1] == [ask(path)]


# --- what is blocked -----------------------------------------------------------------------------

NO_COOKIES = [
    "Object.defineProperty(Navigator.prototype, 'cookieEnabled', {value: false});",
    "Object.defineProperty(document, 'cookie', {get() { throw new Error('sandboxed'); }});",
    "Object.defineProperty(document, 'cookie', {get() { return [`" + NAME + "=1`]; }});",
    # Over plain http no browser keeps what is named `__Host-`.
    "Object.defineProperty(window, 'isSecureContext', {value: false});",
]


@pytest.mark.parametrize("how", NO_COOKIES)
@pytest.mark.parametrize("rendered", [RENDERED, {}])
def test_where_cookies_are_blocked_nothing_is_asked(
    tab: Tab, how: str, rendered: dict[str, str]
) -> None:
    """What cannot be kept is not asked: no banner, no request, nothing optional, no mirror."""
    tab.hold(
        f"{today()}.{KEY}&analytics=1a2b&marketing=77aa", json.dumps(mirrored("granted", "granted"))
    )
    tab.go(before=how, **rendered)
    tab.shown("")
    assert tab.told() == {
        "sections": "",
        "allowed": ["necessary"],
        "choices": NOTHING,
        "mirror": None,
        "heard": [],
        "wrong": [],
        "log": [],
    }


def test_over_plain_http_another_name_is_kept(tab: Tab) -> None:
    """Without `__Host-` in its name a companion needs no https, and the banner is shown."""
    tab.site.policy["name"] = "gate-choice"
    tab.go(before="Object.defineProperty(window, 'isSecureContext', {value: false});")
    tab.shown("banner")


@pytest.mark.parametrize("name", ["cookie", "querySelectorAll", "prerendering", "readyState"])
@pytest.mark.parametrize("rendered", [RENDERED, {}])
def test_it_is_known_what_holds_whatever_the_elements_are_called(
    tab: Tab, name: str, rendered: dict[str, str]
) -> None:
    """Elements that stand in the place of the document's own properties keep nobody waiting."""
    tab.hold(companion("analytics=1a2b&marketing="))
    tab.go(at="end", more=f'<img name="{name}">', **rendered)
    allowed = ["necessary"] if name in ("cookie", "querySelectorAll") else ALL[:2]
    assert (tab.allowed, tab.run("wrong"), tab.site.log) == (allowed, [], [])


def test_where_storage_is_blocked_the_companion_is_enough(tab: Tab) -> None:
    """A browser that throws at the word localStorage works as any other."""
    blocked = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }});"
    tab.hold(f"{today()}.{KEY}&analytics=1a2b&marketing=")
    tab.go(before=blocked)
    assert (tab.allowed, tab.run("wrong"), tab.site.log) == (["necessary", "analytics"], [], [])


def test_cookies_that_are_silently_dropped_end_in_no_loop(tab: Tab) -> None:
    """Where an accepted choice leaves no companion, the banner goes, and nothing is allowed."""
    tab.site.companions = {}
    tab.go(**RENDERED)
    tab.press("[value=accept]")
    tab.shown("")
    tab.look()
    tab.pause()
    assert (tab.sections, tab.allowed) == ("", ["necessary"])
    assert tab.site.log == [wish("accept")]


# --- choosing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "choices", "allowed"), [("accept", YES, ALL), ("reject", NO, ["necessary"])]
)
@pytest.mark.parametrize("rendered", [RENDERED, {}])
def test_a_choice_is_carried_out_on_the_spot(
    tab: Tab, action: str, choices: Any, allowed: list[str], rendered: dict[str, str]
) -> None:
    """One press sends the choice, the banner goes, the page hears of it, and is not left."""
    tab.go(**rendered)
    tab.shown("banner")
    tab.site.log.clear()
    tab.press(f"[value={action}]")
    tab.wait("gate.choices.analytics !== 'unset'")
    word = choices["analytics"]
    assert tab.told() == {
        "sections": "",
        "allowed": allowed,
        "choices": choices,
        "mirror": mirrored(word, word),
        "heard": [",".join(allowed)],
        "wrong": [],
        "log": [wish(action)],
    }
    assert tab.focus == "A page"


@pytest.mark.parametrize(
    ("action", "allowed"),
    [("reject", ["necessary"]), ("withdraw", ["necessary"]), ("save", ALL[:2]), ("accept", ALL)],
)
def test_what_is_pressed_away_is_not_used_any_more(
    tab: Tab, action: str, allowed: list[str]
) -> None:
    """A refusal holds from the moment it is pressed, also on a page that was left meanwhile."""
    tab.site.policy["asks"] = True
    tab.site.state["allowed"] = ALL
    tab.go(banner="1")
    tab.shown("banner")
    before = tab.allowed
    tab.site.taken.clear()
    if action in ("save", "withdraw"):
        tab.run("gate.open()")
        tab.run("document.querySelector('[name=grant]').click()")
        tab.run("document.querySelector('[name=object]').click()")
    tab.press(f"[value={action}]")
    pressed = tab.allowed
    for kind in ("pagehide", "pageshow"):
        tab.run(f"void dispatchEvent(new PageTransitionEvent('{kind}', {{persisted: true}}))")
    tab.pause()
    assert (before, pressed, tab.allowed) == (ALL, allowed, allowed)


def test_what_was_pressed_away_can_be_granted_elsewhere(tab: Tab) -> None:
    """A refusal holds until there is another choice, wherever that is made."""
    tab.go(**RENDERED)
    tab.press("[value=reject]")
    tab.wait("gate.choices.analytics === 'denied'")
    tab.hold(companion("analytics=1a2b&marketing=77aa"))
    assert tab.allowed == ALL


def test_what_is_left_as_it_is_is_not_pressed_away(tab: Tab) -> None:
    """Saving refuses what is neither ticked nor left alone, and nothing else."""
    tab.site.policy["asks"] = True
    tab.site.state["allowed"] = ALL
    tab.go()
    tab.run("gate.open()")
    tab.site.taken.clear()
    tab.press("[value=save]")
    assert tab.allowed == ["necessary", "marketing"]


def test_a_yes_holds_when_the_server_has_taken_it(tab: Tab) -> None:
    """What was refused before is not used before the answer; then it is."""
    tab.hold(companion("analytics=&marketing="))
    tab.go()
    tab.run("gate.open()")
    tab.press("[name=grant]")
    tab.site.taken.clear()
    tab.press("[value=save]")
    tab.pause()
    before = tab.allowed
    tab.site.taken.set()
    tab.wait("gate.has('analytics')")
    assert before == ["necessary"]


def test_a_slow_choice_is_sent_once(tab: Tab) -> None:
    """While a choice is on its way the section is marked busy, and no button does anything."""
    tab.go(**RENDERED)
    tab.site.taken.clear()
    tab.press("[value=accept]")
    tab.press("[value=accept]")
    tab.press("[value=reject]")
    tab.press("[formmethod=get]")
    tab.run("void gate.open()")
    tab.look()
    tab.pause()
    busy = tab.run("document.querySelector('[data-gate]').getAttribute('aria-busy')")
    assert (busy, tab.sections, tab.allowed) == ("true", "banner", ["necessary"])
    tab.site.taken.set()
    tab.shown("")
    tab.pause()
    assert (tab.allowed, tab.site.log) == (ALL, [wish("accept")])


def test_what_is_being_sent_is_not_taken_off_the_page(tab: Tab) -> None:
    """A choice made elsewhere meanwhile does not swallow this one: it is sent as a form at last."""
    tab.go(**RENDERED)
    tab.site.taken.clear()
    tab.site.status["accept"] = 500
    tab.press("[value=accept]")
    tab.run(f"document.cookie = '{NAME}={today()}.{KEY}&analytics=&marketing=; Path=/; Secure'")
    tab.look()
    tab.pause()
    tab.site.taken.set()
    tab.land("location.pathname === '/elsewhere'")
    assert tab.site.log == [wish("accept"), "next=%2F&action=accept", "/elsewhere"]


# Not into the back-forward cache, where a page and its requests live on for a while.
LEFT_FOR_GOOD = "addEventListener('unload', () => {});"


@pytest.mark.parametrize("before", [LEFT_FOR_GOOD, ""])
@pytest.mark.parametrize(
    ("opens", "action", "arrives"),
    [
        (False, "reject", True),
        (True, "save", True),
        (True, "withdraw", True),
        (False, "accept", False),
        (True, "save a yes", False),
    ],
)
def test_of_what_was_pressed_before_the_page_was_left_a_no_arrives(
    tab: Tab, before: str, opens: bool, action: str, arrives: bool
) -> None:
    """A refusal is kept although the page is left at once; a yes left behind is lost."""
    tab.site.companions["save"] = None if action == "save a yes" else companion("analytics=")
    tab.hold(companion("marketing="))
    tab.go(before=before, **RENDERED)
    if opens:
        tab.run("gate.open()")
    if action == "save a yes":
        tab.run("document.querySelector('[name=grant]').click()")
    tab.site.taken.clear()
    tab.run(f"document.querySelector('[value={action.split()[0]}]').click()")
    tab.pause()
    tab.visitor.visit(tab.site.address + "/elsewhere")
    tab.site.taken.set()
    if arrives:
        tab.wait("!document.cookie.endsWith('&marketing=') || document.cookie.includes('ytics=&')")
    else:
        tab.pause()
        tab.pause()
        assert tab.run("document.cookie") == f"{NAME}={companion('marketing=')}"


@pytest.mark.parametrize("status", [302, 403, 500])
def test_what_cannot_be_sent_by_script_is_sent_as_a_form(tab: Tab, status: int) -> None:
    """An answer that is not the expected one, or a redirection, makes it an ordinary form."""
    tab.site.status["choice"] = status
    tab.go(**RENDERED)
    tab.press("[value=reject]")
    tab.land("location.pathname === '/elsewhere'")
    assert tab.site.log == [wish("reject"), "next=%2F&action=reject", "/elsewhere"]


def test_without_fetch_it_is_a_form(tab: Tab) -> None:
    """A page that has taken fetch away, or broken it, still sends choices."""
    tab.go(before="window.fetch = () => { throw new Error('broken'); };", **RENDERED)
    tab.press("[value=accept]")
    tab.land("location.pathname === '/elsewhere'")
    assert tab.site.log == ["next=%2F&action=accept", "/elsewhere"]


def test_the_pages_own_listeners_do_not_meet_our_forms(tab: Tab) -> None:
    """A page that sends every form in its own way does not send ours, and still sends its own."""
    theirs = "var forms = []; document.addEventListener('submit', (event) => {"
    theirs += " event.preventDefault(); forms.push(event.target.id); });"
    form = '<form id="search"><button name="action" value="accept">Search</button></form>'
    tab.go(before=theirs, more=form, **RENDERED)
    tab.press("#search button")
    tab.press("[data-gate] [value=accept]")
    tab.shown("")
    assert (tab.run("forms"), tab.site.log) == (["search"], [wish("accept")])


# --- all choices ---------------------------------------------------------------------------------


def test_the_banner_gives_way_to_the_choices_and_comes_back(tab: Tab) -> None:
    """ "Choose" shows the choices in the banner's place, with the focus; Escape undoes that."""
    path = tab.go(**RENDERED)
    tab.run("var keys = 0; document.addEventListener('keydown', () => { keys += 1; })")
    tab.escape()
    tab.press("[formmethod=get]")
    tab.shown("choices")
    tab.wait("document.activeElement.matches('h2')")
    assert tab.run("document.querySelector('main > [data-gate=choices]') !== null")
    tab.escape()
    assert (tab.sections, tab.focus, tab.run("keys")) == ("banner", "Choose", 1)
    assert tab.run("document.querySelector('main > [data-gate=banner]') !== null")
    tab.pause()
    assert tab.site.log == [ask(path, opens=True), "style"]


@pytest.mark.parametrize("leave", ["escape", "button"])
def test_choices_opened_by_a_button_lead_back_to_it(tab: Tab, leave: str) -> None:
    """Who has chosen opens the choices from anywhere, and is back there when they are closed."""
    tab.hold(f"{today()}.{KEY}&analytics=&marketing=")
    path = tab.go()
    tab.run("document.querySelector('#privacy').onclick = gate.open, undefined")
    tab.press("#privacy")
    tab.press("#privacy")
    tab.shown("choices")
    tab.wait("document.activeElement.matches('h2')")
    if leave == "escape":
        tab.escape()
    else:
        tab.press("[data-gate-close]")
    assert (tab.sections, tab.focus) == ("", "Privacy")
    assert tab.site.log == [ask(path, opens=True), "style"]


def test_single_choices_are_saved(tab: Tab) -> None:
    """What is ticked is sent as it would be by the form, and the focus goes back."""
    tab.go(**RENDERED)
    tab.run("document.querySelector('#privacy').focus(), gate.open()")
    tab.press("[name=grant]")
    tab.site.log.clear()
    tab.press("[value=save]")
    tab.wait("gate.has('analytics')")
    said = {"necessary": "granted", "analytics": "granted", "marketing": "denied"}
    assert (tab.sections, tab.choices, tab.focus) == ("", said, "Privacy")
    assert tab.site.log == [
        wish("save", grant=["analytics"], leave=["marketing"], over_gpc=True),
    ]


def test_who_presses_without_focusing_is_led_back(tab: Tab) -> None:
    """Where the mouse focuses no button, as in Safari, the focus goes back all the same."""
    tab.go(**RENDERED)
    tab.run("document.querySelector('#privacy').focus(), gate.open()")
    tab.run("document.activeElement.blur(), document.querySelector('[value=save]').click()")
    tab.shown("")
    tab.wait("document.activeElement.id === 'privacy'")
    assert tab.focus == "Privacy"


def test_who_takes_a_choice_back_is_asked_again(tab: Tab) -> None:
    """After a withdrawal nothing optional is used, the mirror is gone, the banner is there."""
    tab.hold(f"{today()}.{KEY}&analytics=1a2b&marketing=77aa")
    path = tab.go()
    tab.run("gate.open()")
    tab.press("[value=withdraw]")
    tab.shown("banner")
    assert tab.told() == {
        "sections": "banner",
        "allowed": ["necessary"],
        "choices": NOTHING,
        "mirror": None,
        # The one when it is pressed, the other when nothing is said any more.
        "heard": [",".join(ALL), "necessary", "necessary"],
        "wrong": [],
        "log": [
            ask(path, opens=True),
            "style",
            wish("withdraw", over_gpc=True),
            ask(path),
        ],
    }
    assert tab.focus == "A page"


def test_choices_that_cannot_be_had_are_a_page(tab: Tab) -> None:
    """Where the choices cannot be fetched, their own page is opened."""
    path = tab.go(**RENDERED)
    tab.site.status["banner"] = 500
    tab.press("[formmethod=get]")
    tab.land("location.pathname === '/_gate/'")
    own = ask(path).replace("/banner", "/")
    assert tab.site.log == [ask(path, opens=True), own]


def test_accepting_while_the_choices_are_on_their_way_shows_none(tab: Tab) -> None:
    """A press on "Accept" after one on "Choose" is what counts."""
    slow = "var send = XMLHttpRequest.prototype.send; XMLHttpRequest.prototype.send ="
    slow += " function () { setTimeout(() => send.call(this), 50); }"
    tab.go(before=slow, **RENDERED)
    tab.run(
        "document.querySelector('[formmethod=get]').click(),"
        " document.querySelector('[value=accept]').click()"
    )
    tab.wait("gate.has('analytics')")
    tab.pause()
    tab.pause()
    assert tab.sections == ""


# --- more than one page --------------------------------------------------------------------------

# Another document of the site in the same browser: what storage events make of a second tab.
SECOND = """((before) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.src = "/second?script=data-rendered&banner=1&before=" + encodeURIComponent(before);
  frame.onload = () => resolve();
  document.body.append(frame);
}))"""


# A browser without what tells of cookies that change.
SILENT = "Object.defineProperty(window, 'cookieStore', {value: undefined});"
BLOCKED = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }});"


@pytest.mark.parametrize("before", [SILENT, ""])
def test_a_choice_in_one_tab_counts_in_the_other(tab: Tab, before: str) -> None:
    """A banner in another tab goes when the choice is made in this one, whatever tells it that."""
    tab.go(**RENDERED)
    tab.run(f"{SECOND}({json.dumps(before)})")
    assert tab.run("frames[0].document.querySelectorAll('[data-gate]').length") == 1
    tab.press("[value=accept]")
    tab.wait("frames[0].document.querySelectorAll('[data-gate]').length === 0")
    assert tab.run("frames[0].gate.has('analytics')")
    assert tab.site.log == [wish("accept")]


def test_tabs_of_two_policies_do_not_write_in_turn(tab: Tab) -> None:
    """A page with yesterday's policy leaves the mirror to the one that wrote last."""
    tab.hold(f"{today()}.{KEY}&analytics=1a2b&marketing=")
    counted = "var writes = 0, set = Storage.prototype.setItem;"
    counted += (
        "Storage.prototype.setItem = function (...all) { writes += 1; set.apply(this, all); }"
    )
    tab.go(before=counted)
    tab.site.policy["version"] = "2026-12"
    tab.run("var events = 0; addEventListener('storage', () => { events += 1; })")
    tab.run(f"{SECOND}('')")
    tab.wait("events === 1")
    assert (tab.run("writes"), tab.mirror["version"]) == (1, "2026-12")


@pytest.mark.parametrize("asked", ["gate.has('analytics')", "gate.choices.analytics === 'granted'"])
def test_what_is_asked_is_never_stale(tab: Tab, asked: str) -> None:
    """A companion that another window changed counts at once, though no event tells of it."""
    tab.hold(companion("analytics=1a2b&marketing=77aa"))
    tab.go(before=SILENT + BLOCKED)
    others = [companion("analytics=&marketing=77aa"), companion("analytics=1a2b&marketing=")]
    jar = [f"document.cookie = '{NAME}={one}; Path=/; Secure', {asked}" for one in others]
    assert [tab.run(one) for one in jar] == [False, True]
    gone = f"document.cookie = '{NAME}=; Max-Age=0; Path=/; Secure', {asked}"
    assert (tab.run(gone), tab.allowed) == (False, ["necessary"])


def test_a_window_beside_is_told(tab: Tab) -> None:
    """Where the browser tells of cookies that change, what is refused elsewhere ends by itself."""
    tab.hold(companion("analytics=1a2b&marketing=77aa"))
    tab.go(before=BLOCKED)
    tab.hold(companion("analytics=&marketing=77aa"))
    tab.wait("heard.length === 2")
    assert tab.run("heard") == [",".join(ALL), "necessary,marketing"]


def test_other_cookies_cost_nothing(tab: Tab) -> None:
    """Whatever else is written into the jar, nobody is asked, and nothing changes."""
    tab.site.policy["asks"] = True
    path = tab.go()
    tab.shown("banner")
    tab.run("document.cookie = 'other=1; Path=/', gate.has('analytics')")
    tab.pause()
    tab.run("void (document.cookie = 'other=; Max-Age=0; Path=/')")
    assert tab.site.log == [ask(path), "style"]


def test_until_the_server_has_spoken_only_what_was_and_is_granted_is_used(tab: Tab) -> None:
    """Of another companion that does not say it all, no more is used than before it was there."""
    tab.hold(companion("analytics=1a2b"))
    tab.site.state["allowed"] = ALL[:2]
    tab.go()
    tab.site.told.clear()
    tab.hold(companion("marketing=77aa"))
    assert tab.allowed == ["necessary"]


def test_an_answer_about_another_companion_is_void(tab: Tab) -> None:
    """What was chosen elsewhere while the server was asked counts, and it is asked again."""
    tab.site.policy["asks"] = True
    tab.site.state["allowed"] = ALL
    tab.site.told.clear()
    path = tab.begin(before=SILENT)
    tab.hold(companion("marketing="))
    tab.site.told.set()
    tab.run("gate.ready")
    assert tab.site.log[:2] == [ask(path), ask(path)]
    tab.site.told.clear()
    tab.begin(before=SILENT)
    tab.hold(companion("analytics=&marketing="))
    tab.site.told.set()
    tab.run("gate.ready")
    assert (tab.allowed, tab.sections) == (["necessary"], "")


def test_a_companion_that_never_rests_ends_in_no_loop(tab: Tab) -> None:
    """Where it is another one after every answer, nothing optional is used, and two are enough."""
    tab.site.policy["asks"] = True
    tab.site.state["allowed"] = ALL
    busy = f"""var at = 0, send = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function () {{
        document.cookie = `{NAME}={today()}.{KEY}&other${{at++}}=; Path=/; Secure`;
        send.call(this);
    }};"""
    path = tab.go(before=SILENT + busy)
    tab.pause()
    assert (tab.allowed, tab.site.log) == (["necessary"], [ask(path), ask(path)])


def test_where_an_absent_choice_means_something_it_is_asked_at_every_look(tab: Tab) -> None:
    """A choice without a companion may have been taken back: each look asks once, and keeps all."""
    tab.site.policy["asks"], tab.site.needs_choice = True, False
    tab.site.state["allowed"] = ALL
    path = tab.go()
    tab.look()
    tab.pause()
    assert (tab.run("heard"), tab.site.log) == ([",".join(ALL)], [ask(path)] * 2)
    tab.site.state["allowed"] = ["necessary"]
    tab.run("window.same = true")
    tab.visitor.visit(tab.site.address + "/elsewhere")
    tab.site.log.clear()
    tab.run("history.back()")
    tab.land("window.gate?.has('analytics') === false")
    tab.pause()
    assert (tab.run("window.same"), tab.site.log) == (True, [ask(path)])


def test_who_has_a_companion_is_not_asked_about_at_every_look(tab: Tab) -> None:
    """As long as the companion is the same, what the server said of it once is enough."""
    tab.site.policy["asks"] = True
    tab.hold(companion("analytics=1a2b"))
    path = tab.go()
    tab.look()
    tab.look()
    tab.pause()
    assert tab.site.log == [ask(path), "style"]


def test_storage_emptied_in_another_tab_allows_the_same(tab: Tab) -> None:
    """Only the companion counts: who empties storage has still chosen, and has a mirror again."""
    tab.hold(f"{today()}.{KEY}&analytics=1a2b&marketing=")
    tab.go()
    tab.run("localStorage.clear()")
    tab.look()
    assert (tab.allowed, tab.mirror) == (["necessary", "analytics"], mirrored("granted", "denied"))


def test_who_deletes_the_companion_is_a_newcomer_at_the_next_look(tab: Tab) -> None:
    """Deleting the cookies by hand takes back all at the next look at the page, and asks."""
    tab.hold(f"{today()}.{KEY}&analytics=1a2b&marketing=77aa")
    path = tab.go()
    tab.visitor.forget()
    tab.look()
    assert (tab.allowed, tab.choices, tab.mirror) == (["necessary"], NOTHING, None)
    tab.shown("banner")
    assert tab.site.log == [ask(path), "style"]


def test_a_page_that_comes_back_whole_knows_what_was_chosen_since(tab: Tab) -> None:
    """Out of the back-forward cache comes no banner that was answered, nor an old permission."""
    tab.go(**RENDERED)
    tab.run("window.same = true")
    tab.visitor.visit(tab.site.address + "/elsewhere")
    tab.run(f"document.cookie = '{NAME}={today()}.{KEY}&analytics=1a2b&marketing=; Path=/; Secure'")
    tab.site.log.clear()
    tab.run("history.back()")
    tab.land("window.gate?.has('analytics')")
    tab.shown("")
    assert (tab.run("window.same"), tab.site.log) == (True, [])


def test_a_page_that_comes_back_whole_asks_where_the_choice_is_gone(tab: Tab) -> None:
    """Out of the back-forward cache, without the companion of before, the banner is asked for."""
    tab.hold(f"{today()}.{KEY}&analytics=1a2b&marketing=77aa")
    path = tab.go()
    tab.run("window.same = true")
    tab.visitor.visit(tab.site.address + "/elsewhere")
    tab.visitor.forget()
    tab.site.log.clear()
    tab.run("history.back()")
    tab.land("window.gate?.has('analytics') === false")
    tab.shown("banner")
    assert (tab.run("window.same"), tab.site.log) == (True, [ask(path), "style"])


def test_a_choice_under_way_when_the_page_was_left_does_not_block_it(tab: Tab) -> None:
    """A page that comes back whole takes presses again, whatever became of the last one."""
    tab.go(**RENDERED)
    tab.site.taken.clear()
    tab.site.status["accept"] = 500
    tab.press("[value=accept]")
    for kind in ("pagehide", "pageshow"):
        tab.run(f"void dispatchEvent(new PageTransitionEvent('{kind}', {{persisted: true}}))")
    busy = tab.run("document.querySelector('[data-gate]').getAttribute('aria-busy')")
    tab.press("[value=reject]")
    tab.site.taken.set()
    tab.wait("gate.choices.analytics === 'denied'")
    tab.pause()
    assert (busy, tab.sections, tab.allowed) == (None, "", ["necessary"])
    assert tab.site.log == [wish("accept"), wish("reject")]


def test_a_page_made_anew_by_the_back_button_trusts_no_banner(tab: Tab) -> None:
    """What the back button brings may come from a cache: whether to ask, the server says."""
    path = tab.go(before="addEventListener('unload', () => {});", **RENDERED)
    tab.visitor.visit(tab.site.address + "/elsewhere")
    tab.site.log.clear()
    tab.site.needs_choice = False
    tab.run("history.back()")
    tab.land("location.search.includes('rendered')")
    if tab.run("performance.getEntriesByType('navigation')[0].type") != "back_forward":
        pytest.fail("the page was not loaded anew")
    tab.shown("")
    assert tab.site.log == [ask(path)]


# --- the page around it --------------------------------------------------------------------------


def test_it_works_under_the_strictest_content_security_policy(tab: Tab) -> None:
    """With nothing inline and Trusted Types required, the banner is shown, styled and sent."""
    tab.visitor.visit(tab.site.address + "/?csp=1")
    tab.shown("banner")
    position = "getComputedStyle(document.querySelector('[data-gate]')).position"
    assert tab.run(position) == "fixed"
    tab.press("[formmethod=get]")
    tab.shown("choices")
    tab.press("[name=grant]")
    tab.press("[value=save]")
    tab.wait("gate.has('analytics')")
    assert tab.site.log == [
        ask("/?csp=1"),
        "style",
        ask("/?csp=1", opens=True),
        wish("save", grant=["analytics"], leave=["marketing"], over_gpc=True),
    ]


def test_a_second_copy_of_the_script_does_nothing(tab: Tab) -> None:
    """banner() and the static line on one page ask once, and leave one global behind."""
    own = "var names = new Set(Object.getOwnPropertyNames(window));"
    more = '<script src="/_gate/g.js" defer></script>'
    path = tab.go(before=own, more=more)
    tab.shown("banner")
    found = "Object.getOwnPropertyNames(window).filter((one) => !names.has(one))"
    assert tab.run(found) == ["gate"]
    assert (tab.run("Object.isFrozen(gate)"), tab.site.log) == (True, [ask(path), "style"])


def test_elements_of_the_page_do_not_stand_in_the_way(tab: Tab) -> None:
    """Elements named like what the script asks the document for change nothing."""
    names = '<img name="currentScript" src="/x/y"><p id="gate"></p>'
    path = tab.go(at="end", more=names)
    tab.shown("banner")
    assert (tab.allowed, tab.site.log) == (["necessary"], [ask(path), "style"])


def test_a_mounted_app_is_found_by_the_scripts_own_address(tab: Tab) -> None:
    """Below a mount point, what is asked for is asked for there."""
    path = tab.go(src="/shop/_gate/g.js")
    tab.shown("banner")
    assert tab.site.log == [ask(path).replace("/_gate", "/shop/_gate"), "style"]


def test_an_address_that_is_told_goes_before(tab: Tab) -> None:
    """`data-base` says where the gate is, for a script that is not served by it."""
    path = tab.go(script='data-base="/shop/_gate"')
    tab.shown("banner")
    assert tab.site.log == [ask(path).replace("/_gate", "/shop/_gate"), "style"]


def test_a_copy_on_another_host_finds_the_gate_on_this_one(tab: Tab) -> None:
    """A script that some other host serves asks at the policy's prefix of the page's own host."""
    other = tab.site.address.replace("localhost", "127.0.0.1")
    path = tab.go(src=f"{other}/copies/g.js")
    tab.shown("banner")
    assert tab.site.log == [ask(path), "style"]


def test_a_base_of_the_page_changes_nothing(tab: Tab) -> None:
    """A page whose relative addresses lead elsewhere still finds the gate, and sends there."""
    away = "document.write('<base href=https://elsewhere.test/x/>');"
    path = tab.go(before=away, src=tab.site.address + "/_gate/g.js")
    tab.shown("banner")
    tab.press("[value=accept]")
    tab.wait("gate.has('analytics')")
    assert tab.site.log == [ask(path), "style", wish("accept")]


def test_the_gates_own_pages_show_no_banner(tab: Tab) -> None:
    """On a page of the gate the mirror is kept, and nothing shown, sent or asked by script."""
    tab.hold(f"{today()}.{KEY}&analytics=1a2b")
    tab.go(script="data-quiet", banner="1")
    assert (tab.sections, tab.allowed) == ("banner", ["necessary", "analytics"])
    assert (tab.mirror["choices"], tab.site.log) == ({"analytics": "granted"}, [])
    tab.press("[value=reject]")
    tab.land("location.pathname === '/elsewhere'")
    assert tab.site.log == ["next=%2F&action=reject", "/elsewhere"]


@pytest.mark.parametrize("rendered", [RENDERED, {}])
def test_the_page_knows_how_high_the_section_is(tab: Tab, rendered: dict[str, str]) -> None:
    """`--gate-height` is as the section is high, and gone with it, whoever takes it away."""
    style = "<link rel=stylesheet href=/_gate/g.abc123.css data-gate-style>"
    tab.go(more=style, **rendered)
    height = "document.documentElement.style.getPropertyValue('--gate-height')"
    tab.wait(f"{height} === '123px'")
    tab.run("document.querySelector('[data-gate]').remove()")
    tab.wait(f"{height} === ''")
    assert [one for one in tab.site.log if one == "style"] == ["style"]


def test_a_listener_hears_until_it_asks_not_to(tab: Tab) -> None:
    """`onChange` tells what holds after each change; what one listener throws harms no other."""
    tab.go(**RENDERED)
    tab.run("""
        gate.onChange(() => { throw new Error("theirs"); });
        var states = [], end = gate.onChange((state) => states.push(state));
    """)
    tab.press("[value=accept]")
    tab.wait("gate.has('analytics')")
    tab.run("end(), gate.open()")
    tab.press("[value=withdraw]")
    tab.shown("banner")
    assert tab.run("states") == [{"allowed": ALL, "choices": YES}]
    assert tab.run("wrong") == ["Uncaught Error: theirs"] * 3


def test_the_banner_that_goes_by_itself_loses_no_focus(tab: Tab) -> None:
    """Who is reading the banner when it is answered elsewhere is led to the main heading."""
    tab.go(**RENDERED)
    tab.run("document.querySelector('[value=accept]').focus()")
    tab.run(f"document.cookie = '{NAME}={today()}.{KEY}&analytics=&marketing=; Path=/; Secure'")
    tab.look()
    tab.shown("")
    assert tab.focus == "A page"
    tab.run("document.activeElement.blur()")
    assert tab.run("document.querySelector('h1').outerHTML") == "<h1>A page</h1>"
