"""Feed generated bad inputs to the intake and check that each gives its own typed error.

Run ``python benchmarks/bad_inputs.py``; with ``--analyze`` the inputs go through
``skinscan.analyze`` instead, which must then also say that there is no face in readable
pictures. Exit code 1 on any mismatch, on anything printed on standard error by the
codecs, or if peak memory reaches 1 GB. Inputs are the same in every run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pillow_heif
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY_LIMIT_MB = 1000
CODECS = ("JPEG", "PNG", "WEBP", "HEIF")


def picture(height: int = 300, width: int = 400, seed: int = 0) -> np.ndarray:
    """Smooth random skin-like colours: a picture without a face."""
    coarse = np.random.default_rng(seed).uniform(80, 220, (6, 8, 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height)).astype(np.uint8)


def encode(image: np.ndarray | Image.Image, fmt: str, **options: Any) -> bytes:  # noqa: ANN401
    """Encode with Pillow."""
    out = io.BytesIO()
    pil = image if isinstance(image, Image.Image) else Image.fromarray(image)
    pil.save(out, fmt, **options)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(side: int) -> bytes:
    """Well-formed black PNG of side x side pixels."""
    engine = zlib.compressobj(9)
    raw = b"".join(engine.compress(bytes(3 * side + 1)) for _ in range(side)) + engine.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", raw) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_claiming(width: int, height: int) -> bytes:
    """JPEG whose header claims another size than its data has."""
    data = bytearray(encode(picture(), "JPEG"))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def _not_images(rng: np.random.Generator) -> Iterator[tuple[str, str, Any]]:
    for k in range(6):
        yield "random bytes", "not_an_image", b"\x01" + rng.bytes(10 ** (k % 4 + 1))
    yield "empty", "not_an_image", b""
    for text in (b"hello", b"<html><body></body></html>", b"photo,view\n1,front\n", b'{"a": 1}'):
        yield "text", "not_an_image", text * 50
    yield "zeros", "not_an_image", bytes(100_000)
    yield "archive", "not_an_image", b"PK\x03\x04" + rng.bytes(3000)
    yield "program", "not_an_image", b"\x7fELF" + rng.bytes(3000)


def _unsupported(rng: np.random.Generator) -> Iterator[tuple[str, str, Any]]:
    for fmt in ("GIF", "TIFF", "BMP", "PDF", "JPEG2000", "PPM", "ICO"):
        yield f"format {fmt}", "unsupported_format", encode(picture(), fmt)
    frames = [Image.fromarray(picture(seed=k)) for k in range(3)]
    for fmt in ("PNG", "WEBP"):
        data = encode(frames[0], fmt, save_all=True, append_images=frames[1:], duration=40)
        yield "animation", "unsupported_format", data
    yield "AVIF", "unsupported_format", b"\0\0\0\x1cftypavif" + rng.bytes(500)
    yield "video", "unsupported_format", b"\0\0\0\x1cftypisom" + rng.bytes(500)
    yield "raw photo", "unsupported_format", b"\0\0\0\x18ftypcrx " + rng.bytes(500)
    yield "raw photo", "unsupported_format", b"FUJIFILMCCD-RAW " + rng.bytes(500)
    yield "Photoshop", "unsupported_format", b"8BPS\0\1" + rng.bytes(500)


def _damaged(rng: np.random.Generator) -> Iterator[tuple[str, str, Any]]:
    for fmt in CODECS:
        data = encode(picture(), fmt)
        for part in (0.1, 0.3, 0.5, 0.9, 0.999):
            yield f"truncated {fmt}", "truncated", data[: int(len(data) * part)]
    noisy = np.clip(picture() + rng.normal(0, 12, (300, 400, 3)), 0, 255).astype(np.uint8)
    for progressive in (False, True):
        data = encode(noisy, "JPEG", quality=92, progressive=progressive)
        for part in (0.3, 0.5, 0.7):
            closed = data[: int(len(data) * part)] + b"\xff\xd9"
            yield "JPEG cut and closed", "truncated", closed
        hole = bytearray(data)
        hole[len(hole) // 2 : len(hole) // 2 + 4] = b"\xff\xc4\xff\xc4"
        yield "JPEG with a stray marker", "truncated", bytes(hole)
    data = encode(noisy, "PNG")
    for part in (0.2, 0.5, 0.8):
        flipped = bytearray(data)
        flipped[int(len(flipped) * part)] ^= 0x10
        yield "PNG checksum", "truncated", bytes(flipped)
    for name, start in (("JPEG", b"\xff\xd8\xff\xe0"), ("PNG", b"\x89PNG\r\n\x1a\n")):
        for size in (0, 50, 5000):
            yield f"{name} start, then noise", "truncated", start + b"\0" + rng.bytes(size)
    yield "JPEG claiming more rows", "truncated", jpeg_claiming(400, 900)


def _sizes() -> Iterator[tuple[str, str, Any]]:
    for side in (8000, 20_000):
        yield "PNG bomb", "too_large", png_bomb(side)
    for size in ((60_000, 60_000), (65_535, 1000), (8000, 8000)):
        yield "JPEG claiming millions", "too_large", jpeg_claiming(*size)
    yield "WebP bomb", "too_large", encode(np.zeros((8000, 8000, 3), np.uint8), "WEBP")
    yield "too many bytes", "too_large", b"\xff\xd8" + bytes(26 * 2**20)
    for fmt in CODECS:
        yield "too small", "too_small", encode(picture(120, 160), fmt)
        yield "strip", "bad_aspect", encode(picture(220, 1200), fmt)
    yield "too small", "too_small", picture(100, 100)
    yield "strip", "bad_aspect", picture(2000, 210)


def _modes() -> Iterator[tuple[str, str, Any]]:
    image = Image.fromarray(picture())
    holes = image.copy()
    holes.putalpha(Image.linear_gradient("L").resize(image.size))
    sixteen = picture().astype(np.uint16) * 257
    yield "16-bit", "bad_colour_mode", cv2.imencode(".png", sixteen)[1].tobytes()
    yield "16-bit", "bad_colour_mode", encode(Image.fromarray(sixteen[..., 0].copy()), "PNG")
    for fmt in ("JPEG", "PNG", "HEIF"):
        yield "greyscale", "bad_colour_mode", encode(image.convert("L"), fmt)
    yield "greyscale", "bad_colour_mode", encode(image.convert("1"), "PNG")
    yield "CMYK", "bad_colour_mode", encode(image.convert("CMYK"), "JPEG")
    yield "palette", "bad_colour_mode", encode(image.convert("P"), "PNG")
    for fmt in ("PNG", "WEBP", "HEIF"):
        yield "transparent", "bad_colour_mode", encode(holes, fmt)
    for fmt in ("JPEG", "PNG", "WEBP"):
        data = encode(image, fmt, icc_profile=b"no profile" * 20)
        yield "unreadable profile", "bad_colour_mode", data
    for mode in ("L", "P", "CMYK", "F", "HSV"):
        yield "PIL mode", "bad_colour_mode", image.convert(mode)


def _sources(folder: Path) -> Iterator[tuple[str, str, Any]]:
    yield "missing file", "unreadable", folder / "missing.jpg"
    yield "missing file", "unreadable", str(folder / "missing" / "missing.jpg")
    yield "folder", "unreadable", folder
    (folder / "loop").symlink_to(folder / "loop")
    yield "link to itself", "unreadable", folder / "loop"
    os.mkfifo(folder / "pipe")
    yield "pipe", "unreadable", folder / "pipe"
    yield "device", "unreadable", "/dev/zero"
    yield "impossible path", "unreadable", "a\0b"
    yield "impossible path", "unreadable", "x" * 10_000
    closed = io.BytesIO(b"x")
    closed.close()
    yield "closed file object", "unreadable", closed
    for value in (None, 3, ["a"], {"a": 1}, object):
        yield "wrong type", "unsupported_source", value
    yield "text file object", "unsupported_source", io.StringIO("text")
    for array in (picture() / 255.0, picture()[..., 0], np.zeros((300, 300, 4), np.uint8)):
        yield "wrong array", "unsupported_source", array


def _readable(*, analyze: bool) -> Iterator[tuple[str, str, Any]]:
    """Pictures that must be read, and in which no face must be found."""
    expected = "no_face" if analyze else "ok"
    for fmt in CODECS:
        yield "no face", expected, encode(picture(), fmt)
    yield "no face", expected, picture()
    yield "no face", expected, np.zeros((300, 300, 3), np.uint8)
    yield "what follows is ignored", expected, encode(picture(), "JPEG") + bytes(1000)


def inputs(folder: Path, *, analyze: bool) -> Iterator[tuple[str, str, Any]]:
    """Yield (kind, expected cause, source)."""
    rng = np.random.default_rng(20250101)
    yield from _not_images(rng)
    yield from _unsupported(rng)
    yield from _damaged(rng)
    yield from _sizes()
    yield from _modes()
    yield from _sources(folder)
    yield from _readable(analyze=analyze)


def _reader(*, analyze: bool) -> Callable[[Any], object]:
    if analyze:
        import skinscan  # noqa: PLC0415

        return skinscan.analyze
    from skinscan.photo import load_photo  # noqa: PLC0415

    return load_photo


def _rss_mb() -> float:
    """Peak resident memory, MB; Linux counts in KB, macOS in bytes."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def child(pipe: Any, *, analyze: bool) -> None:  # noqa: ANN401 - a multiprocessing connection
    """Answer each source received with the cause of its error; at the end with the memory."""
    from skinscan.errors import SkinscanError  # noqa: PLC0415

    read = _reader(analyze=analyze)
    start = _rss_mb()
    while (item := pipe.recv()) != ("stop", None):
        kind, source = item
        if kind == "closed file":
            source.close()
        begun = time.perf_counter()
        try:
            read(source)
            got = "ok"
        except SkinscanError as error:
            got = error.cause
        except BaseException as error:  # noqa: BLE001 - any other type is the finding
            got = f"{type(error).__name__} (untyped)"
        pipe.send((got, time.perf_counter() - begun))
    pipe.send((start, _rss_mb()))


def _ask(pipe: Any, process: Any, source: object) -> tuple[str, float]:  # noqa: ANN401
    # A closed file object cannot be pickled: the child closes its own.
    closed = isinstance(source, io.BytesIO) and source.closed
    pipe.send(("closed file", io.BytesIO()) if closed else ("source", source))
    try:
        if pipe.poll(60):
            answer: tuple[str, float] = pipe.recv()
            return answer
    except EOFError:
        process.join()
        return f"crash {process.exitcode}", 0.0
    process.kill()
    return "hang", 60.0


def _start(sink: int, *, analyze: bool) -> tuple[Any, Any]:
    """Start a child whose descriptor 2, where codecs print, is the sink."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=child, args=(there,), kwargs={"analyze": analyze})
    saved = os.dup(2)
    os.dup2(sink, 2)
    try:
        process.start()
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    there.close()
    return here, process


def main() -> int:
    """Run all inputs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--analyze", action="store_true", help="use skinscan.analyze")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    pillow_heif.register_heif_opener()

    rows: dict[tuple[str, str], Counter[str]] = {}
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile() as sink:
        pipe, process = _start(sink.fileno(), analyze=options.analyze)
        for kind, expected, source in inputs(Path(name), analyze=options.analyze):
            got, seconds = _ask(pipe, process, source)
            slowest = max(slowest, seconds)
            rows.setdefault((kind, expected), Counter())[got] += 1
            if got == "hang" or got.startswith("crash"):
                pipe, process = _start(sink.fileno(), analyze=options.analyze)
        pipe.send(("stop", None))
        start_mb, peak_mb = pipe.recv()
        process.join()
        sink.seek(0)
        printed = sink.read().decode(errors="replace")

    total = wrong = 0
    print(f"{'kind':28} {'count':>5}  {'expected':20} got")
    for (kind, expected), got in rows.items():
        total += got.total()
        wrong += got.total() - got[expected]
        seen = ", ".join(f"{cause} {count}" for cause, count in got.items())
        mark = "" if got.keys() == {expected} else "   <-- MISMATCH"
        print(f"{kind:28} {got.total():5}  {expected:20} {seen}{mark}")
    kinds = len({kind for kind, _ in rows})
    print(f"\n{total} inputs of {kinds} kinds, {wrong} mismatches; slowest {slowest:.2f} s")
    print(f"peak memory {peak_mb:.0f} MB (before the first input {start_mb:.0f} MB)")
    print(f"printed on standard error: {printed!r}" if printed else "nothing on standard error")
    if options.json:
        figures = {"inputs": total, "kinds": kinds, "mismatches": wrong, "peak_mb": peak_mb}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return int(bool(wrong or printed or peak_mb >= MEMORY_LIMIT_MB))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
