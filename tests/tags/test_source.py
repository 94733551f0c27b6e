"""The script for what is held back, as it is sent."""

from __future__ import annotations

import gzip

from consentgate.pages.render import JinjaRenderer
from tags.site import POLICY

RENDERER = JinjaRenderer(POLICY)


def test_it_is_small() -> None:
    """Compressed, the script has at most 1,250 bytes, and the whole style 3,000."""
    sizes = [len(gzip.compress(text.encode(), 9)) for text in (RENDERER.tags, RENDERER.style)]
    assert [sizes[0] <= 1250, sizes[1] <= 3000] == [True, True]
