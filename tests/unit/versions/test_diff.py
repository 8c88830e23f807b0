import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.schemas import EXAMPLE, blank_row
from tasks.versions.diff import changed_counts, changed_options, diff_datasets

SPLITS = st.sampled_from(["train", "validation", "test"])


def row(name, **values):
    return blank_row(EXAMPLE) | {
        "example_id": name,
        "kind": "fact",
        "question": f"What is {name}?",
        "answer": f"{name} it is.",
        "document_id": "doc",
        "chunk_id": "chunk",
        "generator": "test",
        "split": "train",
        **values,
    }


def table(*rows):
    return pa.Table.from_pylist(list(rows), EXAMPLE)


def ids(rows):
    return [row["example_id"] for row in rows]


def test_rows_are_added_removed_or_unchanged():
    found = diff_datasets(table(row("a"), row("b")), table(row("b"), row("c", kind="list")))
    assert (ids(found.removed), ids(found.added), found.unchanged) == (["a"], ["c"], 1)
    assert (found.changed, found.moved, found.rows) == ((), (), (2, 2))
    assert found.by_kind == {"fact": (2, 1), "list": (0, 1)}


def test_the_same_question_of_the_same_place_with_another_answer_is_one_changed_row():
    old, new = row("a", question="Who?", answer="Ann."), row("z", question="Who?", answer="Ben.")
    [change] = diff_datasets(table(old), table(new)).changed
    assert (change.before["answer"], change.after["answer"]) == ("Ann.", "Ben.")
    assert change.columns == ("answer",)


def test_a_row_whose_chunk_moved_is_the_same_row():
    old, new = row("a", question="Who?"), row("z", question="Who?", chunk_id="other", answer="Ben.")
    assert diff_datasets(table(old), table(new)).changed[0].columns == ("answer",)


def test_a_question_in_other_words_is_one_changed_row():
    old, new = row("a", answer="Ann."), row("z", answer="Ann.", question="Which person?")
    assert diff_datasets(table(old), table(new)).changed[0].columns == ("question",)


def test_rows_of_other_documents_are_other_rows():
    old, new = row("a", question="Who?"), row("z", question="Who?", document_id="other")
    found = diff_datasets(table(old), table(new))
    assert (ids(found.removed), ids(found.added), found.changed) == (["a"], ["z"], ())
    assert found.by_document == {"doc": (1, 0), "other": (0, 1)}


def test_each_row_is_matched_once():
    old = [row("a", question="Who?", answer="1"), row("b", question="Who?", answer="2")]
    new = [row("x", question="Who?", answer="3")]
    found = diff_datasets(table(*old), table(*new))
    assert (len(found.changed), ids(found.removed), ids(found.added)) == (1, ["b"], [])
    assert found.changed[0].before["example_id"] == "a"


def test_scores_and_groups_are_no_change():
    old, new = row("a"), row("a", group_id="g", grounding=0.5)
    assert diff_datasets(table(old), table(new)).unchanged == 1


def test_held_out_rows_that_are_now_trained_on_are_an_alarm():
    old = [row(name, split=name) for name in ("train", "validation", "test")]
    old.append(row("other", split="elsewhere"))
    new = [row("train", split="test"), row("validation"), row("test"), row("other")]
    found = diff_datasets(table(*old), table(*new))
    assert ids(pair.after for pair in found.moved) == ["train", "validation", "test", "other"]
    assert ids(pair.after for pair in found.leaked) == ["validation", "test"]
    assert found.by_split == {
        "elsewhere": (1, 0),
        "test": (1, 1),
        "train": (1, 3),
        "validation": (1, 0),
    }


def test_rows_that_were_not_divided_yet_did_not_move():
    found = diff_datasets(table(row("a", split=None)), table(row("a", split="train")))
    assert (found.unchanged, found.moved, found.leaked) == (1, (), ())


def test_a_test_question_that_some_training_row_now_asks_is_an_alarm():
    old = [row("a", question="Who pays?", split="test"), row("b", question="Who signs?")]
    new = [row("c", question="who  pays", document_id="other"), row("b", question="Who signs?")]
    assert diff_datasets(table(*old), table(*new)).now_trained == ("Who pays?",)
    known = [*old, row("d", question="Who pays?")]
    assert diff_datasets(table(*known), table(*new)).now_trained == ()


def test_an_older_schema_can_be_compared():
    old = table(row("a")).drop_columns(["knowledge", "scores", "split"])
    assert diff_datasets(old, table(row("a"))).unchanged == 1


names = st.sampled_from("abcdefgh")
versions = st.dictionaries(
    names, st.fixed_dictionaries({"split": SPLITS, "answer": st.sampled_from("xyz")}), max_size=8
)


@given(versions, versions)
def test_every_row_of_both_versions_is_accounted_for(old, new):
    before, after = (
        table(*(row(name, **values) for name, values in version.items())) for version in (old, new)
    )
    found = diff_datasets(before, after)
    both = found.unchanged + len(found.changed)
    assert both + len(found.removed) == len(old)
    assert both + len(found.added) == len(new)
    back = diff_datasets(after, before)
    assert ids(back.added) == ids(found.removed)
    assert len(back.moved) == len(found.moved)


@given(versions)
def test_a_version_does_not_differ_from_itself(version):
    rows = table(*(row(name, **values) for name, values in version.items()))
    found = diff_datasets(rows, rows)
    assert found.unchanged == len(version)
    assert not (found.added or found.removed or found.changed or found.moved or found.leaked)
    assert not (found.now_trained or found.by_document)


def test_counts_and_options_that_differ():
    assert changed_counts({"a": 1, "b": 2}, {"b": 3, "c": 4, "a": 1}) == {"b": (2, 3), "c": (0, 4)}
    old = {"a": {"b": 1, "c": [1]}, "d": 0}
    new = {"a": {"b": 2, "c": [1]}, "e": None}
    assert changed_options(old, new) == {"a.b": (1, 2), "d": (0, None)}
