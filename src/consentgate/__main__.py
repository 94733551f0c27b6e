"""`python -m consentgate`: the same as the `consentgate` command."""

from .cli import main

main()
