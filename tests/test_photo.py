"""Intake: every accepted kind of photo, every refusal, and colour, turn and scale kept exact."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import threading
import traceback
import zlib
from datetime import datetime, timedelta, timezone

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab
from wide_gamut import as_p3, p3_profile

from skinscan import errors
from skinscan.photo import Photo, PhotoLimits, captured_stderr, decoding, load_photo, open_photo

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
TINY = PhotoLimits(min_short_side_px=1, max_aspect=100)


def picture(height=240, width=320, seed=0):
    """Smooth skin-like colours without symmetry, so that every turn differs."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform((190, 130, 100), (235, 170, 140), (5, 6, 3)).astype(np.float32)
    coarse[0, 0] = (225, 110, 90)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(np.rint(smooth), 0, 255).astype(np.uint8)


def encode(rgb, fmt, **options):
    if fmt == "HEIF":
        # The plugin turns EXIF orientation into irot and imir, as phones do.
        pillow_heif.register_heif_opener()
        defaults = {"quality": 100, "chroma": 444}
    else:
        defaults = {
            "JPEG": {"quality": 97, "subsampling": 0},
            "PNG": {"compress_level": 1},
            "WEBP": {"lossless": True, "exact": True},
        }[fmt]
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, fmt, **{**defaults, **options})
    return out.getvalue()


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_png(width, height, *, depth=8, kind=2, raw=b"", extra=b"", level=9):
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + extra
        + png_chunk(b"IDAT", zlib.compress(raw, level))
        + png_chunk(b"IEND", b"")
    )


def exif(order="<", **values):
    """EXIF bytes written by hand, GPS and owner included, as phones do."""
    ascii_tags = {
        "make": 0x010F,
        "model": 0x0110,
        "software": 0x0131,
        "taken": 0x9003,
        "offset": 0x9011,
        "lens": 0xA434,
        "owner": 0xA430,
    }
    first = {k: v for k, v in values.items() if k in ("make", "model", "software", "orientation")}
    second = {k: v for k, v in values.items() if k not in first and k != "gps"}

    def ifd(entries, start):
        table, extra = b"", b""
        free = start + 2 + 12 * len(entries) + 4
        for tag, kind, count, payload in sorted(entries):
            if len(payload) > 4:
                table += struct.pack(order + "HHII", tag, kind, count, free + len(extra))
                extra += payload
            else:
                table += struct.pack(order + "HHI", tag, kind, count) + payload.ljust(4, b"\0")
        return struct.pack(order + "H", len(entries)) + table + bytes(4) + extra

    def entries(values):
        for name, value in values.items():
            if name == "orientation":
                yield 0x0112, 3, 1, struct.pack(order + "H", value)
            elif name == "focal":
                yield 0xA405, 3, 1, struct.pack(order + "H", value)
            else:
                text = value.encode() + b"\0"
                yield ascii_tags[name], 2, len(text), text

    head = list(entries(first))
    pointers = 1 + bool(values.get("gps"))
    length = len(ifd([*head, *[(0x8769, 4, 1, bytes(4))] * pointers], 8))
    sub = ifd(list(entries(second)), 8 + length)
    pointer = struct.pack(order + "I", 8 + length)
    tags = [*head, (0x8769, 4, 1, pointer)]
    gps = b""
    if values.get("gps"):
        tags.append((0x8825, 4, 1, struct.pack(order + "I", 8 + length + len(sub))))
        gps = ifd([(0x001D, 2, len(values["gps"]) + 1, values["gps"].encode() + b"\0")], 0)
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8)
    return b"Exif\0\0" + start + ifd(tags, 8) + sub + gps


def turned(rgb, orientation):
    """EXIF 2.32, tag 0x0112: the picture shown for each stored orientation."""
    return {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: np.rot90,
    }[orientation](rgb)


def mean_difference(a, b):
    return np.abs(a.astype(int) - b.astype(int)).mean()


# --- sources ---------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_kind_of_source_gives_the_same_pixels(fmt, tmp_path):
    data = encode(picture(), fmt)
    path = tmp_path / "photo.bin"
    path.write_bytes(data)
    link = tmp_path / "link"
    link.symlink_to(path)
    first = load_photo(data)
    assert first.format == fmt
    assert first.full_size_px == (320, 240)
    assert mean_difference(first.rgb, picture()) < 1.5
    offset = io.BytesIO(b"skip" + data)
    offset.seek(4)
    with path.open("rb") as file:
        opened = load_photo(file)
        assert not file.closed
    others = [opened, load_photo(offset), load_photo(path), load_photo(str(path)), load_photo(link)]
    others += [load_photo(bytearray(data)), load_photo(memoryview(data))]
    for other in others:
        assert other.sha256 == first.sha256
        assert np.array_equal(other.rgb, first.rgb)
    assert np.array_equal(load_photo(first.rgb).rgb, first.rgb)
    if fmt != "HEIF":
        with Image.open(io.BytesIO(data)) as image:  # noqa: TID251
            pil = load_photo(image)
        assert pil.format == fmt
        assert np.array_equal(pil.rgb, first.rgb)


@pytest.mark.parametrize("fmt", ["PNG", "WEBP"])
def test_lossless_formats_are_exact(fmt):
    assert np.array_equal(load_photo(encode(picture(), fmt)).rgb, picture())


def test_short_reads_and_text_files():
    data = encode(picture(), "JPEG")

    class Slow(io.RawIOBase):
        def __init__(self):
            self.at = 0

        def read(self, _size=-1):
            part = data[self.at : self.at + 1000]
            self.at += len(part)
            return part

    assert load_photo(Slow()).full_size_px == (320, 240)
    with pytest.raises(errors.UnsupportedSourceError):
        load_photo(io.StringIO("text"))

    class Broken:
        def read(self, _size):
            raise RuntimeError

    with pytest.raises(errors.UnreadableFileError):
        load_photo(Broken())


def test_the_array_given_is_copied_and_the_result_is_locked():
    mine = picture()
    file = open_photo(mine)
    photo = file.decode()
    mine[:] = 0
    assert photo.rgb.max() > 0
    assert photo.rgb.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        photo.rgb[0, 0] = 0
    assert np.array_equal(file.decode().rgb, photo.rgb)
    assert photo.sha256 != load_photo(mine).sha256
    assert photo.sha256 == load_photo(np.asfortranarray(picture())).sha256


@pytest.mark.parametrize(
    "source",
    [
        picture().astype(np.float32) / 255,
        picture()[..., 0],
        np.zeros((300, 300, 4), np.uint8),
        np.zeros((3, 300, 300), np.uint8),
        picture().astype(np.uint16),
        None,
        7,
        ["a"],
    ],
    ids=["float", "grey", "rgba", "planar", "uint16", "none", "int", "list"],
)
def test_other_objects_are_refused(source):
    with pytest.raises(errors.UnsupportedSourceError):
        load_photo(source)


def test_an_empty_array_is_too_small():
    with pytest.raises(errors.PhotoTooSmallError):
        load_photo(np.zeros((0, 300, 3), np.uint8))


def test_unreadable_paths_and_no_path_in_the_error(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    os.mkfifo(tmp_path / "fifo")
    bad = [tmp_path, tmp_path / "Jane-Doe.jpg", loop, tmp_path / "fifo", "a\0b", "x" * 5000]
    for path in bad:
        with pytest.raises(errors.UnreadableFileError) as caught:
            load_photo(path)
        text = "".join(traceback.format_exception_only(caught.value))
        assert "Jane" not in text
        assert str(tmp_path) not in text
        assert caught.value.__context__ is None


def test_no_permission(monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    # Not by chmod: root, as whom CI runs, may read everything.
    monkeypatch.setattr("skinscan.photo.sources.os.stat", refuse)
    with pytest.raises(errors.UnreadableFileError, match="no permission") as caught:
        load_photo("Jane-Doe.jpg")
    assert "Jane" not in str(caught.value)
    assert caught.value.__context__ is None


# --- orientation -------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(fmt, orientation):
    rgb = picture()
    data = encode(rgb, fmt, exif=exif(orientation=orientation))
    photo = load_photo(data)
    wanted = turned(rgb, orientation)
    assert photo.full_size_px == wanted.shape[1::-1]
    assert photo.rgb.shape == wanted.shape
    assert mean_difference(photo.rgb, wanted) < 1.5
    if fmt in ("PNG", "WEBP"):
        assert np.array_equal(photo.rgb, wanted)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_heif_with_and_without_rotation_in_the_container(orientation):
    rgb = picture()
    with_both = encode(rgb, "HEIF", exif=exif(orientation=orientation))
    assert b"irot" in with_both or b"imir" in with_both
    upright = turned(rgb, orientation)
    assert mean_difference(load_photo(with_both).rgb, upright) < 1.5
    # Renaming the properties leaves EXIF as the only one that tells the orientation.
    bare = with_both.replace(b"irot", b"free").replace(b"imir", b"free")
    assert mean_difference(load_photo(bare).rgb, upright) < 1.5


def test_heif_rotation_wins_over_exif():
    rgb = picture()
    data = encode(rgb, "HEIF", exif=exif(orientation=6))
    assert b"irot" in data
    at = data.index(struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0))
    # EXIF now claims 3; the container still says 6.
    contradicting = data[: at + 8] + b"\3" + data[at + 9 :]
    assert mean_difference(load_photo(contradicting).rgb, turned(rgb, 6)) < 1.5


# --- reduction ---------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("reduction", [2, 4, 8])
def test_coordinates_of_a_reduced_photo(fmt, orientation, reduction):
    # Codes that grow along x (red) and y (green) tell where a pixel came from.
    height, width = 245, 323
    y, x = np.mgrid[0:height, 0:width]
    ramp = np.stack([x * 0.7 + 10, y * 0.9 + 10, np.full_like(x, 90)], axis=-1)
    # Noise, or rounding halves upwards would bias the block means by half a code.
    ramp += np.random.default_rng(1).uniform(-2, 2, ramp.shape)
    rgb = np.clip(np.rint(ramp), 0, 255).astype(np.uint8)
    data = encode(rgb, fmt, exif=exif(orientation=orientation))
    full = load_photo(data)
    small = load_photo(data, reduction=reduction)
    assert small.reduction == reduction
    assert small.full_size_px == full.full_size_px == full.rgb.shape[1::-1]
    assert small.rgb.shape[:2] == tuple(-(-n // reduction) for n in full.rgb.shape[:2])
    ys, xs = np.mgrid[2 : small.rgb.shape[0] - 2, 2 : small.rgb.shape[1] - 2]
    points = np.stack([xs, ys], axis=-1).reshape(-1, 2)
    there = small.to_full_px(points)
    np.testing.assert_allclose(small.from_full_px(there), points, atol=1e-9)
    channels = full.rgb.astype(np.float32)
    values = cv2.remap(
        channels,
        there[:, 0].astype(np.float32),
        there[:, 1].astype(np.float32),
        cv2.INTER_LINEAR,
    ).reshape(-1, 3)
    error = small.rgb[points[:, 1], points[:, 0]] - values
    # A misplaced grid shows as a bias: one full-size pixel is 0.7 to 0.9 codes.
    assert np.abs(error[:, :2].mean(axis=0)).max() < 0.2
    assert np.abs(error[:, :2]).max() < 8


def test_reduction_must_be_one_of_four():
    with pytest.raises(errors.BadOptionError):
        load_photo(picture(), reduction=3)


def test_full_size_coordinates_are_the_identity():
    photo = load_photo(picture())
    assert photo.to_full_px([[1.5, 2]]).tolist() == [[1.5, 2.0]]
    assert photo.to_full_px((0, 0)).shape == (2,)


# --- colour ------------------------------------------------------------------


@pytest.mark.parametrize("version", [2, 4])
@pytest.mark.parametrize("fmt", FORMATS)
def test_display_p3_equals_srgb(fmt, version):
    rgb = picture()
    data = encode(as_p3(rgb), fmt, icc_profile=p3_profile(version))
    plain = encode(rgb, fmt)
    shown = load_photo(data).rgb
    assert mean_difference(as_p3(rgb), rgb) > 3
    reference = load_photo(plain).rgb
    if fmt in ("PNG", "WEBP"):
        assert deltaE_ciede2000(rgb2lab(shown), rgb2lab(reference)).mean() < 0.2
    # JPEG and HEIF round to 8-bit YCC, which alone is 0.3 per pixel and picture: compare
    # means of 8 x 8 px, the finest in which colour is measured.
    tiles = [
        rgb2lab(cv2.resize(a / np.float32(255), (40, 30), interpolation=cv2.INTER_AREA))
        for a in (shown, reference)
    ]
    difference = deltaE_ciede2000(*tiles)
    assert difference.mean() < 0.3
    assert np.quantile(difference, 0.95) < 0.7
    assert np.abs((shown.astype(float) - reference).mean(axis=(0, 1))).max() < 0.1


def test_srgb_profile_changes_nothing():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encode(picture(), "PNG", icc_profile=profile)
    assert np.array_equal(load_photo(data).rgb, picture())


@pytest.mark.parametrize(
    "profile",
    [b"rubbish", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()],
    ids=["rubbish", "lab"],
)
def test_a_profile_that_cannot_be_used_is_an_error(profile):
    with pytest.raises(errors.BadColourModeError):
        load_photo(encode(picture(), "JPEG", icc_profile=profile))


def test_png_code_points():
    p3 = as_p3(picture())
    plain = encode(p3, "PNG")
    for extra, wide in (
        (png_chunk(b"cICP", bytes((12, 13, 0, 1))), True),
        (png_chunk(b"cICP", bytes((1, 13, 0, 1))), False),
        (
            png_chunk(b"gAMA", struct.pack(">I", 45455))
            + png_chunk(
                b"cHRM",
                struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000),
            ),
            True,
        ),
        (png_chunk(b"gAMA", struct.pack(">I", 45455)), False),
    ):
        shown = load_photo(plain[:33] + extra + plain[33:]).rgb
        assert mean_difference(shown, picture() if wide else p3) < 0.7
    hdr = plain[:33] + png_chunk(b"cICP", bytes((9, 16, 0, 1))) + plain[33:]
    with pytest.raises(errors.BadColourModeError):
        load_photo(hdr)


def pil_bytes(image, fmt, **options):
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


def bad_modes():
    image = Image.fromarray(picture())
    half = image.copy()
    half.putalpha(Image.linear_gradient("L").resize(image.size))
    sixteen = (picture().astype(np.uint16) * 257)[..., ::-1]
    return {
        "grey jpeg": pil_bytes(image.convert("L"), "JPEG"),
        "cmyk jpeg": pil_bytes(image.convert("CMYK"), "JPEG"),
        "grey png": pil_bytes(image.convert("L"), "PNG"),
        "grey alpha png": pil_bytes(image.convert("LA"), "PNG"),
        "16-bit grey png": pil_bytes(Image.fromarray(sixteen[..., 0].copy()), "PNG"),
        "16-bit png": cv2.imencode(".png", sixteen)[1].tobytes(),
        "palette png": pil_bytes(image.convert("P"), "PNG"),
        "1-bit png": pil_bytes(image.convert("1"), "PNG"),
        "transparent png": pil_bytes(half, "PNG"),
        "transparent webp": pil_bytes(half, "WEBP"),
        "PIL L": image.convert("L"),
        "PIL P": image.convert("P"),
        "PIL CMYK": image.convert("CMYK"),
        "PIL F": image.convert("F"),
        "PIL transparent": half,
    }


@pytest.mark.parametrize("name", bad_modes())
def test_bad_colour_modes(name):
    with pytest.raises(errors.BadColourModeError):
        load_photo(bad_modes()[name])


@pytest.mark.parametrize("fmt", ["PNG", "WEBP", "HEIF"])
def test_an_opaque_alpha_channel_is_fine(fmt):
    rgba = np.dstack([picture(), np.full((240, 320), 255, np.uint8)])
    assert mean_difference(load_photo(encode(rgba, fmt)).rgb, picture()) < 1.5


# --- metadata ----------------------------------------------------------------

CAPTURE = {
    "make": "Apple",
    "model": "iPhone 15 Pro",
    "software": "17.5.1",
    "taken": "2025:03:04 10:11:12",
    "offset": "+02:00",
    "lens": "iPhone 15 Pro back camera 6.765mm f/1.78",
    "focal": 24,
    "owner": "Jane Doe",
    "gps": "2025:03:04-SECRET-PLACE",
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("fmt", FORMATS)
def test_metadata_is_kept_without_place_and_name(fmt, order):
    photo = load_photo(encode(picture(), fmt, exif=exif(order, **CAPTURE)))
    zone = timezone(timedelta(hours=2))
    assert photo.captured_at == datetime(2025, 3, 4, 10, 11, 12, tzinfo=zone)
    assert photo.captured_at.utcoffset() == timedelta(hours=2)
    assert photo.camera == "Apple iPhone 15 Pro"
    assert photo.lens == CAPTURE["lens"]
    assert photo.focal_length_35mm == 24.0
    assert photo.software == "17.5.1"
    stored = pickle.dumps(photo)
    assert b"SECRET" not in stored
    assert b"Jane" not in stored


def test_metadata_of_a_pil_image():
    data = encode(picture(), "JPEG", exif=exif(**CAPTURE, orientation=6))
    with Image.open(io.BytesIO(data)) as image:  # noqa: TID251
        photo = load_photo(image)
    assert photo.camera == "Apple iPhone 15 Pro"
    assert np.array_equal(photo.rgb, load_photo(data).rgb)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"taken": "2025:03:04 10:11:12"}, datetime(2025, 3, 4, 10, 11, 12)),  # noqa: DTZ001
        (
            {"taken": "2025:03:04 10:11:12", "offset": "nonsense"},
            datetime(2025, 3, 4, 10, 11, 12),  # noqa: DTZ001
        ),
        ({"taken": "0000:00:00 00:00:00"}, None),
        ({"taken": "yesterday"}, None),
        ({}, None),
    ],
)
def test_capture_time(values, wanted):
    photo = load_photo(encode(picture(), "JPEG", exif=exif(make="Canon", **values)))
    assert photo.captured_at == wanted
    assert photo.camera == "Canon"


def test_maker_is_not_repeated():
    photo = load_photo(encode(picture(), "JPEG", exif=exif(make="Canon", model="Canon EOS R5")))
    assert photo.camera == "Canon EOS R5"


@pytest.mark.parametrize("quality", [30, 75, 92])
def test_jpeg_quality(quality):
    assert load_photo(encode(picture(), "JPEG", quality=quality)).jpeg_quality == quality
    assert load_photo(encode(picture(), "PNG")).jpeg_quality is None


@given(st.binary(max_size=120), st.integers(0, 200), st.sampled_from("<>"))
@settings(max_examples=200, deadline=None)
def test_damaged_exif_reads_as_absent_and_never_warns(noise, at, order):
    good = exif(order, **CAPTURE, orientation=3)
    broken = good[: 6 + at] + noise
    data = encode(picture(16, 16), "JPEG", exif=broken)
    assert isinstance(load_photo(data, limits=TINY), Photo)


# --- refusals ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fmt", "size"), [("GIF", 1), ("TIFF", 1), ("BMP", 1), ("PDF", 1), ("JPEG2000", 1), ("PPM", 1)]
)
def test_other_formats_are_named(fmt, size):
    data = pil_bytes(Image.fromarray(picture() * size), fmt)
    with pytest.raises(errors.UnsupportedFormatError, match="JPEG, PNG, WebP or HEIC"):
        load_photo(data)


@pytest.mark.parametrize("fmt", ["PNG", "WEBP"])
def test_animations_are_refused(fmt):
    frames = [Image.fromarray(picture(seed=k)) for k in range(3)]
    data = pil_bytes(frames[0], fmt, save_all=True, append_images=frames[1:], duration=50)
    with pytest.raises(errors.UnsupportedFormatError, match="animated"):
        load_photo(data)


@pytest.mark.parametrize("data", [b"", b"hello" * 100, b"<html></html>", bytes(5000), b"\xff"])
def test_no_picture(data):
    with pytest.raises(errors.NotAnImageError):
        load_photo(data)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(208, 240), (211, 333)])
def test_both_jpeg_decoders_give_the_same_pixels(monkeypatch, subsampling, progressive, size):
    noise = np.random.default_rng(5).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture = Image.fromarray(cv2.GaussianBlur(noise, (0, 0), 1.5))
    data = pil_bytes(picture, "JPEG", quality=92, subsampling=subsampling, progressive=progressive)
    plain = [decoding.decode_cv2(data, open_photo(data)._header, k) for k in (1, 2, 4, 8)]

    def never(*_):
        raise AssertionError("the quick decoder refused a sound file")

    monkeypatch.setattr(decoding, "decode_cv2", never)
    for k, expected in zip((1, 2, 4, 8), plain, strict=True):
        np.testing.assert_array_equal(open_photo(data).decode(reduction=k).rgb, expected)


def test_what_the_quick_jpeg_decoder_refuses_is_judged_by_the_other(monkeypatch):
    data = pil_bytes(Image.fromarray(np.full((240, 208, 3), 90, np.uint8)), "JPEG")
    expected = open_photo(data).decode().rgb

    def refuse(*_, **__):
        raise ValueError("some remark that is no damage")

    monkeypatch.setattr(decoding.simplejpeg, "decode_jpeg", refuse)
    np.testing.assert_array_equal(open_photo(data).decode().rgb, expected)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("progressive", [False, True])
def test_truncation_anywhere_is_found(fmt, progressive):
    options = {"progressive": progressive} if fmt == "JPEG" else {}
    data = encode(picture(), fmt, **options)
    for length in [*range(12, len(data) - 1, max(1, len(data) // 60)), len(data) - 2]:
        with pytest.raises(errors.TruncatedImageError):
            load_photo(data[:length])


@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_a_jpeg_cut_and_closed_is_found_and_nothing_is_printed(reduction, capfd):
    data = encode(picture(), "JPEG")
    with pytest.raises(errors.TruncatedImageError):
        load_photo(data[: len(data) // 2] + b"\xff\xd9", reduction=reduction)
    assert capfd.readouterr() == ("", "")


def test_a_changed_png_is_found():
    data = bytearray(encode(picture(), "PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(errors.TruncatedImageError):
        load_photo(bytes(data))


def test_what_follows_the_picture_is_ignored():
    data = encode(picture(), "JPEG")
    wanted = load_photo(data).rgb
    frames = [Image.fromarray(picture(seed=k)) for k in range(2)]
    mpo = pil_bytes(frames[0], "MPO", save_all=True, append_images=frames[1:], quality=97)
    for trailer in (b"\0" * 100, os.urandom(5000), data, b"SEFT"):
        assert np.array_equal(load_photo(data + trailer).rgb, wanted)
    photo = load_photo(mpo)
    assert photo.format == "JPEG"
    assert mean_difference(photo.rgb, picture(seed=0)) < 3
    png = encode(picture(), "PNG")
    assert np.array_equal(load_photo(png + b"trailer").rgb, picture())


def test_limits():
    data = encode(picture(), "JPEG")
    cases = [
        (PhotoLimits(max_bytes=1000), errors.PhotoTooLargeError),
        (PhotoLimits(max_pixels=320 * 240 - 1), errors.PhotoTooLargeError),
        (PhotoLimits(min_short_side_px=241), errors.PhotoTooSmallError),
        (PhotoLimits(max_aspect=1.3), errors.BadAspectError),
    ]
    for limits, error in cases:
        for source in (data, picture(), Image.fromarray(picture()), io.BytesIO(data)):
            if limits.max_bytes == 1000 and not isinstance(source, bytes | io.BytesIO):
                continue
            with pytest.raises(error):
                open_photo(source, limits=limits)
    exact = PhotoLimits(
        max_bytes=len(data), max_pixels=320 * 240, min_short_side_px=240, max_aspect=4 / 3
    )
    assert load_photo(data, limits=exact).full_size_px == (320, 240)


def test_more_than_pillows_own_limit_is_read_when_asked(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert load_photo(encode(picture(), "PNG")).full_size_px == (320, 240)


@pytest.mark.parametrize("name", ["max_bytes", "max_pixels", "min_short_side_px", "max_aspect"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limits_must_make_sense(name, value):
    with pytest.raises(errors.BadOptionError, match=name):
        PhotoLimits(**{name: value})


def test_a_bomb_is_refused_without_memory():
    script = """
import resource, sys
from skinscan.errors import PhotoTooLargeError
from skinscan.photo import load_photo
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_photo(data)
except PhotoTooLargeError:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    row = zlib.compressobj(9)
    raw = b"".join(row.compress(bytes(3 * 10_000 + 1)) for _ in range(10_000)) + row.flush()
    head = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", raw)
    bomb += png_chunk(b"IEND", b"")
    assert len(bomb) < 400_000
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], input=bomb, capture_output=True, check=True
    )
    assert int(done.stdout) < 20_000
    assert done.stderr == b""


def test_a_profile_bomb_is_refused():
    packed = b"x\0\0" + zlib.compress(bytes(50_000_000), 9)
    plain = encode(picture(), "PNG")
    with pytest.raises(errors.TruncatedImageError):
        load_photo(plain[:33] + png_chunk(b"iCCP", packed) + plain[33:])


def test_a_jpeg_of_endless_scans_is_refused():
    data = encode(picture(), "JPEG", progressive=True)
    at = data.index(b"\xff\xda")
    end = data.index(b"\xff", at + 14)
    while data[end + 1] == 0:
        end = data.index(b"\xff", end + 1)
    with pytest.raises(errors.UnsupportedFormatError, match="scans"):
        load_photo(data[:end] + data[at:end] * 200 + data[end:])


# --- anything else -----------------------------------------------------------

SMALL = {fmt: encode(picture(48, 64), fmt) for fmt in FORMATS}


@given(st.binary(max_size=400), st.sampled_from(["", *FORMATS]))
@settings(max_examples=300, deadline=None)
def test_random_bytes(noise, start):
    data = (SMALL[start][:16] if start else b"") + noise
    with pytest.raises(errors.PhotoError):
        load_photo(data, limits=TINY)


@given(st.data())
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutations_give_a_photo_or_a_photo_error(data):
    fmt = data.draw(st.sampled_from(FORMATS))
    mutant = bytearray(SMALL[fmt])
    # Half of the changes in the header, where they do most.
    place = st.one_of(st.integers(0, len(mutant) - 1), st.integers(0, min(600, len(mutant) - 1)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(place)
        kind = data.draw(st.sampled_from(["set", "delete", "insert", "copy"]))
        if kind == "set":
            mutant[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
        elif kind == "delete":
            del mutant[at : at + data.draw(st.integers(1, 40))]
        elif kind == "insert":
            mutant[at:at] = data.draw(st.binary(min_size=1, max_size=20))
        else:
            mutant[at:at] = mutant[: data.draw(st.integers(1, 60))]
    reduction = data.draw(st.sampled_from([1, 2, 4, 8]))
    try:
        photo = load_photo(bytes(mutant), limits=TINY, reduction=reduction)
    except errors.PhotoError as error:
        assert error.__context__ is None  # noqa: PT017
    else:
        assert photo.rgb.dtype == np.uint8
        assert photo.rgb.shape[2] == 3


# --- standard error ----------------------------------------------------------


def test_text_of_other_threads_is_given_back(capfd):
    data = encode(picture(), "JPEG")
    stop = threading.Event()
    written = 0

    def talk():
        nonlocal written
        while not stop.wait(0.001):
            os.write(2, b"another thread\n")
            written += 1

    thread = threading.Thread(target=talk)
    thread.start()
    for _ in range(50):
        load_photo(data, reduction=2)
    stop.set()
    thread.join()
    assert written > 0
    assert capfd.readouterr().err.count("another thread\n") == written


def test_threads_decode_side_by_side(capfd):
    good = encode(picture(), "JPEG")
    bad = good[: len(good) // 2] + b"\xff\xd9"
    wrong = []

    def work(data, fails):
        for _ in range(20):
            try:
                load_photo(data)
            except errors.TruncatedImageError:
                if not fails:
                    wrong.append("good photo refused")
            else:
                if fails:
                    wrong.append("bad photo accepted")

    threads = [threading.Thread(target=work, args=(d, d is bad)) for d in (good, bad) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert capfd.readouterr().err == ""
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"


def test_captured_stderr_survives_an_error(capfd):
    def fail(text):
        os.write(2, b"inside")
        raise KeyError(text)

    with pytest.raises(KeyError), captured_stderr() as text:
        fail("")
    assert text == [b"inside"]
    os.write(2, b"outside")
    assert capfd.readouterr().err == "outside"
