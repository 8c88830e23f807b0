"""Puts pools, deployments and automations on a server with workers: `python -m flows.register`.

It reads `deploy/prefect.yaml`, as `prefect deploy --all` does. That command, of Prefect 3.8.8 with
the pinned FastAPI, registers the first deployment and then ends with status 422: its client sends
null as a limit, and its server wants a number.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.automations import register_automations
from flows.environment import log_to_terminal, prepare_environment
from flows.serve import DEPLOYMENTS, deployment, pull_folder, specifications
from tasks.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

# Runs at a time: one model on the GPU; data stages may share the processors.
POOLS = {"temper-cpu": 2, "temper-gpu": 1}

TEMPLATES = DEPLOYMENTS.parent / "kubernetes"


def register(pool_type: str) -> None:
    """Make pools, deployments and automations as the files say, in place of older ones.

    Args:
        pool_type: The type of worker: `process` or `kubernetes`.
    """
    from prefect.client.orchestration import get_client
    from prefect.runner.storage import LocalStorage

    with get_client(sync_client=True) as client:
        for name, limit in POOLS.items():
            _make_pool(client, name, pool_type, limit)
    for stated in specifications():
        made = deployment(stated)
        made.storage = LocalStorage(path=pull_folder())
        made.apply(work_pool_name=stated["work_pool"]["name"])
    register_automations()


def _make_pool(client: "SyncPrefectClient", name: str, pool_type: str, limit: int) -> None:
    from prefect.client.schemas.actions import WorkPoolCreate

    template = _template(TEMPLATES / f"job-template-{name}.json") if pool_type != "process" else {}
    pool = WorkPoolCreate(
        name=name, type=pool_type, base_job_template=template, concurrency_limit=limit
    )
    client.create_work_pool(pool, overwrite=True)


def _template(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    prepare_environment(Settings())
    log_to_terminal()
    register(os.environ.get("TEMPER_WORK_POOL_TYPE", "process"))
