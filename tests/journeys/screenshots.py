"""Take the pictures of docs/images anew, from an example that is being served.

cd tests && python -m journeys.screenshots
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from browsers.chromium import find_chromium
from journeys.in_chromium import chromium
from journeys.shops import SHOPS, open_shop

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PAGES = {"banner": "/", "preferences": "/_gate/?next=/", "declaration": "/_gate/declaration"}
SIZES = {360: (780, 2), 1440: (900, 1)}  # by width: the height, and pixels for each of CSS
SCHEMES = ("light", "dark")


def main() -> int:
    executable = find_chromium()
    if executable is None:
        print("there is no Chromium here", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_shop(SHOPS[0], Path(scratch)) as shop,
        chromium(executable) as house,
    ):
        for width, (height, scale) in SIZES.items():
            for scheme in SCHEMES:
                with house.guest(
                    viewport={"width": width, "height": height},
                    device_scale_factor=scale,
                    color_scheme=scheme,
                    locale="en",
                ) as guest:
                    for name, path in PAGES.items():
                        guest.tab.visit(shop.address + path)
                        file = FOLDER / f"{name}-{width}-{scheme}.png"
                        # What floats over a page is shown where visitors see it.
                        guest.tab.page.screenshot(path=file, full_page=name != "banner")
                        print(file.relative_to(Path.cwd().parent))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
