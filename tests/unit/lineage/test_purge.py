import os

from tasks.forgotten import NOTHING_FORGOTTEN, forgotten_path, write_forgotten
from tasks.lineage.purge import earlier_memos, remove_partitions
from tasks.memo import Memo


def keep(home, stage):
    with Memo(home / "cache" / stage, "basis") as memo:
        memo.put("key", b"value")
    return memo.path


def test_memos_of_all_stages_go_and_those_of_later_runs_are_no_trace(tmp_path):
    before = [keep(tmp_path, stage) for stage in ("audit", "curation")]
    assert list(earlier_memos(tmp_path)) == []  # nothing is forgotten yet
    noted = forgotten_path(tmp_path, "demo")
    write_forgotten(noted, NOTHING_FORGOTTEN)
    later = noted.stat().st_mtime_ns + 1_000_000
    os.utime(noted, ns=(later, later))
    assert list(earlier_memos(tmp_path)) == before

    remove_partitions(tmp_path, NOTHING_FORGOTTEN)

    assert not any(path.exists() for path in before)
    path = keep(tmp_path, "audit")
    os.utime(path, ns=(later + 1, later + 1))
    assert list(earlier_memos(tmp_path)) == []
