"""`consentgate keygen`: one good signing key."""

from __future__ import annotations

import secrets
import sys

import click

_HINT = """\
Give it to the app as the environment variable CONSENTGATE_SECRET; keep it out of files you commit.
To replace a key, write the new one in front of the old one, with a comma between. Remove the old
one after six months, when the choices it signed have lapsed."""


@click.command()
def keygen() -> None:
    """Print a new signing key, and nothing else."""
    click.echo(secrets.token_urlsafe(48))
    if sys.stderr.isatty():  # what reads the key from a pipe is no person
        click.echo(_HINT, err=True)
