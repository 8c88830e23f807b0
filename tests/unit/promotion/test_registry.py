"""The code that goes into the registry with a model."""

import subprocess
import sys
from pathlib import Path

import tasks.promotion
from tasks.promotion.registry import CODE_FILE, pack_code
from tasks.training.method import METHODS

SERVED = Path(tasks.promotion.__file__).with_name("served_model.py")

# Without the environment's own Temper: only what lies beside the file is there.
LOAD = """
import runpy, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
sys.path[:] = [place for place in sys.path if "site-packages" in place or "python3" in place]
runpy.run_path("served_model.py")
from tasks.training.method import METHODS
print(*METHODS.names())
of_temper = [name for name in sys.modules if name.split(".")[0] in ("tasks", "data_contracts")]
print(*{sys.modules[name].__file__.partition(".zip")[0] for name in of_temper})
"""


def test_the_same_code_gives_the_same_bytes(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert pack_code(first).read_bytes() == pack_code(second).read_bytes()


def test_the_served_model_needs_nothing_but_the_file_beside_it(tmp_path):
    (tmp_path / "served_model.py").write_text(SERVED.read_text())
    (tmp_path / "code").mkdir()
    packed = pack_code(tmp_path / "code")
    assert packed.name == CODE_FILE
    ran = subprocess.run(
        [sys.executable, "-I", "-c", LOAD], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    methods, places = ran.stdout.splitlines()[-2:]
    assert methods.split() == METHODS.names()
    assert places == "code/temper"
