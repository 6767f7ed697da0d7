"""The pages behind the login. They ask `skinscan.practice` for everything and decide nothing."""

from __future__ import annotations
