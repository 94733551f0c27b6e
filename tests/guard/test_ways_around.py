"""Ways around the guard, each tried in both browsers, against the table of docs/guard.md."""

from __future__ import annotations

from pathlib import Path
from time import time
from typing import NamedTuple

import pytest

from browsers.driving import Visitor
from guard.shop import Shop

GUIDE = Path(__file__).parents[2] / "docs" / "guard.md"
COOKIE = "document.cookie.includes('_ga=')"
LOCAL = "localStorage.getItem('ajs_way') !== null"
DATABASE = "indexedDB.databases().then((all) => all.some(({name}) => name === 'ajs_way'))"
CACHE = "caches.has('ajs_way')"
WRITE = "document.cookie = '_ga=1; path=/'"
FRAME = "const frame = document.body.appendChild(document.createElement('iframe'));"
WAIT = "await new Promise((resolve) => setTimeout(resolve, 150));"
OPEN = """await new Promise((resolve) => {
  const request = %s.open("ajs_way");
  request.onsuccess = () => { request.result.close(); resolve(); };
  request.onerror = request.onblocked = resolve;
});"""
WORKER = """await new Promise((resolve) => {
  const worker = new Worker("/cached/worker.js");
  worker.onmessage = worker.onerror = resolve;
  worker.postMessage(%s);
});"""
SERVICE = """
const registration = await navigator.serviceWorker.register("/cached/worker.js");
const worker = registration.installing ?? registration.waiting ?? registration.active;
await new Promise((resolve) => {
  const look = () => worker.state === "activated" ? resolve() : setTimeout(look, 10);
  look();
});
await new Promise((resolve) => {
  navigator.serviceWorker.onmessage = resolve;
  navigator.serviceWorker.startMessages();
  worker.postMessage("caches.open('ajs_way')");
});
await registration.unregister();
"""


class Way(NamedTuple):
    """What a script does in a page with the guard, and how to see whether it worked.

    `before` runs before the guard does, `more` is in the body of the page.
    """

    script: str
    there: str = COOKIE
    before: str = ""
    more: str = ""


WAYS = {
    "a plain `document.cookie = …`": Way(f"{WRITE};"),
    "`Reflect.set`, computed names": Way(
        "Reflect.set(document, 'cookie', '_ga=1; path=/'); document['coo' + 'kie'] = '_ga=1';"
    ),
    "the setter taken off `Document.prototype` and called": Way(
        "Object.getOwnPropertyDescriptor(Document.prototype, 'cookie').set.call(document, '_ga=1');"
        "document.__lookupSetter__('cookie').call(document, '_ga=1');"
    ),
    "the setter taken by a script before the guard": Way(
        "taken.call(document, '_ga=1; path=/');",
        before="var taken = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie').set;",
    ),
    "`delete Document.prototype.cookie`": Way(
        f"delete Document.prototype.cookie; {WRITE};",
    ),
    "`Object.defineProperty` on document": Way(
        "Object.defineProperty(document, 'cookie', {value: '', configurable: true, writable: true"
        "});"
        f"{WRITE}; delete document.cookie;"
    ),
    "`eval`, `new Function`, a timer's text, an event attribute": Way(
        f"""const write = "{WRITE}"; (0, eval)(write); new Function(write)(); setTimeout(write, 0);
        const image = document.createElement("img"); image.setAttribute("onerror", write);
        image.src = "data:,"; document.body.append(image);
        new Function("with (document) cookie = '_ga=1'")(); {WAIT}"""
    ),
    "`document.write` of a script": Way(
        "", more=f'<script>document.write("<script>{WRITE}<\\/script>")</script>'
    ),
    "a `javascript:` address": Way(f'location.href = "javascript:void ({WRITE})"; {WAIT}'),
    "an imported `data:` module": Way(f'await import("data:text/javascript,{WRITE}");'),
    "`cookieStore.set`": Way(
        "await cookieStore.set('_ga', '1'); await cookieStore.set({name: '_ga', value: '1'});"
        "await CookieStore.prototype.set.call(cookieStore, '_ga', '1');"
    ),
    "`cookieStore.set` with a name that changes when it is read again": Way(
        "let reads = 0;"
        "await cookieStore.set({get name() { return reads++ ? '_ga' : 'sid'; }, value: '1'});"
        "await cookieStore.set({toString: () => reads++ ? '_ga' : 'sid'}, '1').catch(() => {});"
    ),
    "`cookieStore.set` with an `expires` that is none, or changes": Way(
        "const soon = Date.now() + 9e6; let reads = 0;"
        "await cookieStore.set({name: '_ga', value: '1', expires: null});"
        "await cookieStore.set({name: '_ga', value: '1',"
        " get expires() { return reads++ % 2 ? soon : 1; }});"
        "await cookieStore.set({name: '_ga', value: '1',"
        " expires: {valueOf: () => reads++ % 2 ? soon : 1}});"
    ),
    "a nameless cookie, `=_ga=1`": Way(
        "document.cookie = '=_ga=1; path=/'; document.cookie = '==_ga=1';"
        "document.cookie = '_ga; path=/'; document.cookie = ' \\t_ga\\t=1';",
        "/(^|; )_ga/.test(document.cookie)",
    ),
    "a deletion that is none, `max-age=0; max-age=9`": Way(
        "document.cookie = '_ga=1; max-age=0; max-age=9'; document.cookie = '_ga=1; expires=0';"
        "document.cookie = '_ga=1; expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=9; path=/';"
    ),
    '`<meta http-equiv="set-cookie">`': Way(
        "const meta = document.createElement('meta'); meta.httpEquiv = 'set-cookie';"
        f"meta.content = '_ga=1; path=/'; document.head.append(meta); {WAIT}",
        more='<meta http-equiv="set-cookie" content="_ga=1; path=/">',
    ),
    "`localStorage.name = …`": Way(
        "localStorage.ajs_way = 1; window['localStorage']['ajs_way'] = 1;", LOCAL
    ),
    "`Storage.prototype.setItem.call`": Way(
        "Storage.prototype.setItem.call(localStorage, 'ajs_way', 1);"
        "Reflect.apply(localStorage.setItem, localStorage, ['ajs_way', 1]);"
        "const get = Object.getOwnPropertyDescriptor(window, 'localStorage').get;"
        "get.call(window).setItem('ajs_way', 1); get.call(window).ajs_way = 1;",
        LOCAL,
    ),
    "`Object.assign`, `Object.defineProperty` on a storage": Way(
        "Object.assign(localStorage, {ajs_way: 1}); Reflect.set(localStorage, 'ajs_way', 1);"
        "Object.defineProperty(localStorage, 'ajs_way', {value: 1});"
        "Object.setPrototypeOf({}, localStorage); Object.create(localStorage).ajs_way = 1;",
        LOCAL,
    ),
    "a key that changes when it is read again": Way(
        "let reads = 0; const key = {toString: () => reads++ ? 'ajs_way' : 'cart'};"
        "localStorage.setItem(key, 1); reads = 0; localStorage[key] = 1;",
        LOCAL,
    ),
    "the storage that a storage event names": Way(
        f"""const heard = new Promise((resolve) => addEventListener("storage", resolve));
        {FRAME} frame.contentWindow.localStorage.setItem("cart", Math.random());
        const event = await heard; event.storageArea.ajs_way = 1;
        new StorageEvent("storage", event).storageArea?.setItem("ajs_way", 1);
        new StorageEvent("storage", {{storageArea: localStorage}}).storageArea.ajs_way = 1;""",
        LOCAL,
    ),
    "a `gate:change` event made up by a script": Way(
        "const choices = {analytics: 'granted'}, allowed = ['necessary', 'analytics'];"
        "document.dispatchEvent(new CustomEvent('gate:change', {detail: {choices, allowed}}));"
        f"{WRITE}; localStorage.ajs_way = 1;",
        f"{COOKIE} || {LOCAL}",
    ),
    "`IDBFactory.prototype.open.call`": Way(
        f"IDBFactory.prototype.open.call(indexedDB, 'ajs_way'); {OPEN % 'indexedDB'} {WAIT}",
        DATABASE,
    ),
    "a database in a storage bucket": Way(
        # Firefox has none: there it is a database like others.
        "const bucket = await navigator.storageBuckets?.open('ajs') ?? window;"
        + OPEN % "bucket.indexedDB",
        "(navigator.storageBuckets?.open('ajs') ?? Promise.resolve(window))"
        ".then((bucket) => bucket.indexedDB.databases()).then((all) => all.length > 0)",
    ),
    "a sandboxed frame": Way(
        f"""const frame = document.createElement("iframe"); frame.sandbox = "allow-scripts";
        frame.srcdoc = "<script>{WRITE}</script>"; document.body.append(frame); {WAIT}"""
    ),
    "the cookie setter of a frame's document": Way(
        f"{FRAME} Object.getOwnPropertyDescriptor(frame.contentWindow.Document.prototype, 'cookie')"
        ".set.call(document, '_ga=1; path=/');"
    ),
    "`Array.prototype.includes` that always says yes": Way(
        f"Array.prototype.includes = () => true; {WRITE};"
    ),
    "the storage of an `about:blank` frame": Way(
        f"{FRAME} frame.contentWindow.localStorage.ajs_way = 1;", LOCAL
    ),
    "the `setItem` of an `about:blank` frame": Way(
        f"{FRAME} const {{Storage, localStorage}} = frame.contentWindow;"
        "Storage.prototype.setItem.call(localStorage, 'ajs_way', 1);",
        LOCAL,
    ),
    "a database opened by a frame": Way(
        f"{FRAME}" + OPEN % "frame.contentWindow.indexedDB", DATABASE
    ),
    "a frame with `srcdoc`": Way(
        f"""const frame = document.createElement("iframe");
        frame.srcdoc = "<script>{WRITE}</script>"; document.body.append(frame); {WAIT}"""
    ),
    "a frame of the site without the guard": Way(
        f"""const frame = document.createElement("iframe");
        frame.src = "/cached/frame?first=no&more=" + encodeURIComponent("<script>{WRITE}</script>");
        document.body.append(frame); {WAIT}"""
    ),
    "a worker that opens a database": Way(
        WORKER % "'indexedDB.open(\"ajs_way\")'" + WAIT, DATABASE
    ),
    "a worker that opens a cache": Way(WORKER % "'caches.open(\"ajs_way\")'", CACHE),
    "a service worker that opens a cache": Way(SERVICE, CACHE),
    "a request to the site whose answer sets a cookie": Way(
        "await fetch('/set?_ga=1%3B%20path=/');"
    ),
    "an `HttpOnly` cookie set by what is not behind the gate": Way(
        "await fetch('/cached/set?_ga=1%3B%20path=/%3B%20HttpOnly');", ""
    ),
    "a companion made up by a script": Way(
        "const {name, keys, categories} = await fetch('/_gate/first.js')"
        ".then((answer) => answer.text())"
        ".then((text) => text.slice(text.lastIndexOf('})({') + 3, text.lastIndexOf(')')))"
        ".then(JSON.parse);"
        "const day = Math.floor(Date.now() / 864e5), [revision] = categories.analytics;"
        "document.cookie = `${name}=${day}.${keys[0]}&analytics=${revision}; path=/; secure`;"
        f"document.dispatchEvent(new Event('visibilitychange')); "
        "document.dispatchEvent(new CustomEvent('gate:change',"
        f" {{detail: {{allowed: ['analytics'], choices: {{}}}}}})); {WRITE};"
    ),
    "a file in the origin's private file system": Way(
        "const root = await navigator.storage.getDirectory();"
        "await root.getFileHandle('ajs_way', {create: true});",
        "navigator.storage.getDirectory().then((root) => root.getFileHandle('ajs_way'))"
        ".then(() => true, () => false)",
    ),
    "`window.name`": Way("window.name = 'ajs_way';", "window.name === 'ajs_way'"),
}


def table() -> dict[str, str]:
    """The outcomes that the guide tells of, by the way around."""
    text = GUIDE.read_text("utf-8").partition("| way around |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
    return {way: outcome for way, outcome, _ in rows}


def test_the_guide_tells_of_each_way_that_is_tried() -> None:
    """And of no other; fifteen at least."""
    assert list(table()) == list(WAYS)
    assert len(WAYS) >= 15
    assert set(table().values()) == {
        "stopped",
        "cleaned at the next load",
        "removed by the server",
        "not stopped",
    }


def outcome(visitor: Visitor, shop: Shop, way: Way) -> str:
    """Try a way, then load a page from a cache, then one from the gate."""

    def there() -> bool:
        visitor.visit(shop.url("/cached/bare", first="no"))
        if not way.there:
            # Of one that is deleted Firefox lists an empty one, which has expired, for a moment.
            now = time() + 1
            jar = [cookie for cookie in visitor.cookies() if not 0 < cookie.expires <= now]
            return any(cookie.name == "_ga" for cookie in jar)
        return bool(visitor.evaluate(way.there))

    query = {"before": way.before} if way.before else {}
    visitor.visit(shop.url("/page", more=way.more, **query))
    visitor.evaluate(f"(async () => {{ {way.script} }})().then(() => null)")
    if not there():
        return "stopped"
    visitor.visit(shop.url("/cached/page"))
    visitor.evaluate("new Promise((resolve) => setTimeout(resolve, 250))")
    if not there():
        return "cleaned at the next load"
    visitor.visit(shop.url("/page", first="no"))
    return "not stopped" if there() else "removed by the server"


@pytest.mark.parametrize("way", WAYS)
def test_each_way_ends_as_the_guide_says(visitor: Visitor, shop: Shop, way: str) -> None:
    """In Chromium and in Firefox."""
    assert outcome(visitor, shop, WAYS[way]) == table().get(way)


# What no guard is needed for: the browser, the server, or the way itself keeps it from working.
_NEVER = {
    "`delete Document.prototype.cookie`",
    "`Object.defineProperty` on document",
    '`<meta http-equiv="set-cookie">`',
    "a key that changes when it is read again",
    "a sandboxed frame",
    "a request to the site whose answer sets a cookie",
}


@pytest.mark.parametrize("way", [way for way, ends in table().items() if ends == "stopped"])
def test_it_is_the_guard_that_stops_them(visitor: Visitor, shop: Shop, way: str) -> None:
    """Without it all of them work, but for what nobody need be kept from."""
    shop.use(guard="off")
    visitor.visit(shop.url("/page", first="no", more=WAYS[way].more))
    visitor.evaluate(f"(async () => {{ {WAYS[way].script} }})().then(() => null)")
    visitor.visit(shop.url("/cached/bare", first="no"))
    assert visitor.evaluate(WAYS[way].there) is (way not in _NEVER)
