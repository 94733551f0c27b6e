"""`consentgate demo`: serve the FastAPI shop of the examples, and show what becomes of its cookies.

The shop is the example itself, not a second one: in a checkout it is read from `examples/`, and a
wheel carries that very file in the folder `shop` beside this module.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import deque
from contextlib import closing, suppress
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING

import click

from ..config import ConfigError, load_policy
from ..core.decision import Action, Decision
from ..wrap import wrap
from .commands import CannotRun

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

    from fastapi import FastAPI

SHOP, POLICY = "fastapi_shop.py", "shop.toml"
# Stand-ins for those whose tags and film the shop's pages have, and how the shop is told of them.
OTHERS, WHERE = "third_parties.py", "SHOP_THIRD_PARTIES"
# What each visit is called, and the choice that is made before it. All four are one visitor's.
VISITS = {"No choice": "", "Reject": "reject", "Accept": "accept", "Withdraw": "withdraw"}
UNLISTED = "(unlisted)"
_NEEDED = {
    "fastapi": "fastapi",
    "httpx": "httpx",
    "python_multipart": "python-multipart",
    "rich": "rich",
    "uvicorn": "uvicorn",
}
_COLOURS = {Action.KEPT: "green", Action.DROPPED: "red"}  # any other is changed: yellow
_OF_SENT = (Action.HIDDEN, Action.EXPIRED, Action.STUCK)

# What the gate decided on one visit, by the cookie's name.
Visit = dict[str, Decision]


@click.command()
@click.option("--once", is_flag=True, help="Print the table and exit.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port on 127.0.0.1; 0 takes any free one.",
)
def demo(once: bool, port: int) -> None:
    """Serve a small gated shop, visit it four times, and show what became of its cookies."""
    if missing := [package for module, package in _NEEDED.items() if find_spec(module) is None]:
        packages = " ".join(missing)
        raise CannotRun(f"the demo needs what is not installed here: pip install {packages}")
    shop = find_shop(Path(__file__).parent)
    if shop is None:
        raise CannotRun("the demo shop is not installed here: run make demo in a checkout")
    # Bounded, since the shop is served for as long as the operator likes.
    decisions: deque[Decision] = deque(maxlen=1000)
    if not once:  # no browser will come
        os.environ[WHERE] = f"localhost:{_open_third_parties(shop.with_name(OTHERS))}"
    try:
        app = _gated(shop, decisions)
    except ConfigError as error:
        raise CannotRun(str(error)) from None
    # Else the log would say on stderr, between the rows, what the tables tell.
    logging.getLogger("consentgate").addHandler(logging.NullHandler())
    with closing(_listen(port)) as listener, suppress(KeyboardInterrupt):
        asyncio.run(_serve(app, listener, decisions, shop.with_name(POLICY), once))


def find_shop(here: Path) -> Path | None:
    """Return the shop's file as seen from the folder `here` of this module, if there is one."""
    places = [here / "shop"]
    if here.parents[1].name == "src":
        places.append(here.parents[2] / "examples")
    return next((place / SHOP for place in places if (place / SHOP).is_file()), None)


def _gated(shop: Path, decisions: deque[Decision]) -> FastAPI:
    """Return the shop with a gate that tells its decisions; the example's own gate keeps them."""
    app: FastAPI = _module(shop).create_app()
    return wrap(app, shop.with_name(POLICY), on_decision=decisions.append)


def _open_third_parties(file: Path) -> int:
    """Serve them until the demo ends, and return the port."""
    server: ThreadingHTTPServer = _module(file).server(0)
    Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def _module(file: Path) -> ModuleType:
    spec = spec_from_file_location(f"consentgate_demo_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    if os.name == "posix":  # elsewhere it would take the port from whoever has it
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise CannotRun(
            f"port {port} cannot be used ({error.strerror}): choose another, "
            "for example --port 8001, or --port 0 for any"
        ) from None
    return listener


async def _serve(
    app: FastAPI, listener: socket.socket, decisions: deque[Decision], policy: Path, once: bool
) -> None:
    import uvicorn

    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not (server.started or serving.done()):
            await asyncio.sleep(0.01)
        visits, gone = await _visit(address, decisions)
        _show(visits, gone, [category.id for category in load_policy(policy).categories])
        click.echo(f"The policy   {policy}")
        if not once:
            click.echo(f"The shop     {address}/")
            click.echo(f"Your choice  {address}/_gate/")
            click.echo("Ctrl-C closes the shop.")
            await serving
    finally:
        server.should_exit = True
        await serving


async def _visit(
    address: str, decisions: deque[Decision]
) -> tuple[dict[str, Visit], dict[str, list[str]]]:
    """Make the four visits over HTTP, as a browser would.

    Return what was decided on each, and what each choice before it took off the device.
    """
    import httpx

    visits = {}
    gone: dict[str, list[str]] = {}
    # Without trust_env=False a proxy of the environment would be asked for 127.0.0.1.
    async with httpx.AsyncClient(
        base_url=address, headers={"Origin": address}, follow_redirects=True, trust_env=False
    ) as client:

        async def post(path: str, **form: str) -> None:
            (await client.post(path, data=form)).raise_for_status()

        for title, choice in VISITS.items():
            decisions.clear()
            if choice:
                await post("/_gate/choice", action=choice, next="/")
            gone[title] = [one.name for one in decisions if one.action is Action.EXPIRED]
            decisions.clear()
            for page in ("/", "/product/mug"):
                (await client.get(page)).raise_for_status()
            await post("/basket", sku="mug", csrf=client.cookies["csrftoken"])
            visits[title] = {one.name: one for one in decisions if one.action not in _OF_SENT}
    return visits, gone


def _show(visits: dict[str, Visit], gone: dict[str, list[str]], categories: list[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    def table(*columns: str) -> Table:
        made = Table(box=SIMPLE_HEAD)
        for column in columns:
            made.add_column(column, no_wrap=True)
        return made

    def order(decision: Decision) -> int:
        known = decision.category in categories
        return categories.index(decision.category or "") if known else len(categories)

    everything = [decision for visit in visits.values() for decision in visit.values()]
    everything.sort(key=order)
    cookies = table("Cookie", "Category", *visits)
    for name, category in {one.name: one.category or UNLISTED for one in everything}.items():
        cookies.add_row(name, category, *(_result(visit.get(name)) for visit in visits.values()))
    reasons = table("Category", "Result", "Reason")
    for row in dict.fromkeys(
        (one.category or UNLISTED, _result(one), one.reason) for one in everything
    ):
        reasons.add_row(*row)
    console = Console(highlight=False)
    console.print("[bold]One visitor comes four times.[/] What became of the cookies the shop set:")
    console.print(cookies)
    for title, names in gone.items():
        if names:
            taken = ", ".join(dict.fromkeys(names))
            console.print(f"[bold]{title}[/] took off the device what was there:\n{taken}\n")
    console.print("[bold]Why,[/] in the words of the gate:")
    console.print(reasons)


def _result(decision: Decision | None) -> str:
    if decision is None:
        return "not set"
    return f"[{_COLOURS.get(decision.action, 'yellow')}]{decision.action}[/]"
