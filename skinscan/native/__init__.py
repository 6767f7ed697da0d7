"""Loops in C for what takes the most time, and how they are found.

`hatch_build.py` compiles the C files beside this one where the machine that builds skinscan has a
C compiler. Each caller keeps its plain way in numpy and OpenCV, which gives the same numbers within
rounding and is taken where nothing was compiled; ``skinscan --version`` says which one is. Tests
hold the two against each other.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from skinscan.native.sources import AVX2, BASELINE, digest, library_name

#: Set to 0 to take the plain ways, to `BASELINE` to take what any processor can: for comparisons,
#: and should a compiled loop be suspected.
SWITCH: Final = "SKINSCAN_COMPILED"
#: Kinds of argument. An array may be a window of a larger one: its row stride in items is passed
#: beside it (`stride`), and within a row items follow each other.
INT: Final = ctypes.c_int
INT64: Final = ctypes.c_int64
DOUBLE: Final = ctypes.c_double
FLOAT: Final = ctypes.c_float


_FIRST_BYTE = ctypes.c_char * 1


class _ArrayOf:
    """Array of one dtype, given as the place of its first item.

    Quicker than `numpy.ctypeslib.ndpointer`, which small arrays feel.
    """

    def __init__(self, dtype: type[np.generic]) -> None:
        self._dtype = np.dtype(dtype)

    def from_param(self, array: NDArray[Any]) -> ctypes.Array[ctypes.c_char] | ctypes.c_void_p:
        """Check an argument, as ctypes asks for it."""
        if not isinstance(array, np.ndarray) or array.dtype != self._dtype:
            raise TypeError(f"an array of {self._dtype} is wanted")
        try:
            return _FIRST_BYTE.from_buffer(array)  # type: ignore[arg-type] # typeshed: from 3.12 on
        except (TypeError, ValueError):
            # Empty, not to be written to, or a window of a larger one.
            return ctypes.c_void_p(array.__array_interface__["data"][0])


F32 = _ArrayOf(np.float32)
F64 = _ArrayOf(np.float64)
U8 = _ArrayOf(np.uint8)
U32 = _ArrayOf(np.uint32)
BOOL = _ArrayOf(np.bool_)
I32 = _ArrayOf(np.int32)
I64 = _ArrayOf(np.int64)


def _load() -> tuple[ctypes.CDLL | None, str]:
    """Return the library, or nothing, and what ``skinscan --version`` says about it."""
    wanted = os.environ.get(SWITCH)
    if wanted == "0":
        return None, f"off ({SWITCH}=0)"
    folder = Path(__file__).parent
    if not (folder / library_name(BASELINE)).exists():
        return None, "none (skinscan was installed without a working C compiler)"
    try:
        library = ctypes.CDLL(str(folder / library_name(BASELINE)))
        library.sources_digest.restype = ctypes.c_char_p
        if library.sources_digest() != digest(folder).encode():
            return None, "none (compiled from other sources: install skinscan again)"
        faster = folder / library_name(AVX2)
        if wanted != BASELINE and library.processor_has_avx2() and faster.exists():
            return ctypes.CDLL(str(faster)), AVX2
    except (OSError, AttributeError):
        # As when a folder was copied from another machine.
        return None, "none (compiled for another kind of machine: install skinscan again)"
    return library, BASELINE


_LIBRARY, STATE = _load()


def kernel(name: str, *arguments: Any) -> Callable[..., None] | None:  # noqa: ANN401 - ctypes' own
    """Find a loop by its name in C.

    Parameters
    ----------
    name : str
    arguments
        Kind of each argument: `INT`, `DOUBLE`, `FLOAT`, or an array such as `F32`.

    Returns
    -------
    callable or None
        None where nothing was compiled: take the plain way. Arrays of another dtype raise
        ``ctypes.ArgumentError``; sizes are the caller's to get right.
    """
    if _LIBRARY is None:
        return None
    function = _LIBRARY[name]
    function.argtypes = arguments
    function.restype = None
    called: Callable[..., None] = function
    return called


def stride(array: NDArray[Any]) -> int:
    """Items from one row to the next of an array whose rows are contiguous."""
    return int(array.strides[0] // array.itemsize)
