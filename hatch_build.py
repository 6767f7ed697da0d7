"""Compile the loops in `skinscan/native` while skinscan is built or installed.

Where there is no C compiler the wheel is a pure one and skinscan takes its plain ways; with
``SKINSCAN_COMPILED=required`` that is an error, for builds that are handed on.
"""

import os
import platform
import runpy
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# -ffp-contract=off: the same order and rounding of sums everywhere. -fno-math-errno lets roots be
# vectorised; NaN and infinity keep their meaning, so no -ffast-math.
_FLAGS = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall",
          "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")  # fmt: skip
#: Further flags by build; the second only for processors that can have AVX2.
_BUILDS = {"baseline": (), "avx2": ("-mavx2", "-mfma")}


class CompileLoops(BuildHookInterface):  # type: ignore[misc]
    """Compile every C file of `skinscan/native` into one library per build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling gives it
        """Compile, and put the libraries into the wheel."""
        folder = Path(self.root) / "skinscan" / "native"
        required = os.environ.get("SKINSCAN_COMPILED") == "required"
        built = self._compile(folder, required=required)
        if not built:
            return
        build_data["artifacts"] += [f"/skinscan/native/{name}" for name in built]
        build_data["pure_python"] = False
        # No Python in the libraries: one wheel serves every version of it.
        system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{system}"

    def _compile(self, folder: Path, *, required: bool) -> list[str]:
        compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
        if compiler is None or sys.platform == "win32":
            if required:
                raise RuntimeError("no C compiler (cc, gcc or clang) on the PATH")
            self.app.display_warning("No C compiler: skinscan will take its plain, slower ways.")
            return []
        # By its path: what `skinscan` itself needs is not there while it is built.
        agreed = runpy.run_path(str(folder / "sources.py"))
        files = [str(path) for path in agreed["sources"](folder) if path.suffix == ".c"]
        known = f'-DSOURCES="{agreed["digest"](folder)}"'
        built = []
        for build, flags in _BUILDS.items():
            if flags and platform.machine().lower() not in {"x86_64", "amd64"}:
                continue
            name = agreed["library_name"](build)
            # Written beside and renamed: a program that runs keeps the library that it loaded.
            part = folder / f"{name}.{os.getpid()}"
            command = [*compiler.split(), *_FLAGS, *flags, known, "-o", str(part), *files, "-lm"]
            done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - CC is the builder's own
            if done.returncode:
                # All or none, and none from before.
                for path in (part, *folder.glob("loops_*")):
                    path.unlink(missing_ok=True)
                message = f"{' '.join(command)} failed:\n{done.stderr}"
                if required:
                    raise RuntimeError(message)
                self.app.display_warning(message)
                return []
            part.replace(folder / name)
            built.append(name)
        return built
