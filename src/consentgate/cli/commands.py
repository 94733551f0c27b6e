"""The group of commands. Each is imported when it is asked for, so that none pays for another."""

from __future__ import annotations

import os
from importlib import import_module

import click

from .. import __version__

_COMMANDS = ("check", "explain", "diff", "keygen", "demo")


class CannotRun(click.ClickException):
    """What was asked cannot be done at all, as opposed to done with findings."""

    exit_code = 2


class LazyGroup(click.Group):
    """A group whose command `name` is the object `name` in the module `name` beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f".{cmd_name}", __package__)
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def consentgate(ctx: click.Context) -> None:
    """Make a published cookie policy true.

    Every command ends with 0 (clean), 1 (findings) or 2 (cannot run).
    """
    # click itself writes no colour into pipes. For the rest: https://no-color.org
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
