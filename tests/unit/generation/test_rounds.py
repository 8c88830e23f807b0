"""Rows wanted: asked for in rounds, counted, or their lack explained."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from data_contracts.dataset import content_sha256, count_reasons
from data_contracts.errors import ConfigError, EndpointError, TemperError, UnknownName
from data_contracts.schemas import CHUNK
from tasks.generation.config import GenerationConfig
from tasks.generation.generate import generate_examples
from tasks.llm.client import Request
from tasks.llm.response_log import Completion
from tests.unit.generation.conftest import tables

DOCUMENTS = [
    (
        f"Rules of workshop {number}",
        [([f"Tool {n}"], sentence) for n, sentence in enumerate(sentences)],
    )
    for number in range(12)
    for sentences in [
        [
            f"The saw number {number * 10 + n} of workshop {number} is oiled every {n + 2} weeks "
            "by its keeper."
            for n in range(5)
        ]
    ]
]


class Model:
    """Answers well about a share of the passages, and with a useless reply about the others."""

    def __init__(self, share: float, fail_after: int | None = None) -> None:
        self.share, self.fail_after, self.calls = share, fail_after, 0

    def __call__(self, request: Request) -> Completion:
        if self.fail_after is not None and self.calls >= self.fail_after:
            raise EndpointError("The endpoint went away.")
        self.calls += 1
        sentence = request.messages[3]["content"].split("\n\n")[1].split("\n</passage")[0]
        saw = int(sentence.split()[3])
        reply = {
            "evidence": sentence,
            "question": f"How often is the saw number {saw} oiled?",
            "answer": sentence,
        }
        text = json.dumps(reply) if (saw * 7919) % 100 < 100 * self.share else "{}"
        return Completion(
            text=text, finish_reason="stop", prompt_tokens=9, completion_tokens=9, seconds=0.1
        )


def wanting(number: int | None, **options: Any) -> GenerationConfig:
    llm = {"max_calls": None, "repairs": 0, "concurrency": 1} | options.pop("llm", {})
    return GenerationConfig.model_validate(
        {
            "generators": [{"generator": "single_fact"}],
            "rows_per_kind": {"single_fact": number} if number else {},
            "llm": llm,
        }
        | options
    )


def run(config: GenerationConfig, model: Model, cache: Path) -> Any:
    return generate_examples(*tables(*DOCUMENTS), config, model, cache)


def test_rounds_go_on_until_the_rows_are_there(tmp_path: Path) -> None:
    model = Model(0.4)
    result = run(wanting(12), model, tmp_path)
    assert result.kept.num_rows == result.figures["rows.single_fact"] == 12
    assert result.figures["wanted.single_fact"] == 12
    assert 12 < model.calls == result.figures["asked.single_fact"] < 60
    assert result.rows_in == result.kept.num_rows + result.dropped.num_rows


def test_a_model_that_never_fails_is_asked_once_a_row(tmp_path: Path) -> None:
    model = Model(1.0)
    assert run(wanting(12), model, tmp_path).kept.num_rows == model.calls == 12


def test_it_says_why_rows_are_lacking(tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        run(wanting(500), Model(1.0), tmp_path / "all")
        run(wanting(30, llm={"max_calls": 20}), Model(1.0), tmp_path / "calls")
    assert "60 of 500 single_fact rows" in caplog.text
    assert "no further subject" in caplog.text
    assert "20 of 30 single_fact rows" in caplog.text
    assert "`llm.max_calls` allows no more" in caplog.text


def test_rows_do_not_depend_on_concurrency_or_interruption(tmp_path: Path) -> None:
    expected = content_sha256(run(wanting(12), Model(0.4), tmp_path / "a").kept)
    many = run(wanting(12, llm={"concurrency": 8}), Model(0.4), tmp_path / "b")
    assert content_sha256(many.kept) == expected
    with pytest.raises(EndpointError):
        run(wanting(12), Model(0.4, fail_after=15), tmp_path / "c")
    resumed = Model(0.4)
    assert content_sha256(run(wanting(12), resumed, tmp_path / "c").kept) == expected
    assert resumed.calls == many.figures["llm_calls"] - 15


def test_a_higher_number_asks_only_for_what_is_new(tmp_path: Path) -> None:
    first = run(wanting(6), Model(1.0), tmp_path)
    model = Model(1.0)
    more = run(wanting(10), model, tmp_path)
    assert model.calls == 4
    ids = [set(result.kept.column("example_id").to_pylist()) for result in (first, more)]
    assert ids[0] < ids[1]


def test_rows_by_rules_are_wanted_in_numbers_as_well(tmp_path: Path, caplog) -> None:
    config = GenerationConfig.model_validate(
        {"generators": [{"generator": "fact"}], "rows_per_kind": {"fact": 7}}
    )
    facts = [
        (f"Boat {n}", [(["Engine"], f"A battery lasts {n + 2} hours. A tank holds {n} litres.")])
        for n in range(9)
    ]
    result = generate_examples(*tables(*facts), config, None, tmp_path)
    assert result.kept.num_rows == 7
    assert count_reasons(result.dropped)["over_target"] > 0
    many = config.model_copy(update={"rows_per_kind": {"fact": 700}})
    with caplog.at_level(logging.WARNING):
        generate_examples(*tables(*facts), many, None, tmp_path)
    assert "of 700 fact rows: the documents give no more" in caplog.text


def test_a_model_of_no_use_is_stopped_with_advice(tmp_path: Path) -> None:
    model = Model(0.0)
    with pytest.raises(EndpointError, match="30 of 30 conversations.*larger model"):
        run(wanting(30), model, tmp_path)
    assert model.calls == 30
    with pytest.raises(TemperError, match="kept no row"):
        run(wanting(30, max_loss_rate=1.0), Model(0.0), tmp_path)


def test_a_spent_budget_ends_the_rounds_and_a_larger_one_goes_on(tmp_path: Path, caplog) -> None:
    short = {"max_tokens_total": 1100, "on_budget": "finish"}
    with caplog.at_level(logging.WARNING):
        result = run(wanting(40, llm=short), Model(1.0), tmp_path)
    assert 0 < result.kept.num_rows < 40
    assert count_reasons(result.dropped)["no_reply"] == 40 - result.kept.num_rows  # one round
    assert "the budget of the language model is used up" in caplog.text
    model = Model(1.0)
    assert run(wanting(40), model, tmp_path).kept.num_rows == 40
    assert model.calls == 40 - result.kept.num_rows


def test_passages_that_give_orders_are_not_sent(tmp_path: Path) -> None:
    chunks, documents = tables(*DOCUMENTS)
    rows = chunks.to_pylist()
    for row in rows[::2]:
        row["flags"] = ["instructions"]
    flagged = type(chunks).from_pylist(rows, schema=CHUNK)
    model = Model(1.0)
    result = generate_examples(flagged, documents, wanting(None), model, tmp_path)
    assert model.calls == result.kept.num_rows == 30
    assert result.figures["flagged_chunks_not_asked"] == 30
    clean = {row["chunk_id"] for row in rows[1::2]}
    assert set(result.kept.column("chunk_id").to_pylist()) == clean


def test_language_and_flags_of_the_chunk_are_on_the_row(tmp_path: Path) -> None:
    chunks, documents = tables(*DOCUMENTS)
    rows = [row | {"language": "en", "flags": ["table"]} for row in chunks.to_pylist()]
    table = type(chunks).from_pylist(rows, schema=CHUNK)
    kept = generate_examples(table, documents, wanting(3), Model(1.0), tmp_path).kept
    assert kept.column("language").to_pylist() == ["en"] * 3
    assert kept.column("flags").to_pylist() == [["table"]] * 3
    assert all(kept.column("fact_id").to_pylist())


def test_unknown_and_unlisted_kinds_are_errors_that_help() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'single_fact'"):
        GenerationConfig.model_validate(
            {"generators": [{"generator": "single_fact"}], "rows_per_kind": {"singel_fact": 5}}
        )
    with pytest.raises(ConfigError, match="Add `- generator: multi_hop`"):
        GenerationConfig(rows_per_kind={"multi_hop": 5})
    with pytest.raises((ConfigError, ValidationError), match="want 1 or more"):
        GenerationConfig(rows_per_kind={"fact": 0})
