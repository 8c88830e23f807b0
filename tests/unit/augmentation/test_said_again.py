"""Rows said again by a language model: a real client against a loopback endpoint."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data_contracts.dataset import StageResult
from data_contracts.schemas import CHUNK, EXAMPLE, blank_row, dropped_schema
from data_contracts.validation import schema_failures
from tasks.augmentation.augmenters.back_translation import BackTranslationAugmenter
from tasks.augmentation.augmenters.paraphrase import ParaphraseAugmenter
from tasks.augmentation.config import AugmentationConfig
from tasks.llm.client import ChatClient
from tasks.llm.config import LLMConfig
from tests.endpoint import Endpoint, completion

PASSAGE = "A lost badge costs 25 euro. The badge must be returned to the front desk by 18:00."
ROW = {
    "example_id": "badge", "document_id": "d", "chunk_id": "c", "group_id": "g", "split": "train",
    "question": "What does a lost badge cost?", "answer": "A lost badge costs 25 euro.",
    "language": "en",
}  # fmt: skip
GOOD = {"question": "How much is the cost of a badge that was lost?", "answer": "It costs 25 euro."}


def chunks() -> pa.Table:
    row = blank_row(CHUNK) | {
        "chunk_id": "c", "document_id": "d", "chunk_index": 0, "title": "Badges",
        "heading_path": [], "text": PASSAGE, "start": 0, "end": len(PASSAGE), "n_tokens": 20,
    }  # fmt: skip
    return pa.Table.from_pylist([row], schema=CHUNK)


def config(endpoint: Endpoint, augmenter=None, **options: Any) -> AugmentationConfig:
    llm = LLMConfig(base_url=endpoint.base_url, repairs=0, max_retries=0, max_failures=50)
    settings: dict[str, Any] = {"share": 1.0, "llm": llm} | options
    return AugmentationConfig(augmenters=(augmenter or ParaphraseAugmenter(),), **settings)


@pytest.fixture
def say(augment, table, endpoint: Endpoint, tmp_path: Path):
    """Augment rows with what the endpoint replies; `rows` are one training row at first."""

    def run(reply, rows=(ROW,), augmenter=None, home: Path = tmp_path, **options) -> StageResult:
        endpoint.respond = lambda n, body: completion(
            json.dumps(reply if isinstance(reply, dict) else reply(n, body))
        )
        asked = config(endpoint, augmenter, **options)
        client = ChatClient(asked.llm.base_url, asked.llm, None)
        held_out = {"split": "test", "example_id": "held"}
        examples = table([*rows, held_out])
        return augment(examples, asked, cache=home, chunks=chunks(), complete=client)

    return run


def test_a_paraphrase_that_holds_is_kept_and_linked_to_its_parent(say) -> None:
    result = say(GOOD)
    assert schema_failures(result.kept, EXAMPLE) == []
    *_, new = result.kept.to_pylist()
    assert (new["question"], new["answer"]) == (GOOD["question"], GOOD["answer"])
    assert (new["parent_id"], new["generator"]) == ("badge", "paraphrase")
    assert (new["generator_model"], new["split"], new["group_id"]) == ("gemma3-270m", "train", "g")
    assert new["prompt_sha256"] and new["grounding"] >= 0.75
    assert result.figures["asked"] == result.figures["rows.paraphrase"] == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": "It costs 35 euro."}, "facts_differ"),
        ({"answer": "It does not cost 25 euro."}, "facts_differ"),
        ({"question": "How much is a badge that Rose lost, in cost?"}, "facts_differ"),
        ({"question": "Where is the front desk that takes it back?"}, "other_question"),
        ({"answer": "It costs 25 euro, payable in advance by parents or friends of the loser."},
         "other_length"),
        ({"answer": "It takes 25 euro from every damaged lanyard."}, "ungrounded"),
        ({"question": "Wie viel kostet ein badge, der lost ist, als Gebühr, die cost heißt?",
          "answer": "Der verlorene badge kostet heute genau 25 Euro Gebühr."}, "other_language"),
        ({"question": "What does a lost badge cost us?", "answer": ROW["answer"]}, "near_parent"),
        ({"question": " "}, "invalid_reply"),
        ({"question": ROW["question"].upper()}, "invalid_reply"),
    ],
)  # fmt: skip
def test_what_does_not_say_the_same_is_dropped_with_its_reason(say, change, reason) -> None:
    result = say(GOOD | change)
    (gone,) = result.dropped.to_pylist()
    assert (gone["reason"], gone["parent_id"]) == (reason, "badge")
    assert gone["detail"].endswith((".", "words.")) and result.kept.num_rows == 2
    assert schema_failures(result.dropped, dropped_schema(EXAMPLE)) == []
    assert result.rows_in == result.kept.num_rows + result.dropped.num_rows


def test_a_warm_log_gives_the_same_rows_and_asks_nobody(say, endpoint, tmp_path) -> None:
    first = say(GOOD)
    asked = len(endpoint.requests)
    for partition in tmp_path.rglob("*.arrow"):
        partition.unlink()  # only the log is left
    again = say({"question": "never", "answer": "read"})
    assert again.kept.equals(first.kept) and len(endpoint.requests) == asked == 1


def test_a_lost_reply_is_asked_for_again_by_the_next_run(
    augment, table, endpoint: Endpoint, tmp_path: Path
) -> None:
    other = ROW | {"example_id": "b2", "question": "Which lost thing costs 25 euro?"}
    examples = table([ROW, other, {"split": "test"}])
    again = {
        "question": "For which thing that someone lost are 25 euro taken?",
        "answer": "The lost badge costs 25 euro.",
    }

    def run(lost: bool) -> StageResult:
        def respond(n: int, body: dict[str, Any]):
            second = other["question"] in body["messages"][-1]["content"]
            if second and lost:
                return 400, {}, "{}"
            return completion(json.dumps(GOOD | again if second else GOOD))

        endpoint.respond = respond
        asked = config(endpoint)
        client = ChatClient(asked.llm.base_url, asked.llm, None)
        return augment(examples, asked, cache=tmp_path, chunks=chunks(), complete=client)

    first = run(lost=True)
    assert first.dropped["reason"].to_pylist() == ["no_reply"]
    assert first.figures["rows.paraphrase"] == 1
    second = run(lost=False)
    assert second.figures["rows.paraphrase"] == 2 and second.dropped.num_rows == 0


def test_only_rows_in_reach_are_asked_about_and_no_more_than_allowed(say, endpoint) -> None:
    rows = [
        ROW | {"example_id": f"r{n}", "question": f"What does lost badge number {n} cost?"}
        for n in range(20)
    ]
    llm = LLMConfig(base_url=endpoint.base_url, max_calls=3, repairs=0)
    say(GOOD, rows, llm=llm, share=0.5)
    assert len(endpoint.requests) == 3
    say(GOOD, rows, llm=llm.model_copy(update={"max_calls": None}), share=0.5)
    assert len(endpoint.requests) == 10


def test_kinds_whose_wording_is_the_task_are_not_asked_about(say, endpoint) -> None:
    say(GOOD, [ROW | {"kind": "cloze"}])
    assert endpoint.requests == []


def test_held_out_rows_are_never_sent(say, endpoint) -> None:
    say(GOOD)
    assert all("held" not in json.dumps(body) for body in endpoint.requests)
    (body,) = endpoint.requests
    sent = body["messages"][-1]["content"]
    mark = re.search(r"<question (\w+)>", sent)
    assert mark and ROW["question"] in sent and ROW["answer"] in sent


def test_quotation_marks_do_not_end_the_models_json(say, endpoint) -> None:
    row = ROW | {"question": 'What does a lost badge cost, according to "Badges"?'}
    reply = {"question": "How much is a lost badge’s cost as told by “Badges”?",
             "answer": GOOD["answer"]}  # fmt: skip
    *_, new = say(reply, [row]).kept.to_pylist()
    assert "“Badges”" in endpoint.requests[0]["messages"][-1]["content"]
    assert new["question"] == 'How much is a lost badge’s cost as told by "Badges"?'


def test_back_translation_goes_there_and_comes_back(say, endpoint) -> None:
    there = {"question": "Was kostet ein verlorener Ausweis?", "answer": "25 Euro."}

    def reply(n: int, body: dict[str, Any]) -> dict[str, str]:
        told = body["messages"][0]["content"]
        assert ("into French" in told) == (n == 1) and ("into English" in told) == (n == 2)
        return there if n == 1 else GOOD

    result = say(reply, augmenter=BackTranslationAugmenter(pivot="French"))
    *_, new = result.kept.to_pylist()
    assert (new["generator"], new["question"]) == ("back_translation", GOOD["question"])
    assert there["question"] in endpoint.requests[1]["messages"][-1]["content"]


def test_a_model_is_needed_only_where_one_is_asked(augment, table, endpoint, cache) -> None:
    with pytest.raises(ValueError, match="needs a language model"):
        augment(table([ROW]), config(endpoint), cache=cache)
