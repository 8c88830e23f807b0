"""One set of running services for all tests of this folder."""

import pytest

from flows.orphans import end_with_this_process
from tests.flows.conftest import tiny_profile  # noqa: F401 - a fixture
from tests.proxy import Proxy, caddy
from tests.stack import Stack, missing, wait_until


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    lacking = missing()
    if lacking:
        pytest.skip(lacking)
    end_with_this_process()  # whatever ends the tests ends the services
    running = Stack(tmp_path_factory.mktemp("services"))
    try:
        running.start_all()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def piped(stack, tiny_profile):  # noqa: F811
    """The whole pipeline, started through Prefect's API; every service goes away as it trains."""
    run = stack.start_run("pipeline/by-hand", {"profile": str(tiny_profile)})
    wait_until(lambda: list(stack.home.glob("models/tuned/*.unfinished")))
    stack.restart_all()
    state = stack.end_of(run)
    assert state["type"] == "COMPLETED", (state["message"], stack.log("temper-gpu")[-3000:])
    return run


@pytest.fixture
def proxy(stack, tmp_path):
    program = caddy()
    if program is None:
        pytest.skip("needs Caddy: pip install '.[services]', or the system's package")
    prefect, mlflow = (f"127.0.0.1:{stack.ports[name]}" for name in ("prefect", "mlflow"))
    running = Proxy(program, tmp_path, prefect=prefect, mlflow=mlflow)
    yield running
    running.close()
