from data_contracts.results import LeakageCertificate, RowsApart
from tasks.evaluation.parts import parts_of_test


def audit(apart: list[str] | None) -> LeakageCertificate:
    return LeakageCertificate(
        rows={}, groups={}, shared_groups=0, findings=[], ignored_template_ngrams=0, passed=True,
        apart=None if apart is None else RowsApart(share=0.5, of=4, example_ids=apart),
    )  # fmt: skip


def rows(flags: dict[str, list[str]]) -> list[dict]:
    tests = [{"example_id": name, "split": "test", "flags": own} for name, own in flags.items()]
    return [*tests, {"example_id": "trained", "split": "train", "flags": ["recall"]}]


def test_recall_control_and_behaviour_rows_are_parts_of_their_own(table) -> None:
    flags = {"a": ["recall"], "b": ["control"], "c": [], "d": ["instructions", "recall"]}
    assert parts_of_test(table(rows(flags)), audit(None)) == {
        "test_recall": {"a", "d"},
        "test_control": {"b"},
        "test_behaviour": {"c"},
    }


def test_behaviour_rows_alone_are_no_part_but_rows_apart_are(table) -> None:
    examples = table(rows({"a": [], "b": []}))
    assert parts_of_test(examples, audit(None)) == {}
    assert parts_of_test(examples, audit([])) == {}
    assert parts_of_test(examples, audit(["b"])) == {"test_apart": {"b"}}
