"""Pages of before the visitor said no: fetched in advance, kept by a worker, gone back to.

What is asked of the server is counted; what a tag is told, it finds in its queue as it starts.
"""

from __future__ import annotations

import pytest

from consentgate import RequestConsent
from tags.conftest import Tab
from tags.site import Site
from tags.test_modes import ADS, ALL, META, NOTHING, PLAIN, QUEUES, START, expected

LINKS = '<a href="/next" id="next">Next</a> <a href="/" id="home">Home</a>'
RULES = """<script type="speculationrules">
{"%s": [{"source": "list", "urls": ["/next"], "eagerness": "immediate"}]}</script>"""
FILM = '<iframe data-category="marketing" data-src="THIRD/film" title="A film"></iframe>'
DELIVERED = "performance.getEntriesByType('navigation')[0].deliveryType"
# Answers with the page that is stored, and looks for a newer one meanwhile.
WORKER = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  event.respondWith((async () => {
    const cache = await caches.open("pages");
    const found = await cache.match(event.request);
    const answer = fetch(event.request);
    answer.then((one) => cache.put(event.request, one.clone()));
    return found ?? (await answer).clone();
  })());
});
"""


def head(consent: RequestConsent) -> str:
    return START + str(consent.head()) + META + PLAIN


def follow(tab: Tab, link: str) -> None:
    tab.page.click(f"#{link}")
    tab.page.wait_for_load_state()
    tab.settle()


def fetched(site: Site) -> int:
    return site.asked.count("GET /next")


@pytest.fixture
def pages(site: Site) -> Site:
    site.head, site.body = head, LINKS + FILM
    return site


@pytest.mark.parametrize("how", ["prefetch", "prerender"])
@pytest.mark.parametrize("action", ["reject", "withdraw"])
def test_a_page_fetched_before_a_no_is_asked_for_anew(
    tab: Tab, pages: Site, how: str, action: str
) -> None:
    """A browser that knows how forgets it; and what is fetched after that is kept."""
    tab.go()
    tab.choose(action="accept")
    pages.after = RULES % how
    tab.go()
    tab.page.wait_for_timeout(500)
    assert fetched(pages) == 1
    pages.after = ""
    tab.choose(action=action)
    pages.third.asked.clear()
    follow(tab, "next")
    assert fetched(pages) == 2
    assert tab.run("seen") == [expected(NOTHING)]
    assert pages.third.asked == []


@pytest.mark.parametrize("action", ["reject", "withdraw"])
def test_a_page_fetched_before_a_no_says_no(tab: Tab, pages: Site, action: str) -> None:
    """In a browser that does not know how: whatever is written in it."""
    tab.go()
    tab.choose(action="accept")
    pages.after, pages.keeps = RULES % "prefetch", True
    tab.go()
    tab.page.wait_for_timeout(500)
    pages.after = ""
    tab.choose(action=action)
    pages.third.asked.clear()
    follow(tab, "next")
    assert tab.run(DELIVERED) == "navigational-prefetch"
    allowed = "document.querySelector('script[data-allowed]').dataset.allowed"
    assert tab.run(allowed) == "analytics marketing preferences"
    assert tab.run("seen") == [expected(NOTHING)]
    assert tab.run(QUEUES) == [*expected(NOTHING), []]
    assert pages.third.asked == []


def test_a_page_fetched_before_a_yes_says_what_was_so_then(tab: Tab, pages: Site) -> None:
    """Until the gate has told more; then there is an update, as after any yes."""
    tab.go()
    pages.after, pages.keeps = RULES % "prefetch", True
    tab.go()
    tab.page.wait_for_timeout(500)
    pages.after = ""
    tab.choose(action="accept")
    follow(tab, "next")
    assert tab.run(DELIVERED) == "navigational-prefetch"
    assert tab.run("seen") == [expected(NOTHING)]
    assert tab.run(QUEUES)[:4] == expected(NOTHING, ALL)


def test_a_page_kept_by_a_worker_says_no(tab: Tab, pages: Site) -> None:
    """A worker answers with the page of the yes."""
    pages.files["/worker.js"] = WORKER
    tab.go()
    tab.choose(action="accept")
    tab.run(
        "navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready)"
    )
    tab.wait("navigator.serviceWorker.controller !== null")
    tab.go("/next")
    tab.go()
    tab.choose(action="reject")
    pages.third.asked.clear()
    follow(tab, "next")
    assert tab.run("document.querySelector('script[data-allowed]').dataset.allowed") != ""
    assert tab.run("seen") == [expected(NOTHING)]
    assert pages.third.asked == []


def test_what_a_page_rules_out_it_rules_out_when_gone_back_to(tab: Tab, pages: Site) -> None:
    """An account that opted out elsewhere: no companion knows of it, the page does."""

    def careful(consent: RequestConsent) -> str:
        if consent.request.path == "/next":
            consent.restrict("marketing")
        return head(consent)

    pages.head = careful
    tab.go()
    tab.grant("marketing")
    follow(tab, "next")
    assert tab.run("seen") == [expected(NOTHING)]
    follow(tab, "home")
    assert tab.run("seen") == [expected(ADS)]
    pages.third.asked.clear()
    tab.page.go_back()
    tab.settle()
    assert tab.run("performance.getEntriesByType('navigation')[0].type") == "back_forward"
    assert tab.run("seen") == [expected(NOTHING)]
    assert tab.run(QUEUES) == [*expected(NOTHING), []]
    assert pages.third.asked == []


def test_what_is_ruled_out_after_the_first_script_is_an_update(tab: Tab, pages: Site) -> None:
    """A handler that restricts too late is heeded by whatever comes later in the page."""

    def late(consent: RequestConsent) -> str:
        first = head(consent)
        consent.restrict("marketing")
        return first + str(consent.banner())

    tab.go()
    tab.grant("marketing")
    pages.head = late
    pages.third.asked.clear()
    tab.go("/next")
    assert tab.run("seen") == [expected(ADS)]
    assert tab.run(QUEUES)[:4] == expected(ADS, NOTHING)
    assert pages.third.asked == []
