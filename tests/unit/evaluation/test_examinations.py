"""Each examination on a subject that answers as a test says, and all of them on tiny models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from data_contracts.schemas import MEASUREMENT, dropped_schema
from data_contracts.validation import schema_failures
from tasks.evaluation.config import EvaluationConfig, ExaminationPlan
from tasks.evaluation.examination import EXAMINATIONS, Examination, Findings, Material, Passage
from tasks.evaluation.examinations.calibration import Calibration
from tasks.evaluation.examinations.cross_lingual import CrossLingual
from tasks.evaluation.examinations.few_shot import FewShot
from tasks.evaluation.examinations.instructions import Instructions
from tasks.evaluation.examinations.invention import Invention
from tasks.evaluation.examinations.recall import Recall
from tasks.evaluation.examinations.refusal import Refusal
from tasks.evaluation.examinations.retrieval import Retrieval
from tasks.evaluation.examine import examine, material_of
from tasks.evaluation.retriever import Retriever
from tasks.evaluation.subject import Subject
from tests.unit.evaluation.conftest import Tiny

PASSAGES = [
    Passage("ferry", "The ferry leaves at nine."),
    Passage("badge", "A lost badge costs 25 euro."),
    Passage("leave", "Every employee has thirty days of leave."),
]


@dataclass
class Scripted:
    """A subject that answers as a test says, and notes what it was asked."""

    answer: Callable[[Mapping[str, Any]], str]
    max_length: int = 1_000
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def prompt_tokens(self, row: Mapping[str, Any]) -> int:
        return len(str(row["question"]).split())

    def answers(self, rows: Sequence[Mapping[str, Any]], max_new_tokens: int) -> list[str]:
        self.asked.extend(rows)
        return [self.answer(row) for row in rows]

    def certainties(self, rows: Sequence[Mapping[str, Any]], answers: Sequence[str]) -> list[float]:
        return [0.9 if "sure" in answer else 0.2 for answer in answers]


def put(
    examination: Examination, material: Material, answer: Callable[[Mapping[str, Any]], str]
) -> tuple[Findings, Scripted]:
    subject, findings = Scripted(answer), Findings()
    examination.examine(subject, material, findings)  # type: ignore[arg-type]
    return findings, subject


def means(findings: Findings) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], list[float]] = {}
    for row in findings.kept:
        found.setdefault((row["name"], row["measure"]), []).append(row["value"])
    return {key: sum(values) / len(values) for key, values in found.items()}


def material(table: Any, rows: list[dict[str, Any]]) -> Material:
    return Material(material_of(table(rows), None).rows, PASSAGES)


def test_few_shot_shows_the_same_training_rows_before_every_question(table: Any) -> None:
    rows = [{"split": "train", "question": f"Q{n}?", "answer": f"A{n}."} for n in range(8)]
    rows += [
        {"split": "train", "question": f"long {n} " * 40, "answer": "Long answer."}
        for n in range(4)
    ]
    rows += [{"split": "test"} for _ in range(3)]

    def answer(row: Mapping[str, Any]) -> str:
        return str(row["answer"]) if len(row["history"]) >= 2 else "nothing of that"

    found, subject = put(FewShot(shots=(0, 1, 4, 99)), material(table, rows), answer)
    assert means(found) == {
        ("0 examples", "token_f1"): 0, ("0 examples", "right"): 0,
        ("1 example", "token_f1"): 1, ("1 example", "right"): 1,
        ("4 examples", "token_f1"): 1, ("4 examples", "right"): 1,
    }  # fmt: skip
    histories = [row["history"] for row in subject.asked if len(row["history"]) == 8]
    assert len(histories) == 3
    assert histories[0] == histories[1] == histories[2]
    assert {turn["content"] for turn in histories[0]} <= {
        text for row in rows[:8] for text in (row["question"], row["answer"])
    }  # of the shorter half, and none of test


def test_retrieval_gives_the_passages_in_place_of_the_rows_own(table: Any) -> None:
    rows = [
        {
            "split": "test", "question": "What does a lost badge cost?", "answer": "25 euro",
            "context": "The row's own passage.", "chunk_id": "badge",
        },
        {"split": "test", "question": "Xyzzy?", "answer": "nothing", "chunk_id": "ferry"},
    ]  # fmt: skip

    def answer(row: Mapping[str, Any]) -> str:
        return str(row["context"] or "I do not know")

    found, subject = put(Retrieval(passages=1), material(table, rows), answer)
    assert {row["context"] for row in subject.asked} == {None, PASSAGES[1].text}
    assert means(found)["alone", "right"] == 0
    assert means(found)["with_retrieval", "right"] == 0.5
    assert found.figures == {"retrieval.passage_found": 0.5}


def test_bm25_prefers_rare_words_and_finds_nothing_where_none_is_shared() -> None:
    retriever = Retriever([*PASSAGES, Passage("cost", "The ferry costs, the leave costs.")])
    assert [p.passage_id for p in retriever.find("What does a badge cost?", 1)] == ["badge"]
    assert retriever.find("Xyzzy?", 3) == []
    assert len(retriever.find("the ferry", 9)) == 2


def test_recall_pairs_the_two_wordings_of_a_trained_fact(table: Any) -> None:
    rows: list[dict[str, Any]] = []
    for n in range(3):
        fact = {"fact_id": f"f{n}", "answer": f"{n + 3} days", "document_id": f"d{n}"}
        rows.append(fact | {"split": "train", "question": "As trained?"})
        rows.append(fact | {"split": "test", "question": "In other words?", "flags": ["recall"]})
    rows.append({"split": "test", "question": "Unrelated?"})

    def by_heart(row: Mapping[str, Any]) -> str:
        return str(row["answer"]) if row["question"] == "As trained?" else "no idea"

    found, subject = put(Recall(), material(table, rows), by_heart)
    assert means(found)["trained_wording", "right"] == 1
    assert means(found)["new_wording", "right"] == 0
    assert len(subject.asked) == 6
    pairs = {row["row_id"] for row in found.kept if row["name"] == "trained_wording"}
    assert pairs == {row["row_id"] for row in found.kept if row["name"] == "new_wording"}


def test_invention_counts_answers_silence_and_wrong_claims(table: Any) -> None:
    rows = [
        {"split": "test", "kind": "unanswered", "question": "U?"},
        {"split": "test", "kind": "out_of_scope", "question": "O?"},
        {"split": "test", "flags": ["control"], "question": "C?", "context": "A passage."},
        {"split": "test", "question": "A?", "answer": "It is blue."},
        {"split": "train", "kind": "unanswered"},
    ]
    said = {
        "U?": "The passage does not say.",
        "O?": "It is red.",
        "C?": "Red.",
        "A?": "I cannot say",
    }
    found, subject = put(Invention(), material(table, rows), lambda row: said[row["question"]])
    assert means(found) == {
        ("unanswerable", "answered"): 0.5,
        ("unseen_documents", "invented"): 1.0,
        ("answerable", "abstained"): 1.0,
    }
    assert all(row["better"] == "lower" for row in found.kept)
    assert next(row for row in subject.asked if row["question"] == "C?")["context"] is None


def test_cross_lingual_asks_what_training_did_not_ask_in_that_language(table: Any) -> None:
    rows = [
        {"split": "train", "language": "en", "fact_id": "f"},
        {"split": "train", "language": "de", "fact_id": "g"},
        {"split": "test", "language": "de", "fact_id": "f"},
        {"split": "test", "language": "en", "fact_id": "f"},
        {"split": "test", "language": "fr"},
        {"split": "test", "language": "de"},
        {"split": "test", "language": None},
    ]
    found, _ = put(CrossLingual(), material(table, rows), lambda row: str(row["answer"]))
    assert means(found) == {
        ("en to de", "token_f1"): 1, ("en to de", "right"): 1,
        ("de+en to fr", "token_f1"): 1, ("de+en to fr", "right"): 1,
    }  # fmt: skip
    assert len({row["row_id"] for row in found.kept}) == 2


def test_calibration_notes_confidence_beside_correctness(table: Any) -> None:
    rows = [{"split": "test", "question": f"{n}?", "answer": "It is blue"} for n in range(3)]
    said = {"0?": "surely it is blue", "1?": "it is red", "2?": ""}
    found, _ = put(Calibration(), material(table, rows), lambda row: said[row["question"]])
    by_row = {}
    for row in found.kept:
        by_row.setdefault(row["generated"], {})[row["measure"]] = row["value"]
    assert by_row == {  # nothing was said to the third, so there is nothing to be sure of
        "surely it is blue": {"confidence": 0.9, "brier": pytest.approx(0.01), "right": 1.0},
        "it is red": {"confidence": 0.2, "brier": pytest.approx(0.04), "right": 0.0},
    }


def test_instructions_and_refusals_are_scored_by_rule() -> None:
    nothing = Material([])
    found, _ = put(Instructions(), nothing, lambda _: "YES")
    assert means(found)["format", "accuracy"] == pytest.approx(2 / 6)  # both yes-or-no questions
    assert {row["measure"] for row in found.kept} == {"accuracy"}  # so that the gate counts them
    found, _ = put(Refusal(), nothing, lambda _: "I'm sorry, I can't help with that.")
    assert means(found) == {("should_refuse", "accuracy"): 1, ("should_answer", "accuracy"): 0}


def test_a_prompt_that_is_too_long_is_dropped_with_a_reason(table: Any) -> None:
    rows = [{"split": "test", "question": "word " * 20 + "?"}, {"split": "test"}]
    subject, findings = Scripted(lambda _: "x", max_length=10), Findings()
    Invention().examine(subject, material(table, rows), findings)  # type: ignore[arg-type]
    assert [row["reason"] for row in findings.dropped] == ["too_long"]
    assert "21 tokens" in findings.dropped[0]["detail"]
    assert len(findings.kept) == 1


def test_all_examinations_run_on_real_models(tiny: Tiny, examples: Any) -> None:
    chosen = [kind() for kind in EXAMINATIONS]
    small = [c.model_copy(update={"rows": 2, "max_new_tokens": 2}) for c in chosen]
    plan = ExaminationPlan(examinations=tuple(small))
    result = examine(tiny.model, tiny.tokenizer, material_of(examples, None), plan)
    assert schema_failures(result.kept, MEASUREMENT) == []
    assert schema_failures(result.dropped, dropped_schema(MEASUREMENT)) == []
    rows = result.kept.to_pylist()
    assert {row["set"] for row in rows} == {
        "few_shot",
        "retrieval",
        "invention",
        "calibration",
        "instructions",
        "refusal",
    }  # fmt: skip - the rows have no language, no fact, and no harness task is named
    keys = [(row["set"], row["name"], row["row_id"], row["measure"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert all(0 <= row["value"] <= 1 for row in rows)
    assert result.rows_in == result.kept.num_rows + result.dropped.num_rows


def test_an_answer_that_the_model_gives_itself_is_surer_than_another(tiny: Tiny) -> None:
    subject = Subject(tiny.model, tiny.tokenizer, 1_000, 64)
    row = {"question": "What is a ferry?", "history": [], "context": None}
    (own,) = subject.answers([row], 4)
    mine, other = subject.certainties([row, row], [own or "a", "Madrid zebra"])
    assert 0 < other < mine <= 1


def test_predictions_do_not_depend_on_examinations() -> None:
    plain = EvaluationConfig()
    more = EvaluationConfig.model_validate(
        {"examinations": [{"examination": "refusal"}], "judge": {"rows": 3}}
    )
    assert more.predictions == plain.predictions == plain
    assert more.plan != plain.plan
