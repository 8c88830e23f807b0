"""Selection for the objective: which rows stay, why others go, what is warned about."""

import json

import numpy as np
import pytest

from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from data_contracts.validation import schema_failures
from tasks.memo import Memo
from tasks.modeling.encoder import encode
from tasks.selection.config import BehaviourConfig, KnowledgeConfig, WarningThresholds
from tasks.selection.coverage import choose
from tasks.selection.known import Fact
from tasks.selection.select import COVERAGE, select_for_behaviour, select_for_knowledge
from tasks.selection.suitability import find_warnings

QUIET = WarningThresholds(top_share=1, length_spread=0, mixed_share=0.5)


def letters(texts):
    """Vectors that tell texts apart by their first letter."""
    vectors = np.zeros((len(texts), 26), np.float32)
    for row, text in enumerate(texts):
        vectors[row, ord(text[0].lower()) - ord("a")] = 1
    return vectors


def test_redundant_rows_are_dropped_and_say_what_stands_for_them(table) -> None:
    rows = [{"question": f"{letter} {n}?"} for letter in "abc" for n in range(4)]
    result = select_for_behaviour(table(rows), BehaviourConfig(max_rows=3), letters)
    assert result.kept.num_rows == 3
    assert {q[0] for q in result.kept.column("question").to_pylist()} == {"a", "b", "c"}
    assert result.rows_in == 12
    assert schema_failures(result.dropped, dropped_schema(EXAMPLE)) == []
    kept = set(result.kept.column("example_id").to_pylist())
    for row in result.dropped.to_pylist():
        assert row["reason"] == "not_selected"
        assert row["duplicate_of"] in kept
        assert row["similarity"] == pytest.approx(1)


def test_of_rows_that_say_the_same_the_better_judged_stays(table) -> None:
    scores = [[{"name": "relevance", "score": s}] for s in (0.3, 0.9, 0.5)]
    rows = [{"question": f"a {n}?", "scores": s} for n, s in enumerate(scores)]
    result = select_for_behaviour(table(rows), BehaviourConfig(max_rows=1), letters)
    assert result.kept.column("question").to_pylist() == ["a 1?"]


def test_without_a_limit_all_rows_stay_in_order_and_the_curve_is_drawn(table) -> None:
    examples = table([{"question": f"{letter}?"} for letter in "azbycx"])
    result = select_for_behaviour(examples, BehaviourConfig(), letters)
    assert result.kept.equals(examples)
    points = json.loads(result.artifacts["coverage.json"])
    assert points[-1] == [6, 1.0]
    assert points[0][1] == pytest.approx(1 / 6, abs=1e-4)


def test_the_embedded_encoder_puts_paraphrases_together() -> None:
    texts = ["Where do ferries dock?", "At which pier do the boats land?", "Who approves leave?"]
    vectors = encode([*texts, texts[0]])
    assert vectors.shape == (4, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > far + 0.3
    assert np.array_equal(vectors[0], vectors[3])


def test_classes_go_to_all_rows_of_a_fact_and_unwanted_ones_are_dropped(table) -> None:
    rows = [{"fact_id": f"f{n // 2}", "question": f"Question {n} of all?"} for n in range(6)]
    asked: list[Fact] = []

    def classify(questions, shown):
        asked.extend(questions)
        assert {fact.fact_id for fact in shown} == {"f0", "f1", "f2"}
        return {"f0": "HighlyKnown", "f1": "Unknown"}

    config = KnowledgeConfig(drop=("HighlyKnown",), classify_facts=2)
    result = select_for_knowledge(table(rows), config, classify)
    assert len(asked) == 2
    assert result.kept.column("knowledge").to_pylist() == ["Unknown", "Unknown", None, None]
    assert [row["reason"] for row in result.dropped.to_pylist()] == ["knowledge_class"] * 2
    assert result.figures["facts.Unknown"] == 1
    assert result.figures["wordings_per_fact"] == 2


def test_when_every_class_is_dropped_there_is_an_error(table) -> None:
    config = KnowledgeConfig(drop=("Unknown",))
    with pytest.raises(TooFewRows, match=r"selection\.drop"):
        select_for_knowledge(
            table([{"fact_id": "f"}]), config, lambda asked, shown: {"f": "Unknown"}
        )


def warnings(examples, config) -> str:
    return "\n".join(find_warnings(examples, config))


def test_a_dataset_that_serves_its_objective_is_not_warned_about(table) -> None:
    rows = [
        {"question": f"{word} {n} of them?", "kind": kind, "context": "P", "answer": "a " * length}
        for n, (word, kind, length) in enumerate(
            [("What is", "fact", 3), ("Which has", "list", 20), ("How is", "cell", 8)] * 10
        )
    ]
    assert find_warnings(table(rows), BehaviourConfig(min_rows=30)) == []


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([{}] * 3, {"min_rows": 4}, "Too small: 3 rows"),
        ([{"kind": "fact"}] * 9 + [{"kind": "list"}], {}, "9 of 10 rows (90%) have the kind"),
        ([{"question": f"What is {n}?"} for n in range(5)], {}, "have the opening 'what is'"),
        ([{"answer": "one two three"}] * 5, {}, "Uniform in length: answers have 3.0 words"),
        ([{"context": "P"}, {}, {}], {}, "Mixed objectives: 1 of 3 rows"),
    ],
)
def test_what_is_lacking_is_said_with_its_number(table, rows, options, said) -> None:
    examples = table([dict(row) for row in rows])
    assert said in warnings(examples, BehaviourConfig(**{"min_rows": 1, **options}))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"context": "P"}] * 3, "Wrong form: 3 of 3 rows give the passage"),
        (
            [{"fact_id": "f", "question": f"Say it {n}?"} for n in range(3)],
            "1 of 1 facts are asked",
        ),
        ([{"knowledge": "Unknown"}] * 2 + [{"knowledge": "MaybeKnown"}], "nothing of 2 of 3 rows"),
    ],
)
def test_what_the_knowledge_objective_lacks_is_said(table, rows, said) -> None:
    config = KnowledgeConfig(min_rows=1, warnings=QUIET)
    assert said in warnings(table([dict(row) for row in rows]), config)


def test_the_same_question_twice_is_one_wording(table) -> None:
    rows = [{"fact_id": "f", "question": q} for q in ("Who pays?", "who  pays", "Who must pay?")]
    few = warnings(table(rows), KnowledgeConfig(min_rows=1, wordings_per_fact=3, warnings=QUIET))
    assert "1 of 1 facts" in few
    assert not find_warnings(
        table(rows), KnowledgeConfig(min_rows=1, wordings_per_fact=2, warnings=QUIET)
    )


def test_the_curve_is_measured_again_only_for_other_vectors(table, tmp_path, monkeypatch) -> None:
    measured = []
    monkeypatch.setattr(
        "tasks.selection.select.choose", lambda *given: measured.append(1) or choose(*given)
    )
    rows = [{"example_id": str(n), "question": f"What is {n}?"} for n in range(9)]
    vectors = np.eye(9, dtype=np.float32)

    def curve_of(given: np.ndarray) -> str:
        with Memo(tmp_path, "basis") as memo:
            config = BehaviourConfig()
            found = select_for_behaviour(table(rows), config, lambda texts: given, memo)
        return found.artifacts[COVERAGE]

    first = curve_of(vectors)
    assert curve_of(vectors) == first
    assert len(measured) == 1
    assert curve_of(np.full((9, 9), 1 / 3, np.float32)) != first
