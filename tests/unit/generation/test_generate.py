"""The stage's pure function: accounting, determinism, limits, resume."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from data_contracts.dataset import content_sha256, count_reasons
from data_contracts.errors import EndpointError, TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import schema_failures, validate
from tasks.generation.config import GenerationConfig
from tasks.generation.document_rows import DocumentRows
from tasks.generation.generate import generate_examples
from tasks.generation.generators.definition import DefinitionGenerator
from tasks.generation.generators.fact import FactGenerator
from tasks.generation.generators.single_fact import SingleFactGenerator
from tasks.llm.client import Complete, Request
from tasks.llm.config import LLMConfig
from tasks.llm.response_log import Completion
from tests.unit.generation.conftest import tables

HARBOUR = (
    "Harbour",
    [
        (["Windows"], "A berth window is the period in which a ship may use a berth."),
        (["Batteries"], "A battery lasts ten hours. A full charge takes three hours."),
        (["Windows"], "A berth window is the period in which a ship may use a berth."),
    ],
)
LEAVE = (
    "Leave",
    [
        (["Annual leave"], "Every full-time employee has 28 days of annual leave per year."),
        (["Buying"], "You can buy up to 4 additional days a year."),
    ],
)
RULES = GenerationConfig(generators=(DefinitionGenerator(), FactGenerator()))


def test_rows_are_valid_and_every_candidate_is_accounted_for(tmp_path: Path) -> None:
    result = generate_examples(*tables(HARBOUR, LEAVE), RULES, None, tmp_path)
    assert validate(result.kept, EXAMPLE, "generation").success
    assert schema_failures(result.dropped, dropped_schema(EXAMPLE)) == []
    assert result.rows_in == result.kept.num_rows + result.dropped.num_rows
    assert count_reasons(result.dropped) == {"duplicate": 1}
    assert result.figures["rows.fact"] == 4
    kept_ids = result.kept.column("example_id").to_pylist()
    assert result.dropped.column("duplicate_of").to_pylist()[0] in kept_ids


def test_the_evidence_span_finds_the_sentence_in_the_document(tmp_path: Path) -> None:
    chunks, documents = tables(HARBOUR, LEAVE)
    texts = dict(
        zip(documents["document_id"].to_pylist(), documents["text"].to_pylist(), strict=True)
    )
    for row in generate_examples(chunks, documents, RULES, None, tmp_path).kept.to_pylist():
        span = texts[row["document_id"]][row["evidence_start"] : row["evidence_end"]]
        assert span == row["answer"]
        assert row["context"].endswith(span) or span in row["context"]
        assert row["grounding"] == 1.0


def test_without_context_no_passage_is_given(tmp_path: Path) -> None:
    config = RULES.model_copy(update={"with_context": False})
    result = generate_examples(*tables(LEAVE), config, None, tmp_path)
    assert result.kept.column("context").null_count == result.kept.num_rows


def test_the_result_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    chunks, documents = tables(HARBOUR, LEAVE)
    first = generate_examples(chunks, documents, RULES, None, tmp_path / "a")
    shuffled = chunks.take(pa.array(range(chunks.num_rows)[::-1]))
    second = generate_examples(
        shuffled, documents.take(pa.array([1, 0])), RULES, None, tmp_path / "b"
    )
    assert content_sha256(first.kept) == content_sha256(second.kept)


def test_a_changed_document_leaves_the_others_partitions_alone(tmp_path: Path) -> None:
    generate_examples(*tables(HARBOUR, LEAVE), RULES, None, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.arrow")}
    changed = ("Leave", [(["Annual leave"], "Every employee has 30 days of annual leave.")])
    generate_examples(*tables(HARBOUR, changed), RULES, None, tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.arrow")}
    assert len(before) == 2
    assert len(after) == 3
    assert before.items() <= after.items()


def test_after_an_edit_the_rows_are_those_of_a_fresh_start(tmp_path: Path, monkeypatch) -> None:
    edited = (LEAVE[0], [*LEAVE[1], (["Sick leave"], "You can take up to 9 days of sick leave.")])
    generate_examples(*tables(HARBOUR, LEAVE), RULES, None, tmp_path / "a")
    made = []
    make = DocumentRows.make
    monkeypatch.setattr(DocumentRows, "make", lambda *given: made.append(1) or make(*given))
    found = generate_examples(*tables(HARBOUR, edited), RULES, None, tmp_path / "a")
    assert len(made) == 1
    fresh = generate_examples(*tables(HARBOUR, edited), RULES, None, tmp_path / "b")
    assert found.kept.equals(fresh.kept)
    assert found.dropped.equals(fresh.dropped)
    assert found.figures == fresh.figures


def test_a_limit_keeps_a_mix_of_kinds_and_says_what_it_dropped(tmp_path: Path) -> None:
    config = RULES.model_copy(update={"max_rows_per_document": 2})
    result = generate_examples(*tables(HARBOUR), config, None, tmp_path)
    assert sorted(result.kept.column("generator").to_pylist()) == ["definition", "fact"]
    assert count_reasons(result.dropped)["over_limit"] == 1


def test_no_row_is_an_error_that_says_why(tmp_path: Path) -> None:
    empty = ("Empty", [(["Nothing"], "Hello there, and welcome.")])
    with pytest.raises(TooFewRows, match="kept no row from 1 documents.*add generators"):
        generate_examples(*tables(empty), RULES, None, tmp_path)


class Model:
    """A language model that quotes the passage's first sentence, and counts its calls."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.calls: list[str] = []
        self.fail_after = fail_after

    def __call__(self, request: Request) -> Completion:
        if self.fail_after is not None and len(self.calls) >= self.fail_after:
            raise EndpointError("The endpoint went away.")
        passage = request.messages[3]["content"].split("\n\n")[1].split("\n</passage")[0]
        self.calls.append(passage)
        sentence = passage.split(". ")[0].rstrip(".") + "."
        subject = sentence.split()[1]
        reply = {
            "evidence": sentence,
            "question": f"What does the page say about a {subject}, and for whom is the {subject}?",
            "answer": sentence,
        }
        text = json.dumps(reply)
        return Completion(
            text=text, finish_reason="stop", prompt_tokens=50, completion_tokens=20, seconds=0.5
        )


def asking(**llm: object) -> GenerationConfig:
    options = LLMConfig.model_validate({"concurrency": 2, **llm})
    return GenerationConfig(generators=(SingleFactGenerator(fewest_words=5),), llm=options)


def run(config: GenerationConfig, model: Complete, cache: Path) -> tuple[str, dict[str, float]]:
    result = generate_examples(*tables(HARBOUR, LEAVE), config, model, cache)
    return content_sha256(result.kept), dict(result.figures)


def test_a_killed_run_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    whole = Model()
    expected, figures = run(asking(), whole, tmp_path / "whole")
    assert figures["llm_calls"] == len(whole.calls) == 4  # five chunks, two of them equal
    assert figures["prompt_tokens"] == 200
    assert figures["tokens_per_second"] == 40
    broken = Model(fail_after=2)
    with pytest.raises(EndpointError):
        run(asking(concurrency=1), broken, tmp_path / "killed")
    resumed = Model()
    content, figures = run(asking(), resumed, tmp_path / "killed")
    assert content == expected
    assert figures["llm_cached"] == 2
    assert sorted(broken.calls + resumed.calls) == sorted(whole.calls)


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    first, _ = run(asking(), Model(), tmp_path)
    silent = Model(fail_after=0)
    second, figures = run(asking(), silent, tmp_path)
    assert (second, figures["llm_calls"], figures["llm_cached"]) == (first, 0, 4)


def test_the_number_of_calls_is_bounded(tmp_path: Path) -> None:
    model = Model()
    run(asking(max_calls=2), model, tmp_path)
    assert len(model.calls) == 2


def test_an_unusable_reply_is_a_dropped_row(tmp_path: Path) -> None:
    def useless(request: Request) -> Completion:
        if "battery" in request.messages[3]["content"]:
            return Completion(
                text="no", finish_reason="stop", prompt_tokens=1, completion_tokens=1, seconds=0.1
            )
        return Model()(request)

    result = generate_examples(*tables(HARBOUR), asking(), useless, tmp_path)
    (row,) = [r for r in result.dropped.to_pylist() if r["reason"] == "invalid_reply"]
    assert row["question"] is None
    assert "no JSON object" in row["detail"]
    assert row["prompt_sha256"]
    assert row["generator_model"] == "gemma3-270m"
