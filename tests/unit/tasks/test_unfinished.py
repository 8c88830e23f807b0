"""The endpoint dies during a run and is back for the next: what is missing is asked for then."""

import json
import logging
import re
import threading
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data_contracts.base import digest
from data_contracts.dataset import (
    DatasetRef,
    StageResult,
    content_sha256,
    read_kept,
    read_manifest,
)
from data_contracts.errors import EndpointError
from data_contracts.schemas import EXAMPLE
from data_contracts.validation import ValidationReport, schema_failures
from tasks.augmentation.augment import Materials, augment_examples
from tasks.augmentation.augmenters.paraphrase import ParaphraseAugmenter
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.task import AUGMENTATION
from tasks.generation.generate import generate_examples
from tasks.generation.task import GENERATION
from tasks.judging.config import JudgingConfig
from tasks.judging.judge import judge_examples
from tasks.judging.judges.faithfulness import FaithfulnessJudge
from tasks.judging.task import JUDGING
from tasks.llm.client import ChatClient
from tasks.llm.config import LLMConfig
from tasks.stage import run_stage
from tasks.tracking import RunContext, start_pipeline_run
from tasks.versions.find import list_versions
from tests.endpoint import completion
from tests.loopback import LoopbackHandler, LoopbackServer
from tests.unit.generation.conftest import tables
from tests.unit.generation.test_rounds import DOCUMENTS, wanting

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The specified dataset source:UserWarning"),
]

SENTENCE = re.compile(r"The saw number (\d+) of workshop \d+ is oiled every \d+ weeks by .*?\.")
# Each of a document's five rows is made, judged and said again: so many replies in each stage.
SOURCE = DOCUMENTS[:4]
ROWS = 20
LOST = 3


class Mortal(LoopbackServer):
    """Answers well until it was paid for so many replies; keeps the books by request."""

    def __init__(self) -> None:
        self.way, self.dies_after = "500", -1
        self.paid: Counter[str] = Counter()
        self.lock = threading.Lock()
        super().__init__(_Handler)


class _Handler(LoopbackHandler):
    endpoint: Mortal

    def do_POST(self) -> None:
        body = json.loads(self.body())
        data = completion(json.dumps(_reply(body)))[2].encode()
        with self.endpoint.lock:
            dead = self.endpoint.paid.total() == self.endpoint.dies_after
            if not dead:
                self.endpoint.paid[digest(body["messages"])] += 1
        if not dead:
            self.send(200, data)
        elif self.endpoint.way == "500":
            self.send(500, b'{"error": {"message": "gone"}}')
        else:
            self.send(200, data, cut=0)


def _reply(body: dict[str, Any]) -> dict[str, str]:
    found = SENTENCE.search(body["messages"][-1]["content"])
    assert found
    sentence, saw = found.group(), found[1]
    wanted = body["response_format"]["json_schema"]["schema"]["properties"]
    replies = {
        "evidence": sentence,
        "reason": "So it is.",
        "verdict": "yes",
        "question": f"How often is the saw number {saw} oiled?",
        "answer": sentence,
    }
    if "evidence" not in wanted:
        replies["question"] = f"At what interval does the saw with number {saw} get its oil?"
    return {name: replies[name] for name in wanted}


@pytest.fixture(scope="module", autouse=True)
def columns_alone():
    """Check columns and counts, without the rules: two dozen datasets would take half a minute."""

    def check(rows: pa.Table, schema: pa.Schema, suite: str, docs: Path) -> ValidationReport:
        return ValidationReport(0, tuple(schema_failures(rows, schema)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.stage.validate", check)
        yield


@pytest.fixture(scope="module")
def tracking(tmp_path_factory) -> RunContext:
    home = tmp_path_factory.mktemp("tracking")
    return start_pipeline_run(home, f"sqlite:///{home / 'm.db'}", "test", "run", {})


@pytest.fixture
def context(tracking, tmp_path) -> RunContext:
    return tracking.model_copy(update={"home": tmp_path})


@pytest.fixture
def server():
    running = Mortal()
    yield running
    running.close()


class Run:
    """A run of three stages that ask the endpoint; without those that follow a broken one."""

    def __init__(self, server: Mortal, context: RunContext) -> None:
        self.server, self.context, self.refs = server, context, {}
        self.llm = LLMConfig(
            base_url="http://127.0.0.1:1/v1", model="m", max_calls=None, max_failures=LOST + 2,
            max_retries=0, repairs=0,
        )  # fmt: skip
        with suppress(EndpointError):
            made = self.stage(GENERATION, self.generated, {"chunks": "a"})
            judged = self.stage(JUDGING, partial(self.judged, made), {"examples": made})
            self.stage(AUGMENTATION, partial(self.said_again, judged), {"examples": judged})

    def stage(self, stage, compute, parents) -> DatasetRef:
        names = {role: getattr(ref, "fingerprint", ref) for role, ref in parents.items()}
        config = wanting(None, llm=self.llm.model_dump())
        ref = run_stage(stage, self.context, config, names, compute)
        self.refs[stage.name] = ref
        return ref

    def client(self) -> ChatClient:
        return ChatClient(self.server.base_url, self.llm, None)

    def generated(self) -> StageResult:
        config = wanting(None, llm=self.llm.model_dump())
        cache = self.context.home / "cache" / "generation"
        return generate_examples(*tables(*SOURCE), config, self.client(), cache)

    def judged(self, made: DatasetRef) -> StageResult:
        config = JudgingConfig(judges=(FaithfulnessJudge(),), llm=self.llm)
        cache = self.context.home / "cache" / "judging"
        chunks = tables(*SOURCE)[0]
        return judge_examples(read_kept(made), chunks, config, self.client(), cache, cache)

    def said_again(self, judged: DatasetRef) -> StageResult:
        config = AugmentationConfig(augmenters=(ParaphraseAugmenter(),), share=1.0, llm=self.llm)
        cache = self.context.home / "cache" / "augmentation"
        materials = Materials(cache, tables(*SOURCE)[0], self.client())
        return augment_examples(divided(read_kept(judged)), config, materials)

    def contents(self) -> dict[str, str]:
        return {name: content_sha256(read_kept(ref)) for name, ref in self.refs.items()}

    def unanswered(self) -> dict[str, int]:
        return {name: read_manifest(Path(ref.folder)).unanswered for name, ref in self.refs.items()}


def divided(rows: pa.Table) -> pa.Table:
    """Deal out all rows for training: the documents are too alike for any to be held out."""
    cells = rows.to_pylist()
    for row in cells:
        row["group_id"] = row["document_id"]
        row["split"] = "train"
    return pa.Table.from_pylist(cells, EXAMPLE)


@pytest.fixture(scope="module")
def undisturbed(tracking, tmp_path_factory) -> dict[str, str]:
    running = Mortal()
    run = Run(running, tracking.model_copy(update={"home": tmp_path_factory.mktemp("whole")}))
    running.close()
    assert [ref.rows for ref in run.refs.values()] == [ROWS, ROWS, 2 * ROWS]
    assert set(run.unanswered().values()) == {0}
    assert set(running.paid.values()) == {1}
    return run.contents()


# In which stage the endpoint dies, by the replies that were paid for until then.
@pytest.mark.parametrize(
    ("stage", "dies_after"),
    [
        ("generation", ROWS - LOST),
        ("judging", 2 * ROWS - LOST),
        ("augmentation", 3 * ROWS - LOST),
    ],
)
def test_after_an_outage_only_what_is_missing_is_asked_and_all_is_as_if_there_had_been_none(
    stage, dies_after, server, context, undisturbed, caplog
) -> None:
    server.dies_after = dies_after
    first = Run(server, context)
    assert first.unanswered()[stage] == LOST
    assert f"{stage}: {LOST} requests to the language model got no reply" in caplog.text
    assert server.paid.total() == dies_after

    server.dies_after = -1
    second = Run(server, context)
    assert second.contents() == undisturbed
    assert set(second.unanswered().values()) == {0}
    assert set(server.paid.values()) == {1}  # no reply was paid for twice
    assert server.paid.total() == 3 * ROWS
    third = Run(server, context)
    assert third.refs == second.refs
    assert server.paid.total() == 3 * ROWS


# Errors below `llm.max_failures` are lost replies; where nobody answers at all, the stage fails.
@pytest.mark.parametrize("way", ["500", "cut"])
def test_while_the_endpoint_is_dead_every_run_ends_alike_and_says_so(
    way, server, context, caplog
) -> None:
    server.way, server.dies_after = way, 3 * ROWS - LOST
    first = Run(server, context)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        again = Run(server, context)
    assert again.refs == first.refs
    assert again.unanswered() == {"generation": 0, "judging": 0, "augmentation": LOST}
    assert f"augmentation: {LOST} requests to the language model got no reply" in caplog.text
    assert ("augmentation: it cannot be finished now" in caplog.text) == (way == "cut")
    assert server.paid.total() == server.dies_after


def test_an_endpoint_that_never_answered_still_ends_the_run(server, context) -> None:
    server.dies_after = 0
    assert Run(server, context).refs == {}
    assert list_versions(context.home) == []
