"""Four third parties in one server, for the shops beside it: stand-ins that do what real ones do.

python third_parties.py

They are told apart by the host that they are asked as. Browsers take all of these for this very
machine: analytics.localhost, ads.localhost, chat.localhost and player.localhost.
"""

import json
import os
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

THIRD_PARTIES = os.environ.get("SHOP_THIRD_PARTIES", "localhost:8010")

# What each of the three scripts does, it does within this, and then says that it is done.
TAG = """(async () => {
  const tag = document.currentScript;
  const number = () => Math.floor(Math.random() * 1e9);
  try {%s  } catch {
    // Some browsers are told to store nothing.
  }
  tag.dataset.ran = "";
})();
"""
# Cookies and storage of the page that it stands in, and a beacon that says what it was told: "G1",
# and a digit each for ad_storage and analytics_storage, "-" where it was told nothing.
ANALYTICS = """
    const queue = (window.dataLayer ??= []);
    const told = {};
    const hear = ([command, , values]) => command === "consent" && Object.assign(told, values);
    queue.forEach(hear);
    queue.push = (entry) => {
      if (entry[0] === "consent" && entry[1] === "default") console.error("a default comes late");
      hear(entry);
      return Array.prototype.push.call(queue, entry);
    };
    const digit = (word) => ({ granted: 1, denied: 0 })[word] ?? "-";
    const said = `G1${digit(told.ad_storage)}${digit(told.analytics_storage)}`;
    navigator.sendBeacon(new URL(`collect?gcs=${said}`, tag.src));
    document.cookie = `_ga=GA1.1.${number()}; Path=/; Max-Age=63072000`;
    document.cookie = `_ga_SHOP1=GS2.1.${number()}; Path=/; Max-Age=63072000`;
    localStorage.setItem("analytics_visitor", number());
"""
# A cookie of the page, written again with each click, and a pixel that brings one of its own.
ADS = """
    const write = () => {
      document.cookie = `_fbp=fb.1.${Date.now()}.${number()}; Path=/; Max-Age=7776000`;
    };
    write();
    document.addEventListener("click", write);
    new Image().src = new URL("pixel.gif", tag.src);
"""
# A session, and a database for what is said in it.
CHAT = """
    sessionStorage.setItem("chat_session", number());
    await new Promise((resolve, reject) => {
      const request = indexedDB.open("chat_history", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("messages");
      request.onsuccess = () => resolve(request.result.close());
      request.onerror = reject;
    });
"""
# A page of its own, with a cookie and storage that no other page sees.
FILM = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A film</title>
<p>▶ A film
<script>
  try {
    document.cookie = `player_viewer=${Math.random()}; Max-Age=7776000; SameSite=None; Secure`;
    localStorage.setItem("player_volume", "11");
  } catch {
    // Some browsers keep nothing of a page within another one's.
  }
</script>
"""
# One transparent point.
PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)

SCRIPT, HTML, GIF = "text/javascript; charset=utf-8", "text/html; charset=utf-8", "image/gif"
FILES = {
    ("analytics", "/tag.js"): (SCRIPT, (TAG % ANALYTICS).encode()),
    ("ads", "/tag.js"): (SCRIPT, (TAG % ADS).encode()),
    ("ads", "/pixel.gif"): (GIF, PIXEL),
    ("chat", "/widget.js"): (SCRIPT, (TAG % CHAT).encode()),
    ("player", "/film"): (HTML, FILM.encode()),
}
# What is set along with a file. Browsers send it from other sites' pages, too (SameSite=None), and
# take `Secure` from this machine over plain http.
COOKIES = {("ads", "/pixel.gif"): "ads_viewer", ("player", "/film"): "player_session"}


class ThirdParty(BaseHTTPRequestHandler):
    """Whichever of them is asked. `/log` says what was asked of all since it was last read."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        host, path = self.headers.get("Host", "").partition(".")[0], self.path.partition("?")[0]
        if path == "/log":
            lines = [self.asked.pop(0) + "\n" for _ in range(len(self.asked))]
            return self.answer("application/jsonl", "".join(lines).encode())
        self.asked.append(json.dumps([host, self.command, self.path]))
        kind, content = FILES.get((host, path), ("", b""))
        return self.answer(kind, content, COOKIES.get((host, path), ""))

    do_POST = do_GET

    def answer(self, kind: str, content: bytes, cookie: str = "") -> None:
        # A body that is not read would be taken for the next request.
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200 if kind else 204)
        self.send_header("Cache-Control", "no-store")
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
        if cookie:
            lasting = "Max-Age=7776000; SameSite=None; Secure"
            self.send_header("Set-Cookie", f"{cookie}={secrets.token_hex(8)}; {lasting}")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Write nothing to the terminal."""


def server(port: int) -> ThreadingHTTPServer:
    """Return all of them, ready to be served on this machine alone; port 0 is any free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), ThirdParty)


if __name__ == "__main__":
    server(int(THIRD_PARTIES.rpartition(":")[2])).serve_forever()
