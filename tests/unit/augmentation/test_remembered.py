"""Rows augmented after an edit are those of a fresh start; only what changed is worked on."""

from tasks.augmentation.augment import Materials, augment_examples
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.document import augment_document

CONFIG = AugmentationConfig(share=2.0, max_tokens=None)
WORDS = ("harbour", "galley", "ferry", "linkspan", "purser", "cabin")


def row(number, answer="It opens at eight in the morning"):
    document = number // 2
    return {
        "example_id": f"row-{number:02}",
        "document_id": f"doc-{document}",
        "question": f"When does the {WORDS[document % 6]} {number} office usually open?",
        "answer": f"{answer} of day {number}.",
        "split": "test" if document == 5 else "train",
        "group_id": f"grp-{document}",
    }


def test_after_an_edit_the_rows_are_those_of_a_fresh_start(table, tmp_path, monkeypatch) -> None:
    rows = [row(number) for number in range(12)]
    augment_examples(table(rows), CONFIG, Materials(tmp_path / "a"))
    rows[3] = row(3, "It closes at nine in the evening")
    made = []
    work = augment_document
    monkeypatch.setattr(
        "tasks.augmentation.augment.augment_document",
        lambda source, *given: made.append(source.document_id) or work(source, *given),
    )
    found = augment_examples(table(rows), CONFIG, Materials(tmp_path / "a"))
    assert made == ["doc-1"]
    fresh = augment_examples(table(rows), CONFIG, Materials(tmp_path / "b"))
    assert found.kept.num_rows > 12
    assert found.kept.equals(fresh.kept)
    assert found.dropped.equals(fresh.dropped)
    assert (found.figures, found.artifacts) == (fresh.figures, fresh.artifacts)
