"""A whole run with planted secrets, meant to be started where there is no way out.

Started by test_strangers.py, in a process of its own: `planted_run.py PROFILE FOLDER`. The endpoint
listens on an address that is not loopback's, so that whoever watches can tell the two apart.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.endpoint import Endpoint, Reply, completion

ENDPOINT_HOST = "10.77.0.1"
BLOCK = "planted"


def answer(number: int, body: dict[str, Any]) -> Reply:
    """Quote a fact of one document; what other passages are asked for does not hold it."""
    evidence = "The tide bell costs 25 euro"
    reply = {
        "evidence": evidence,
        "question": "How much does the tide bell cost at Pilot House?",
        "answer": f"{evidence}.",
    }
    return completion(json.dumps(reply))


def main(profile: Path, folder: Path) -> None:
    """Run the profile against a recording endpoint, its key in a Prefect Secret block."""
    from flows.environment import prepare_environment
    from tasks.settings import Settings

    prepare_environment(Settings())
    from prefect.blocks.system import Secret

    Secret(value=os.environ.pop("PLANTED_BLOCK")).save(BLOCK)  # type: ignore[unused-coroutine]
    endpoint = Endpoint(ENDPOINT_HOST)
    endpoint.respond = answer
    (folder / "address").write_text(endpoint.base_url)
    sys.argv = [
        *("temper", "run", str(profile), "--json"),
        *("--set", f"generation.llm.base_url={endpoint.base_url}"),
    ]
    from flows.cli import main as temper

    try:
        temper()
    finally:
        said = {"requests": endpoint.requests, "headers": endpoint.headers}
        (folder / "requests.json").write_text(json.dumps(said))
        endpoint.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
