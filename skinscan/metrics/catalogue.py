"""Imports every family, so that the registry is complete. A new family is one line here."""

from skinscan.metrics import lift, puffiness, radiance, texture, tone, under_eye, wrinkles

FAMILIES = (wrinkles, texture, tone, under_eye, puffiness, lift, radiance)
