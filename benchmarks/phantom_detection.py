"""How often the landmarker finds a phantom, and how far its landmarks are from the truth.

Usage: python benchmarks/phantom_detection.py [--count 200] [--seed 0] [--sheet FILE.png]

Every picture is another person, skin tone (ITA 62 to −62 degrees), pose within
±15 degrees about each axis, light, distance and camera. Prints the share found
with its 95 % Wilson interval, and landmark errors in per cent of the true
distance between the pupils.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions
from numpy.typing import NDArray

from skinscan.phantom import (
    Capture,
    FaceTruth,
    Person,
    Pores,
    default_wrinkles,
    ita_deg,
    melanin_for_ita,
    project,
    project_iris,
    render,
)
from skinscan.resources import landmark_model_bytes

Z95 = 1.959964


def wilson(found: int, count: int) -> tuple[float, float]:
    """95 % Wilson score interval of a share."""
    p = found / count
    middle = (p + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = Z95 / (1 + Z95**2 / count) * np.sqrt(p * (1 - p) / count + Z95**2 / (4 * count**2))
    return float(middle - half), float(middle + half)


def random_case(seed: int, index: int, px_per_mm: float) -> tuple[FaceTruth, Capture]:
    """One random face and capture."""
    rng = np.random.default_rng([seed, index])
    u = rng.uniform
    hair = np.array([0.09, 0.055, 0.035]) * u(0.12, 3.0)
    iris = np.array([[0.09, 0.06, 0.035], [0.05, 0.03, 0.02], [0.09, 0.11, 0.12]])[index % 3]
    person = Person(
        seed=int(rng.integers(2**31)),
        melanin_od=melanin_for_ita(u(-62, 62)),
        hair_rgb=tuple(np.clip(hair, 0, 1)),
        iris_rgb=tuple(iris),
        hairline_mm=u(96, 108),
    )
    truth = FaceTruth(
        person=person,
        wrinkles=default_wrinkles(index, amount=u(0, 1.6)),
        pores=Pores(density_cm2=u(20, 150), depth_mm=u(0.02, 0.09)),
        redness_od=u(0, 0.12),
        mottling=u(0.5, 1.8),
        under_eye_shadow_dl=u(0, 9),
        under_eye_bag_mm=u(0, 2),
        specular=u(0.5, 1.8),
    )
    capture = Capture.at_scale(
        px_per_mm,
        distance_mm=u(450, 1100),
        light_azimuth_deg=u(-45, 45),
        light_elevation_deg=u(0, 60),
        light_softness=u(0.1, 0.9),
        light_temperature_k=u(4500, 6800),
        yaw_deg=u(-15, 15),
        pitch_deg=u(-15, 15),
        roll_deg=u(-15, 15),
        exposure_ev=u(-0.7, 0.5),
        iso_noise=u(0.5, 3),
        blur_px=u(0.4, 1.2),
        seed=index,
    )
    return truth, capture


@contextmanager
def landmarker() -> Iterator[FaceLandmarker]:
    """Open the landmarker of the project's model, without any of skinscan's own reading."""
    options = FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_buffer=landmark_model_bytes()), num_faces=1
    )
    made = FaceLandmarker.create_from_options(options)
    try:
        yield made
    finally:
        made.close()


def find(net: FaceLandmarker, rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """478 landmarks in px (origin at the centre of the first pixel), or None."""
    result = net.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
    if not result.face_landmarks:
        return None
    h, w = rgb.shape[:2]
    return np.array([(p.x * w - 0.5, p.y * h - 0.5) for p in result.face_landmarks[0]])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--px-per-mm", type=float, default=3.0)
    parser.add_argument("--sheet", help="write a contact sheet of the first 24 as PNG")
    args = parser.parse_args()
    errors, iris_errors, iris_mm, tones, missed, tiles, seconds = [], [], [], [], [], [], []
    with landmarker() as net:
        for index in range(args.count):
            truth, capture = random_case(args.seed, index, args.px_per_mm)
            start = time.process_time()
            rgb = render(truth, capture)
            seconds.append(time.process_time() - start)
            seen = find(net, rgb)
            if len(tiles) < 24:
                tiles.append(cv2.resize(rgb, (220, 290), interpolation=cv2.INTER_AREA))
            tone = ita_deg(truth.person.melanin_od)
            if seen is None:
                missed.append((index, tone, capture))
                continue
            pupils = project_iris(truth, capture)
            between = np.linalg.norm(pupils[0] - pupils[1])
            errors.append(np.linalg.norm(seen[:468] - project(truth, capture), axis=1) / between)
            iris_errors.append(np.linalg.norm(seen[[468, 473]] - pupils, axis=1) / between)
            wide = [np.linalg.norm(seen[a] - seen[b]) for a, b in ((469, 471), (474, 476))]
            iris_mm.append(np.mean(wide) / capture.px_per_mm)
            tones.append(tone)
    found = len(errors)
    low, high = wilson(found, args.count)
    table = 100 * np.array(errors)
    print(f"found {found} of {args.count}: {100 * found / args.count:.1f} %")
    print(f"95 % Wilson interval {100 * low:.1f} to {100 * high:.1f} %")
    print(f"landmark error, % of inter-pupil distance: median {np.median(table):.2f}")
    per_face = np.median(table, axis=1)
    print(f"  median per face: 5 % {np.quantile(per_face, 0.05):.2f}, worst {per_face.max():.2f}")
    print(f"  iris centres: median {100 * np.median(iris_errors):.2f}")
    print(f"iris seen, mm at the face's px/mm (truth 11.7): median {np.median(iris_mm):.2f}")
    edges = [-90, -30, 10, 28, 41, 55, 90]
    names = ["dark", "brown", "tan", "intermediate", "light", "very light"]
    for k, name in enumerate(names):
        pick = (np.array(tones) >= edges[k]) & (np.array(tones) < edges[k + 1])
        if pick.any():
            print(f"  {name:13s} n={pick.sum():3d} median error {np.median(table[pick]):.2f} %")
    print(f"CPU seconds per new face at {args.px_per_mm:g} px/mm: median {np.median(seconds):.2f}")
    for index, tone, capture in missed:
        print(f"missed {index}: ITA {tone:.0f}, {capture}")
    if args.sheet:
        rows = [np.hstack(tiles[i : i + 6]) for i in range(0, len(tiles) - len(tiles) % 6, 6)]
        cv2.imwrite(args.sheet, np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
