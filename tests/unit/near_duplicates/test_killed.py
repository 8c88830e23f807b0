"""The search killed without warning, as the machine's lack of memory or a scheduler does it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.unit.near_duplicates.test_find import CONFIG, corpus, dropped, write

# Small chunks and read rows, so that the work has many steps between which it may be killed.
SEARCH = f"""
import sys
from pathlib import Path
from tasks.near_duplicates import find, reading
from tasks.near_duplicates.config import NearDuplicatesConfig

find.LARGEST_CHUNK, reading.ROWS = 2_000, 10
config = NearDuplicatesConfig.model_validate_json('''{CONFIG.model_dump_json()}''')
files = reading.document_files([Path(sys.argv[1])])
print(find.find_near_duplicates(files, Path(sys.argv[2]), config).path)
"""


def files_of(work: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(work))  # what vanishes meanwhile is no error


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_search_goes_on_and_finds_the_same(tmp_path: Path, workers: int) -> None:
    rows = corpus(11, 150)
    expected = dropped(tmp_path / "whole", [rows], CONFIG)
    documents, work = write(tmp_path / "rows.parquet", rows), tmp_path / "work"
    search = SEARCH.replace('"workers":1', f'"workers":{workers}')
    assert f'"workers":{workers}' in search
    command = [sys.executable, "-c", search, str(documents), str(work)]
    for more in (2, 20, 40):  # files further, then killed
        wanted = files_of(work) + more
        running = subprocess.Popen(command, process_group=0)
        while running.poll() is None and files_of(work) < wanted:
            time.sleep(0.001)
        os.killpg(running.pid, signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL  # it had not ended by itself
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert pq.read_table(found.strip()).to_pylist() == expected
