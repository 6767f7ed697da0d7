"""Photos from which courses are drawn: one person's skin, unchanged or with softer lines.

Each person is one that the precision model was not fitted to. Courses of any length are drawn from
what one person has: careful takes, careful takes of lines that soften step by step, and takes whose
capture drifts along with the course as it does in a practice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from _captures import TRIED_FROM, careful, random_face, switched_camera, usual_capture
from _repeats import Repeat, repeat_of, repeats
from _responses import Scene, photo_of

from skinscan.phantom.truth import with_wrinkles

#: Sessions of the course whose steps were rendered, and by how much lines are less at its end.
SESSIONS, REDUCTION = 8, 0.2
#: Takes of each step; a course draws one of them.
_TAKES_PER_STEP = 2
_STILL, _REPLACED = 8, 4
#: Takes of different purpose are numbered apart, so that no two wander alike.
_SOFTER_FROM, _LAMP_FROM, _CAMERA_FROM, _LIPS_FROM = 100, 200, 300, 400
#: A smile as strong as this at the first session fades evenly to none at the last.
_SMILE = 0.3


@dataclass(frozen=True, eq=False)
class Pool:
    """All measured photos of one person.

    Attributes
    ----------
    seed : int
    still : tuple of Repeat
        Careful takes of unchanged skin.
    softer : tuple of tuple of Repeat
        For each session but the first, careful takes with its lines.
    drifting : Mapping of str to tuple of Repeat
        Takes of unchanged skin after the lamp was replaced (``lamp``), after the camera was
        (``camera``), and one per session but the last while a smile fades (``lips``).
    """

    seed: int
    still: tuple[Repeat, ...]
    softer: tuple[tuple[Repeat, ...], ...]
    drifting: Mapping[str, tuple[Repeat, ...]]


def _another_lamp(seed: int, take: int) -> Scene:
    rng = np.random.default_rng([seed, 206])

    def either(low: float, high: float) -> float:
        return float(rng.choice([-1, 1]) * rng.uniform(low, high))

    usual = usual_capture(seed)
    lamp = replace(
        usual,
        light_azimuth_deg=usual.light_azimuth_deg + either(3, 20),
        light_elevation_deg=usual.light_elevation_deg + either(3, 15),
        light_softness=float(np.clip(usual.light_softness + either(0.03, 0.2), 0.05, 0.95)),
    )
    kelvin = either(100, 800)
    taken = careful(lamp, seed, take)
    return random_face(seed), replace(taken, white_balance_k=taken.white_balance_k + kelvin)


def _another_camera(seed: int, take: int) -> Scene:
    step = 1 + seed % 4
    return random_face(seed), switched_camera(careful(usual_capture(seed), seed, take), step)


def scenes(seed: int) -> Mapping[tuple[str, int], tuple[Scene, ...]]:
    """All scenes of one person by purpose and session."""
    face, usual = random_face(seed), usual_capture(seed)
    made: dict[tuple[str, int], tuple[Scene, ...]] = {
        ("still", 0): tuple((face, careful(usual, seed, k)) for k in range(_STILL))
    }
    for session in range(1, SESSIONS):
        softer = with_wrinkles(face, 1.0 - REDUCTION * session / (SESSIONS - 1))
        first = _SOFTER_FROM + session * _TAKES_PER_STEP
        made["softer", session] = tuple(
            (softer, careful(usual, seed, first + k)) for k in range(_TAKES_PER_STEP)
        )
    made["lamp", 0] = tuple(_another_lamp(seed, _LAMP_FROM + k) for k in range(_REPLACED))
    made["camera", 0] = tuple(_another_camera(seed, _CAMERA_FROM + k) for k in range(_REPLACED))
    made["lips", 0] = tuple(
        (face, replace(taken, smile=_SMILE * (1.0 - k / (SESSIONS - 1))))
        for k in range(SESSIONS - 1)
        for taken in [careful(usual, seed, _LIPS_FROM + k)]
    )
    return made


def _few_scenes(seed: int, *, drifting: bool) -> Mapping[tuple[str, int], tuple[Scene, ...]]:
    """Softer lines once for each session; of drift lamp and camera alone, or none."""
    kept = ("still", "softer", "lamp", "camera") if drifting else ("still", "softer")
    return {
        key: taken[:1] if key[0] == "softer" else taken
        for key, taken in scenes(seed).items()
        if key[0] in kept
    }


def pool_photos(seed: int) -> Iterator[bytes]:
    """Every photo of one person, in the order of `scenes`."""
    return (photo_of(scene) for made in scenes(seed).values() for scene in made)


def pools(persons: int, *, workers: int) -> list[Pool]:
    """Measure everybody's photos, or read what was measured before.

    A person of whom a photo was refused is kept without that photo.
    """
    seeds = [TRIED_FROM + k for k in range(persons)]
    return [
        _sorted(seed, photos)
        for seed, photos in zip(seeds, repeats(pool_photos, seeds, workers=workers), strict=True)
    ]


def pool_of(seed: int) -> Pool:
    """Measure one person's photos, or read what was measured before."""
    return _sorted(seed, [repeat_of(photo) for photo in pool_photos(seed)])


def small_pool_of(seed: int, *, drifting: bool) -> Pool:
    """Measure fewer photos of a person: one take of each softer step, drift only if asked."""
    made = _few_scenes(seed, drifting=drifting)
    photos = [repeat_of(photo_of(scene)) for taken in made.values() for scene in taken]
    return _sorted(seed, photos, made)


def _sorted(
    seed: int,
    photos: list[Repeat | None],
    made: Mapping[tuple[str, int], tuple[Scene, ...]] | None = None,
) -> Pool:
    rest = iter(photos)
    kept = {
        key: tuple(p for p in [next(rest) for _ in taken] if p is not None)
        for key, taken in (scenes(seed) if made is None else made).items()
    }
    return Pool(
        seed=seed,
        still=kept["still", 0],
        softer=tuple(kept["softer", k] for k in range(1, SESSIONS)),
        drifting={name: kept.get((name, 0), ()) for name in ("lamp", "camera", "lips")},
    )
