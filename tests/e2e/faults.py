"""Faults of the machine for a process that is started with them: its clock, its disk.

A small library, compiled when it is first needed, is loaded before the C library's functions.
"""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("faults.c")
_FULL = 248


def machine_with_faults(folder: Path) -> dict[str, str]:
    """Return the environment of a process whose clock and disk can be changed from now on.

    Args:
        folder: Where the library and the state go.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler (cc)")
    library, state = folder / "faults.so", folder / "faults.state"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    state.write_bytes(bytes(8 + _FULL))
    return {"LD_PRELOAD": str(library), "FAULTS": str(state)}


def set_clock(seconds: int) -> None:
    """Let the time of day of this process be so much later, or earlier."""
    _change(0, struct.pack("q", seconds))


def fill_disk(path: str) -> None:
    """Let writes to files whose path holds this fail; with "" there is room again."""
    _change(8, path.encode().ljust(_FULL, b"\0"))


def _change(place: int, value: bytes) -> None:
    with Path(os.environ["FAULTS"]).open("r+b") as state:
        state.seek(place)
        state.write(value)
