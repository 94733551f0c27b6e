"""The pure core: data in, decisions out.

Nothing below this package reads a clock, a file, the environment or a random source, logs, or
starts a thread: time, keys and randomness arrive as arguments. `tests/test_architecture.py` holds
that law, and the direction of the imports.
"""
