"""Wrinkles where faces have them, with natural irregularity."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skinscan.phantom.truth import Wrinkle, check_range

F64 = NDArray[np.float64]

_POINTS = 16


def _curve(
    rng: np.random.Generator,
    anchors: list[tuple[float, float]],
    *,
    wobble_mm: float,
) -> tuple[tuple[float, float], ...]:
    """Quadratic or cubic Bézier through control points, with correlated wobble."""
    t = np.linspace(0, 1, _POINTS)
    n = len(anchors) - 1
    points = np.zeros((_POINTS, 2))
    for k, anchor in enumerate(anchors):
        weight = math.comb(n, k) * t**k * (1 - t) ** (n - k)
        points += weight[:, None] * np.asarray(anchor)
    along = np.asarray(np.gradient(points, axis=0))
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    knots = rng.standard_normal(6)
    offset = np.interp(t, np.linspace(0, 1, 6), knots) + 0.35 * rng.standard_normal(_POINTS)
    points += normal * (wobble_mm * offset)[:, None]
    return tuple((round(float(x), 3), round(float(y), 3)) for x, y in points)


def default_wrinkles(seed: int, *, amount: float = 1.0) -> tuple[Wrinkle, ...]:
    """Lines of a middle-aged face: forehead to marionette.

    Parameters
    ----------
    seed : int
        Decides places and irregularities.
    amount : float
        Multiplies every depth, 0 to 3; 1 is a face of about 50 years.

    Returns
    -------
    tuple of Wrinkle
        Regions: ``forehead``, ``glabella``, ``crows_feet_{left,right}``,
        ``under_eye_{left,right}``, ``nasolabial_{left,right}``,
        ``marionette_{left,right}``; left and right are the subject's.

    Raises
    ------
    PhantomError
        If ``amount`` is outside its range.
    """
    check_range("amount", amount, 0.0, 3.0)
    rng = np.random.default_rng([seed, 21])
    lines: list[Wrinkle] = []

    def add(
        region: str,
        anchors: list[tuple[float, float]],
        depth_mm: float,
        width_mm: float,
        wobble_mm: float = 0.25,
    ) -> None:
        lines.append(
            Wrinkle(
                region=region,
                points_mm=_curve(rng, anchors, wobble_mm=wobble_mm),
                depth_mm=round(depth_mm * amount * float(rng.uniform(0.85, 1.15)), 4),
                width_mm=round(width_mm * float(rng.uniform(0.85, 1.15)), 3),
                seed=int(rng.integers(2**31)),
            )
        )

    def j(spread: float) -> float:
        return float(rng.normal(0.0, spread))

    for y, half, depth in (
        (61.5, 33.0, 0.10),
        (69.5, 38.0, 0.15),
        (78.0, 34.0, 0.12),
        (86.0, 24.0, 0.07),
    ):
        # most people's lines break near the midline
        gap = rng.uniform(-4, 5)
        left, right = half + j(4), half + j(4)
        lift = j(1.2)
        add(
            "forehead",
            [(-right, y - 2 + j(1)), (-right * 0.55, y + 3.2 + j(1)), (-gap, y + lift)],
            depth,
            0.85,
            0.35,
        )
        add(
            "forehead",
            [(gap, y + lift + j(0.7)), (left * 0.55, y + 3.2 + j(1)), (left, y - 2 + j(1))],
            depth,
            0.85,
            0.35,
        )
        if rng.random() < 0.6:
            x = j(14)
            add(
                "forehead",
                [(x - 9, y - 3.8 + j(0.4)), (x + 9, y - 3.6 + j(0.4))],
                depth * 0.5,
                0.5,
                0.25,
            )
    for sign in (-1.0, 1.0):
        add(
            "glabella",
            [
                (sign * (6.5 + j(0.7)), 40 + j(1)),
                (sign * 6.0, 48.0),
                (sign * (8.0 + j(0.8)), 56 + j(2)),
            ],
            0.13,
            0.9,
            0.2,
        )
    for sign, side in ((1.0, "left"), (-1.0, "right")):
        for angle, length, depth in (
            (34, 13, 0.07), (19, 17, 0.13), (5, 19, 0.15),
            (-10, 18, 0.14), (-25, 16, 0.11), (-40, 12, 0.06),
        ):  # fmt: skip
            a = math.radians(angle + j(2.5))
            start, reach = 4.0 + abs(j(1.2)), length + j(2)
            x0, y0 = 46.5 + start * math.cos(a), 25.5 + (start + 1.0) * math.sin(a)
            x1, y1 = x0 + reach * math.cos(a), y0 + reach * math.sin(a)
            bend = (x0 + x1) / 2, (y0 + y1) / 2 + 1.1 + j(0.4) - 0.02 * angle
            add(
                f"crows_feet_{side}",
                [(sign * x0, y0), (sign * bend[0], bend[1]), (sign * x1, y1)],
                depth,
                0.65,
                0.18,
            )
            if rng.random() < 0.35:
                x2, y2 = (
                    x0 + 0.5 * reach * math.cos(a + 0.12),
                    y0 + 2.2 + 0.5 * reach * math.sin(a + 0.12),
                )
                add(
                    f"crows_feet_{side}",
                    [(sign * (x0 + 3), y0 + 1.2), (sign * x2, y2)],
                    depth * 0.5,
                    0.45,
                    0.12,
                )
        for drop, depth in ((4.2, 0.05), (7.2, 0.075), (10.2, 0.07)):
            x0, x1 = 21 + j(1.2) + 0.2 * drop, 43 + j(1.2)
            y = 22.0 - drop
            add(
                f"under_eye_{side}",
                [
                    (sign * x0, y + 0.4 - 0.15 * drop),
                    (sign * 29, y - 3.4 + j(0.4)),
                    (sign * x1, y + 0.8 + j(0.4)),
                ],
                depth,
                0.6,
                0.18,
            )
        base = [
            (sign * (18.0 + j(0.7)), -12.0),
            (sign * (25.0 + j(0.7)), -19 + j(0.8)),
            (sign * (33.0 + j(1)), -35.0),
            (sign * (31.5 + j(1)), -46 + j(2)),
        ]
        add(f"nasolabial_{side}", base, 1.05, 5.6, 0.10)
        add(f"nasolabial_{side}", base, 0.06, 1.3, 0.12)
        add(
            f"marionette_{side}",
            [
                (sign * (28.0 + j(0.6)), -48.0),
                (sign * 30.5, -55.0),
                (sign * (31.5 + j(1)), -67 + j(2.5)),
            ],
            0.30,
            2.4,
            0.15,
        )
    return tuple(lines)
