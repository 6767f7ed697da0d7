"""Imports every family, so that the registry is complete. A new family is one line here."""

from skinscan.metrics import texture, tone, wrinkles

FAMILIES = (wrinkles, texture, tone)
