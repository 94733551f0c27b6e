"""The shop, and both browsers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browsers.chromium import OWN_HOSTS, Chromium, find_chromium
from browsers.driving import Browser, Visitor
from browsers.firefox import Firefox, find_firefox
from browsers.site import HOSTS
from guard.shop import Shop, serving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with serving(tmp_path_factory.mktemp("guard")) as shop:
        yield shop


@pytest.fixture
def shop(running: Shop) -> Shop:
    running.use()
    return running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on the search path and none named in $CHROMIUM")
    with Chromium(executable, *OWN_HOSTS) as browser:
        yield browser


@pytest.fixture(scope="module")
def firefox() -> Iterator[Browser]:
    executable = find_firefox()
    if executable is None:
        pytest.skip("no Firefox on the search path and none named in $FIREFOX")
    with Firefox(executable, HOSTS) as browser:
        yield browser


@pytest.fixture(params=["chromium", "firefox"])
def visitor(request: pytest.FixtureRequest) -> Iterator[Visitor]:
    browser: Browser = request.getfixturevalue(request.param)
    with browser.visitor() as somebody:
        yield somebody
