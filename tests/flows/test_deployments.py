"""deploy/prefect.yaml and deploy/automations.yaml, read by Prefect's own code."""

import re
from importlib import import_module
from uuid import uuid4

import pytest
import yaml

from flows.automations import AUTOMATIONS, automations
from flows.serve import DEPLOYMENTS, deployments, specifications


@pytest.fixture(scope="module")
def served():
    return {(made.flow_name, made.name): made for made in deployments()}


def test_prefect_deploy_and_temper_up_read_the_same_deployments(served):
    from prefect.cli.deploy._models import PrefectYamlModel

    stated = PrefectYamlModel.model_validate(yaml.safe_load(DEPLOYMENTS.read_text()))
    assert len(served) == len(stated.deployments)  # no two of one flow and name
    assert {made.entrypoint.split("flows/")[-1] for made in served.values()} == {
        each.entrypoint.removeprefix("flows/") for each in stated.deployments
    }
    assert {each.work_pool.name for each in stated.deployments} == {"temper-cpu", "temper-gpu"}


def test_schedules_limits_and_collisions_are_those_of_the_file(served):
    nightly = served["dataset", "nightly"]
    assert nightly.schedules[0].schedule.cron == "0 2 * * *"
    assert nightly.concurrency_options.collision_strategy.value == "CANCEL_NEW"
    assert served["watch", "documents"].schedules[0].schedule.interval.total_seconds() == 900
    changed = served["pipeline", "on-change"]
    assert not changed.schedules
    assert changed.concurrency_options.collision_strategy.value == "ENQUEUE"
    assert all(made.concurrency_limit == 1 for made in served.values())


RUNS = {
    "daily at 02:00 UTC": "0 2 * * *",
    "Sunday at 04:00 UTC": "0 4 * * 0",
    "on the first of the month at 06:00 UTC": "0 6 1 * *",
    "every 15 minutes": 15 * 60,
    "from the form": None,
    "when `watch` saw a change": None,
}
COLLISIONS = {"is cancelled": "CANCEL_NEW", "waits": "ENQUEUE"}


def when(made):
    """Return the cron of a deployment, or its seconds, or None where it has no schedule."""
    if not made.schedules:
        return None
    (stated,) = made.schedules
    cron = getattr(stated.schedule, "cron", None)
    return cron or stated.schedule.interval.total_seconds()


def test_the_documentations_table_is_what_the_file_schedules(served, repository):
    page = (repository / "docs" / "how-to" / "schedule.md").read_text()
    rows = re.findall(r"^\| `(.+) / (.+)` \| (.+) \| (.+) \|$", page, re.MULTILINE)
    told = {(flow, name): (RUNS[runs], COLLISIONS[second]) for flow, name, runs, second in rows}
    assert told == {
        key: (when(made), made.concurrency_options.collision_strategy.value)
        for key, made in served.items()
    }
    changed = {(flow, name) for flow, name, runs, _ in rows if "change" in runs}
    assert changed == {key for key, made in served.items() if made.triggers}


def test_pages_call_the_champions_evaluation_by_its_schedule(served, repository):
    pages = "\n".join(page.read_text() for page in (repository / "docs").rglob("*.md"))
    words = set(re.findall(r"(\w+)\s+evaluation of the champion", pages))
    assert words == {name for flow, name in served if flow == "evaluate champion"}


def test_only_the_watch_is_repeated_by_prefect():
    """It changes nothing but its note; what trains or promotes would do it twice, or fail twice."""
    repeated = set()
    for stated in specifications():
        path, name = stated["entrypoint"].split(":")
        module = import_module(path.removesuffix(".py").replace("/", "."))
        if getattr(module, name).retries:
            repeated.add(name)
    assert repeated == {"watch"}


def test_a_change_of_documents_starts_the_pipeline_with_the_watchs_parameters(served, tmp_path):
    from prefect.server.events.schemas.automations import EventTrigger
    from prefect.server.events.schemas.events import ReceivedEvent

    from flows.config import load_config
    from flows.watch import changed_event
    from tasks.ingestion.changes import DocumentChanges

    changes = DocumentChanges(added=["a.md"], changed=[], removed=[])
    config = load_config("demo", str(tmp_path), [])
    event = changed_event(config, "demo", str(tmp_path), ["training.epochs=2"], changes)
    trigger = served["pipeline", "on-change"].triggers[0]
    server_side = EventTrigger.model_validate(
        trigger.model_dump(include=set(EventTrigger.model_fields))
    )
    received = ReceivedEvent.model_validate(event.model_dump(mode="json"))
    assert server_side.covers(received)
    assert trigger.parameters["profile"] == "{{ event.payload.parameters.profile }}"


def test_every_automation_is_valid_and_waits_for_an_event_that_the_code_emits():
    from tasks.promotion.task import CHAMPION_CHANGED, JUDGED

    block = uuid4()
    made = automations(block)
    assert len(made) == len(yaml.safe_load(AUTOMATIONS.read_text())["automations"])
    assert all(action.block_document_id == block for each in made for action in each.actions)
    expected = {name for each in made for name in each.trigger.expect if name.startswith("temper")}
    assert expected == {CHAMPION_CHANGED, JUDGED["FAIL"], JUDGED["INSUFFICIENT EVIDENCE"]}
