"""Browsers and shops for the journeys: each is started once for a module, when first asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from browsers.chromium import find_chromium
from browsers.firefox import Firefox, find_firefox
from examples.shop_servers import Server
from journeys.guests import House, Settings
from journeys.in_chromium import InChromium, chromium
from journeys.in_firefox import InFirefox
from journeys.shops import LENIENT, SHOPS, Person, Shop, open_shop

AXE = Path(__file__).parents[2] / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Lead each journey through all shops in Chromium, and in Firefox through one, in turn.

    Every pair of a browser and a shop is met, though not by every journey: `make journeys` goes all
    ways, which takes half as long again.
    """
    if os.environ.get("CONSENTGATE_JOURNEYS") == "all":
        return
    names: dict[str, int] = {}
    left_out = []
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {})
        if values.get("house") == "bidi_firefox" and "shop" in values:
            turn = names.setdefault(item.nodeid.partition("[")[0], len(names))
            if values["shop"] != SHOPS[turn % len(SHOPS)]:
                left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


@pytest.fixture(scope="module")
def playwright_chromium() -> Iterator[InChromium]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on the search path and none named in $CHROMIUM")
    with chromium(executable) as house:
        yield house


@pytest.fixture(scope="module")
def bidi_firefox() -> Iterator[InFirefox]:
    executable = find_firefox()
    if executable is None:
        pytest.skip("no Firefox on the search path and none named in $FIREFOX")
    with Firefox(executable) as browser:
        yield InFirefox(browser)


@pytest.fixture(scope="module", params=["playwright_chromium", "bidi_firefox"])
def house(request: pytest.FixtureRequest) -> House:
    found: House = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module", params=SHOPS, ids=lambda server: server.name.partition("-")[0])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Each shop, in whose pages a choice is heeded without a next one."""
    server: Server = request.param
    with open_shop(server, tmp_path_factory.mktemp("shop"), LENIENT) as found:
        yield found


@pytest.fixture(scope="module")
def one_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One of the shops, where it does not matter which."""
    with open_shop(SHOPS[0], tmp_path_factory.mktemp("shop"), LENIENT) as found:
        yield found


@pytest.fixture
def let_in(house: House, shop: Shop) -> Callable[..., AbstractContextManager[Person]]:
    """Lets somebody into the shop, whose browser has these settings."""

    @contextmanager
    def let_in(**settings: bool | int) -> Iterator[Person]:
        with house.guest(Settings(**settings)) as guest:
            yield Person(guest, shop)
            # Whatever happens on the way: nothing that the page's own policy (CSP) forbids, and no
            # script that fails.
            assert list(guest.complaints()) == []

    return let_in


@pytest.fixture
def person(let_in: Callable[..., AbstractContextManager[Person]]) -> Iterator[Person]:
    """Somebody new, whose browser is as it comes."""
    with let_in() as somebody:
        yield somebody


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.is_file():
        pytest.skip("no axe-core: make .venv/node.stamp")
    return AXE.read_text("utf-8")
