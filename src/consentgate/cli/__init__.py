"""The `consentgate` command: what an operator asks about a policy file, at a terminal.

It needs the extra `cli`. This module itself imports without it, to be able to say so.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command and leave with its status: 0 clean, 1 findings, 2 cannot run."""
    try:
        from .commands import consentgate
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write('The consentgate command needs click: pip install "consentgate[cli]"\n')
        raise SystemExit(2) from None
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets an escape in its place, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    consentgate(prog_name="consentgate")
