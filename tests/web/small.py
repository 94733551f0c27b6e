"""Make what is sent of the scripts: with their chunks in place, without comments and long names.

A script that is read by every visitor of every site is worth it: a quarter less of it, compressed.
What is sent is kept beside the sources, so that nobody who installs the package needs a compressor.

cd tests && python -m web.small
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from consentgate import pages

WEB = Path(str(pages.__path__[0])) / "web"
NODE = Path(__file__).parents[2] / ".venv" / "node" / "node_modules"
COMPRESSOR = NODE / "terser" / "bin" / "terser"
# By what is sent: the source, and the chunks that are left out of it.
SENT = {
    "g.js": ("g.js", ()),
    "t.js": ("t.js", ()),
    "first.js": ("first.js", ()),
    "first-guard.js": ("first.js", ("modes.js",)),
    "first-modes.js": ("first.js", ("guard.js",)),
}
# A line in a script's source in whose place a chunk stands, which several scripts may share.
_PLACES = re.compile(r"^[ \t]*/\* (\w+\.js) \*/\n", re.MULTILINE)


def assembled(name: str, left_out: Iterable[str] = (), web: Path = WEB) -> str:
    """Return the source of a script with its chunks in their places, but for those left out."""

    def chunk(place: re.Match[str]) -> str:
        return "" if place[1] in left_out else (web / place[1]).read_text("utf-8")

    return _PLACES.sub(chunk, (web / name).read_text("utf-8"))


def possible() -> bool:
    """Say whether there is what it takes."""
    return shutil.which("node") is not None and COMPRESSOR.exists()


def compressed(source: str, *more: str) -> str:
    """Return a script that does the same in fewer bytes."""
    done = subprocess.run(
        [
            "node",
            str(COMPRESSOR),
            "--compress",
            "passes=3,hoist_funs",
            "--mangle",
            "--ecma",
            "2021",
            *more,
        ],
        input=source,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip() + "\n"


def made(web: Path = WEB) -> dict[str, str]:
    """Return what is to be sent, by name."""
    scripts = {name: compressed(assembled(*how, web)) for name, how in SENT.items()}
    vendors = {
        f"vendors/{one.name}": compressed(one.read_text("utf-8"), "--module")
        # What is left is an expression.
        .removeprefix("export default")
        .strip()
        .removesuffix(";")
        + "\n"
        for one in sorted((web / "vendors").glob("*.js"))
    }
    return scripts | vendors


def write(web: Path = WEB) -> None:
    """Put what is to be sent beside its sources."""
    (web / "small" / "vendors").mkdir(parents=True, exist_ok=True)
    for name, text in made(web).items():
        (web / "small" / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write()
