import pytest

from data_contracts.errors import TooFewRows
from tasks.curation.audit import audit_leakage, describe_hits
from tasks.curation.config import CurationConfig
from tasks.text.config import SimilarityConfig

CONFIG = CurationConfig()

RUN = "the crew must wear a life jacket on deck at all times when sailing"
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
    assert describe_hits(certificate) == []


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
    assert any(detector in line and "leak" in line for line in describe_hits(certificate))


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


@pytest.mark.parametrize("splits", [["train"], ["test"], []])
def test_nothing_to_compare_is_an_error_not_a_pass(table, splits: list[str]) -> None:
    rows = [row for split in splits for row in clean(split, 2)]
    with pytest.raises(TooFewRows, match="Nothing to audit"):
        audit_leakage(table(rows), CONFIG)
