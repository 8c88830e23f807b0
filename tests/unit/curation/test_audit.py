import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import TooFewRows
from tasks.curation.audit import audit_leakage, describe_hits
from tasks.curation.config import CurationConfig
from tasks.curation.outside import OutsideRows
from tasks.text.config import SimilarityConfig

CONFIG = CurationConfig(planted=0)
# Nothing is template text, so that a row changes nothing but what it says itself.
LOOSE = CurationConfig(planted=0, similarity=SimilarityConfig(template_documents=1_000))

RUN = "the crew must wear a life jacket on deck at all times when sailing"
LONG = (
    "Donaudampfschifffahrtsgesellschaft Hafenmeisterstellvertreter Reisekostenabrechnungsformular"
)
PASSAGE = "The harbour desk answers calls from seven in the morning until late at night. " * 2
ANSWER = "The purser feeds it at noon with fish from the galley."

# detector -> a training row and a held-out row that it must find
LEAKS = {
    "same_group": ({"group_id": "g"}, {"group_id": "g"}),
    "same_document": ({"document_id": "d"}, {"document_id": "d"}),
    "same_chunk": ({"chunk_id": "c"}, {"chunk_id": "c"}),
    "same_parent": ({"parent_id": "held"}, {"example_id": "held"}),
    "exact": (
        {"question": "Who feeds the cat?", "answer": ANSWER},
        {"question": "who feeds the CAT", "answer": ANSWER},
    ),
    "same_question": ({"question": "Who feeds the cat?"}, {"question": "who feeds the CAT"}),
    "near_duplicate": (
        {"question": "Who feeds the cat?", "answer": ANSWER},
        {"question": "Who gives food to the cat?", "answer": ANSWER},
    ),
    "ngram_13": ({"answer": f"First: {RUN}."}, {"context": f"Remember that {RUN}!"}),
    "containment": (
        {"answer": f"Much is said. who feeds the old cat: {ANSWER} {'Other words follow. ' * 30}"},
        {"question": "Who feeds the old cat?", "answer": ANSWER},
    ),
    "substring": ({"answer": f"First: {LONG}."}, {"answer": f"Remember: {LONG.upper()}!"}),
    "same_fact": (
        {"question": "When does the Wren leave Kessen harbour?", "answer": "At 8 each Tuesday."},
        {"question": "Tuesday departure, harbour of Kessen, boat Wren?", "answer": "It sails at 8"},
    ),
    "passage": ({"context": PASSAGE}, {"context": PASSAGE.replace("late", "very late")}),
}


def clean(split: str, count: int) -> list[dict]:
    return [
        {"example_id": f"{split}-{n}", "group_id": f"g-{split}-{n}", "split": split}
        for n in range(count)
    ]


def findings(certificate) -> dict[tuple[str, str], object]:
    return {(f.detector, f.split): f for f in certificate.findings}


def test_a_clean_dataset_passes(table) -> None:
    rows = clean("train", 6) + clean("validation", 3) + clean("test", 2)
    certificate = audit_leakage(table(rows), CONFIG)
    assert certificate.passed
    assert certificate.rows == {"train": 6, "validation": 3, "test": 2}
    assert certificate.groups == {"train": 6, "validation": 3, "test": 2}
    assert certificate.shared_groups == 0
    assert {f.detector for f in certificate.findings} == set(LEAKS)
    assert describe_hits(certificate.findings) == []


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("detector", LEAKS)
def test_a_planted_leak_is_found_and_shown(table, detector: str, split: str) -> None:
    train, held_out = LEAKS[detector]
    rows = [
        *clean("train", 6), *clean("validation", 3), *clean("test", 3),
        {"example_id": "leak", "group_id": "x", "split": "train"} | train,
        {"example_id": "held", "group_id": "y", "split": split} | held_out,
    ]  # fmt: skip
    certificate = audit_leakage(table(rows), CONFIG)
    assert not certificate.passed
    found = findings(certificate)[detector, split]
    assert found.hits == 1
    assert found.highest >= found.threshold
    assert (found.train_id, found.held_out_id) == ("leak", "held")
    assert found.train_text
    assert found.held_out_text
    assert all(f.hits == 0 for f in certificate.findings if f.split != split)
    assert any(detector in line and "leak" in line for line in describe_hits(certificate.findings))


@pytest.mark.parametrize("detector", LEAKS)
def test_what_validation_gives_away_of_the_test_is_told(table, detector: str) -> None:
    chosen, scored = LEAKS[detector]
    rows = [
        *clean("train", 6), *clean("validation", 3), *clean("test", 3),
        {"example_id": "leak", "group_id": "x", "split": "validation"} | chosen,
        {"example_id": "held", "group_id": "y", "split": "test"} | scored,
    ]  # fmt: skip
    certificate = audit_leakage(table(rows), CONFIG)
    found = {f.detector: f for f in certificate.between}
    assert found.keys() == LEAKS.keys()
    assert (found[detector].train_id, found[detector].held_out_id) == ("leak", "held")
    assert "by validation rows" in " ".join(describe_hits(certificate.between))
    assert certificate.passed == (detector != "same_group")


def test_a_passage_shown_beside_the_right_one_is_found(table) -> None:
    shown = [{"document_id": "d", "chunk_id": "d-1"}]
    rows = [
        *clean("train", 3), *clean("validation", 1), *clean("test", 1),
        {"example_id": "leak", "group_id": "x", "split": "train", "other_chunks": shown},
        {"group_id": "y", "split": "test", "document_id": "d", "chunk_id": "d-1"},
    ]  # fmt: skip
    found = findings(audit_leakage(table(rows), CONFIG))
    assert found["same_document", "test"].train_id == "leak"
    assert found["same_chunk", "test"].train_id == "leak"


def test_a_leak_far_down_a_long_table_is_found(table) -> None:
    rows = clean("train", 700) + clean("test", 300) + clean("validation", 1)
    rows[650] |= {"answer": RUN}
    rows[990] |= {"answer": f"Surely {RUN}"}
    certificate = audit_leakage(table(rows), CONFIG)
    found = findings(certificate)["ngram_13", "test"]
    assert (found.hits, found.train_id, found.held_out_id) == (1, "train-650", "test-290")


def test_a_group_on_validation_and_test_is_shared_too(table) -> None:
    rows = clean("train", 2) + clean("validation", 1) + clean("test", 1)
    rows[2]["group_id"] = rows[3]["group_id"] = "both"
    certificate = audit_leakage(table(rows), CONFIG)
    assert (certificate.shared_groups, certificate.passed) == (1, False)


def test_template_text_is_no_leak_but_is_counted(table) -> None:
    config, strict = (
        CurationConfig(similarity=SimilarityConfig(template_documents=n, near_threshold=1.0))
        for n in (4, 5)
    )
    rows = clean("train", 3) + clean("test", 3) + clean("validation", 1)
    for row in rows[1:5]:
        row["answer"] = f"{row['example_id'].replace('-', '')}: {RUN}"
    certificate = audit_leakage(table(rows), config)
    assert certificate.ignored_template_ngrams == len(RUN.split()) - 12
    assert certificate.passed
    assert not audit_leakage(table(rows), strict).passed


def test_the_closest_pair_is_shown_even_below_the_threshold(table) -> None:
    rows = clean("train", 3) + clean("test", 3) + clean("validation", 1)
    rows[1] |= {"question": "Who feeds the old ship's cat?", "answer": "one two three four five"}
    rows[4] |= {"question": "Who feeds the old ship's dog?", "answer": "six seven eight nine ten"}
    certificate = audit_leakage(table(rows), CONFIG)
    found = findings(certificate)["near_duplicate", "test"]
    assert certificate.passed
    assert 0.2 < found.highest < found.threshold
    assert (found.train_id, found.held_out_id) == ("train-1", "test-1")


def test_the_certificate_says_what_the_detectors_are_worth(table) -> None:
    rows = clean("train", 12) + clean("validation", 3) + clean("test", 6)
    for number, row in enumerate(rows):
        words = [f"w{number}x{place}" for place in range(30)]
        row |= {"question": " ".join(words[:10]) + "?", "answer": " ".join(words[10:])}
    accuracy = audit_leakage(table(rows), CurationConfig(planted=45)).accuracy
    assert accuracy is not None
    found = {item.detector: item for item in accuracy.detectors}
    assert sum(accuracy.planted.values()) == 45
    assert found["exact"].by_kind["verbatim"] == 1
    assert found["exact"].by_kind["embedded"] == 0
    assert found["containment"].by_kind["embedded"] == 1
    assert found["same_chunk"].by_kind["other_question"] == 1
    assert found["any"].recall == 1
    assert accuracy.unrelated == 6
    assert found["any"].false_alarms == 0
    assert found["same_chunk"].false_alarms is None


def test_nothing_is_planted_where_nothing_is_asked_for(table) -> None:
    rows = clean("train", 3) + clean("test", 3) + clean("validation", 1)
    assert audit_leakage(table(rows), CurationConfig(planted=0)).accuracy is None


@pytest.mark.parametrize("splits", [["train"], ["test"], []])
def test_nothing_to_compare_is_an_error_not_a_pass(table, splits: list[str]) -> None:
    rows = [row for split in splits for row in clean(split, 2)]
    with pytest.raises(TooFewRows, match="Nothing to audit"):
        audit_leakage(table(rows), CONFIG)


QUESTION = "Who feeds the cat of the harbour master at noon?"


@pytest.mark.parametrize(
    ("asked", "detector"),
    [
        ("At what time is lunch served to animals?", None),
        (QUESTION.upper(), "recall_same_question"),
        (QUESTION.replace("at noon", "at midday"), "recall_near_question"),
    ],
)
def test_of_a_recall_question_only_the_wording_leaks(table, asked: str, detector) -> None:
    """Document, group, fact and answer are trained on purpose; an unlabelled row may not be so."""
    same = {"document_id": "d", "chunk_id": "c", "group_id": "g", "fact_id": "f"}
    same |= {"answer": f"{ANSWER} {RUN}", "context": PASSAGE}
    held = {"example_id": "held", "split": "test", "question": asked, **same}
    rows = [
        *clean("train", 6), *clean("validation", 3), *clean("test", 3),
        {"example_id": "leak", "split": "train", "question": QUESTION, **same},
    ]  # fmt: skip
    certificate = audit_leakage(table([*rows, held | {"flags": ["recall"]}]), CONFIG)
    hits = {f.detector: f.held_out_id for f in certificate.findings if f.hits}
    assert certificate.shared_groups == 0
    assert certificate.passed == (detector is None)
    assert set(hits.values()) <= {"held"}
    assert (detector in hits) if detector else not hits
    assert certificate.rows["test"] == 4
    unlabelled = audit_leakage(table([*rows, held]), CONFIG)
    assert unlabelled.shared_groups == 1
    assert {f.detector for f in unlabelled.findings if f.hits} >= {"same_document", "ngram_13"}


def test_rows_outside_are_compared_with_training_rows_and_fail_nothing(table) -> None:
    """Old test rows share documents; a benchmark shares words alone."""
    rows = [*clean("train", 6), *clean("validation", 3), *clean("test", 3)]
    rows[2] |= {"question": "Who feeds the cat?", "answer": ANSWER, "document_id": "d"}
    earlier = table([{"example_id": "old", "document_id": "d"}, {"example_id": "other"}])
    said = {"question": "who feeds the CAT", "answer": ANSWER, "document_id": "d"}
    benchmark = table([{"example_id": "b"} | said])
    outside = [
        OutsideRows("earlier versions", earlier, parentage=True),
        OutsideRows("benchmark own", benchmark, parentage=False),
    ]
    certificate = audit_leakage(table(rows), CONFIG, outside)
    assert certificate.passed
    assert describe_hits(certificate.findings) == []
    hits = {(f.split, f.detector): f for f in certificate.outside if f.hits}
    assert hits["earlier versions", "same_document"].held_out_id == "old"
    assert {name for name in hits if name[0] == "earlier versions"} == {
        ("earlier versions", "same_document")
    }
    shown = hits["benchmark own", "exact"]
    assert (shown.train_id, shown.held_out_id, shown.hits) == ("train-2", "b", 1)
    assert ANSWER in str(shown.train_text)
    assert ("benchmark own", "same_document") not in hits


def test_rows_apart_have_nothing_near_in_training_and_recall_questions_are_none(table) -> None:
    rows = [*clean("train", 6), *clean("validation", 3), *clean("test", 4)]
    rows[2] |= {"question": "Who feeds the old ship's cat?", "answer": "one two three four five"}
    rows[9] |= {"question": "Who feeds the old ship's dog?", "answer": "five six seven eight"}
    rows[10] |= {"flags": ["recall"]}
    certificate = audit_leakage(table(rows), CONFIG)
    assert certificate.passed
    assert certificate.apart is not None
    assert certificate.apart.example_ids == ["test-2", "test-3"]
    assert certificate.apart.of == 3
    strict = CurationConfig(planted=0, near_share=1.0)
    apart = audit_leakage(table(rows), strict).apart
    assert apart is not None
    assert apart.example_ids == ["test-0", "test-2", "test-3"]


@given(
    groups=st.lists(
        st.tuples(st.sampled_from(["train", "validation", "test"]), st.integers(0, 5)),
        min_size=2,
        max_size=8,
    )
)
def test_no_certificate_passes_with_a_shared_group(table, groups) -> None:
    rows = [{"group_id": f"g{group}", "split": split} for split, group in groups]
    sides: dict[int, set[str]] = {}
    for split, group in groups:
        sides.setdefault(group, set()).add(split)
    if {"train"} < {split for split, _ in groups}:
        certificate = audit_leakage(table(rows), CONFIG)
        assert certificate.passed == all(len(found) == 1 for found in sides.values())


@given(source=st.integers(0, 2), words=st.integers(0, 9))
def test_a_further_leak_never_lowers_the_highest_similarity(table, source, words) -> None:
    rows = [*clean("train", 6), *clean("validation", 3), *clean("test", 3)]
    for number, row in enumerate(rows):
        row["answer"] = " ".join(f"word{number % 5}x{place}" for place in range(10))
    rows[0] |= {"answer": rows[9]["answer"]}
    said = str(rows[9 + source]["answer"]).split()[:words]
    leak = {"example_id": "leak", "split": "train", "group_id": "x", "answer": " ".join(said)}
    before, after = (
        {(f.detector, f.split): f.highest for f in audit_leakage(table(t), LOOSE).findings}
        for t in (rows, [*rows, leak])
    )
    assert all(after[name] >= before[name] for name in before)
