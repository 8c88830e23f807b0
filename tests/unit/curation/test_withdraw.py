from tasks.curation.audit import audit_leakage
from tasks.curation.config import CurationConfig
from tasks.curation.withdraw import can_be_withdrawn, withdraw_rows

CONFIG = CurationConfig(planted=0)
LEAK = {"question": "Who feeds the cat?", "answer": "The purser feeds it at noon with fish."}


def split(leaks: int) -> list[dict]:
    """Return rows of which 100 are held out, and as many of these given away as is said."""
    held_out = [{"split": "test", "example_id": f"test-{n}"} for n in range(50)]
    held_out += [{"split": "validation", "example_id": f"validation-{n}"} for n in range(50)]
    for row in held_out[:leaks]:
        row.update(LEAK)
    return [{"split": "train", "example_id": "giver"} | LEAK, *held_out]


def test_a_few_rows_given_away_are_taken_out_with_what_gives_them_away(table) -> None:
    examples = table(split(1))
    certificate = audit_leakage(examples, CONFIG)
    assert not certificate.passed
    assert can_be_withdrawn(certificate)
    result = withdraw_rows(examples, certificate)
    (gone,) = result.dropped.to_pylist()
    assert (gone["example_id"], gone["duplicate_of"]) == ("test-0", "giver")
    assert (gone["reason"], gone["similarity"]) == ("given_away", 1.0)
    assert "test row test-0, given away by training row giver: exact 1.00" in gone["detail"]
    assert result.kept.num_rows == result.rows_in - 1 == 100
    assert "giver" in result.kept.column("example_id").to_pylist()
    assert audit_leakage(result.kept, CONFIG).passed


def test_a_dataset_that_passes_has_nothing_to_take_out(table) -> None:
    assert not can_be_withdrawn(audit_leakage(table(split(0)), CONFIG))


def test_many_rows_given_away_are_a_fault_that_stays(table) -> None:
    certificate = audit_leakage(table(split(2)), CONFIG)
    assert not certificate.passed
    assert not can_be_withdrawn(certificate)


def test_a_group_on_two_sides_is_a_fault_that_stays(table) -> None:
    rows = split(1)
    for row in (rows[2], rows[-1]):  # test and validation: no training row gives either away
        row["group_id"] = "shared"
    certificate = audit_leakage(table(rows), CONFIG)
    assert certificate.shared_groups == 1
    assert not can_be_withdrawn(certificate)
