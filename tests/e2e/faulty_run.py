"""Whole runs on a machine whose disk is full here and there, and whose clock jumps.

Started by test_machine_faults.py with the library of `tests.e2e.faults`: `faulty_run.py PROFILE
FOLDER`. It prints what came of it as JSON.
"""

import itertools
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.faults import fill_disk, set_clock

# Where a whole run writes, in its order: every stage, its caches, and the two databases.
PLACES = (
    "cache/ingestion/", "datasets/ingestion/", "datasets/chunking/", "cache/generation/",
    "datasets/generation/", "datasets/judging/", "datasets/curation/", "datasets/selection/",
    "datasets/splitting/", "splits/", "datasets/augmentation/", "datasets/audit/",
    "models/tuned/", "datasets/evaluation/", "datasets/examination/", "datasets/memorisation/",
    "reports/", "mlartifacts/", "mlflow.db",
)  # fmt: skip
DAY = 24 * 3600
JUMPS = (0, 400 * DAY, -DAY, 3600, -400 * DAY, -7, DAY)


def main(profile: str, folder: Path) -> None:
    """Run undisturbed; with a disk that is full in one place after the other; with jumps."""
    from flows.environment import prepare_environment
    from tasks.settings import Settings

    _live_in(folder / "whole")
    prepare_environment(Settings())
    found: dict[str, Any] = {"whole": _ended(profile)}
    _live_in(folder / "full")
    found["full"] = [_refused(profile, folder / "full", place) for place in PLACES]
    found["after full"] = _ended(profile)
    _live_in(folder / "jumps")
    with _jumping_clock():
        found["jumps"], found["jumps again"] = _ended(profile), _ended(profile)
    found["made again"] = _made_in(found["jumps again"])
    print(json.dumps(found))  # noqa: T201 - what the test reads


def _live_in(home: Path) -> None:
    os.environ["TEMPER_HOME"] = str(home)
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # MLflow notes there which database it uses


def _ended(profile: str) -> dict[str, Any]:
    from flows.pipeline import fine_tuning_pipeline

    result = fine_tuning_pipeline(profile)
    weights = result.model_folder / "weights" / "adapter_model.safetensors"
    return result.model_dump(mode="json") | {"weights": weights.read_bytes().hex()}


def _made_in(result: dict[str, Any]) -> list[str]:
    """Return the stages that a run did not find done."""
    import mlflow

    mlflow.set_tracking_uri(result["tracking_uri"])
    stages = mlflow.search_runs(
        search_all_experiments=True,
        filter_string=f"tags.`mlflow.parentRunId` = '{result['mlflow_run_id']}'",
        output_format="list",
    )
    return [x.info.run_name for x in stages if x.data.tags.get("temper.reused") == "false"]


def _refused(profile: str, home: Path, place: str) -> dict[str, Any]:
    """Run with a disk that is full in a place; return what was said, and what was left."""
    from data_contracts.errors import StorageError
    from flows.cli import disk_is_full

    fill_disk(f"{home}/{place}")
    said, clear = "", False
    try:
        _ended(profile)
    except Exception as error:  # noqa: BLE001 - what is raised is what is looked at
        said, clear = f"{type(error).__name__}: {error}"[:500], False
        clear = isinstance(error, StorageError) or disk_is_full(error)
    finally:
        fill_disk("")
    partial = [p for p in home.rglob("*") if p.name.endswith(".partial")]
    left = [str(p) for p in [*partial, *home.glob("datasets/*/.*"), *home.glob("splits/.*")]]
    return {"place": place, "said": said, "clear": clear, "left": left}


@contextmanager
def _jumping_clock() -> Iterator[None]:
    """Let the time of day jump several times a second."""
    enough = threading.Event()

    def jump() -> None:
        for seconds in itertools.cycle(JUMPS):
            set_clock(seconds)
            if enough.wait(0.3):
                break
        set_clock(0)

    thread = threading.Thread(target=jump)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
