"""The command ``skinscan``."""

from skinscan.cli.commands import main

__all__ = ["main"]
