import pytest

from tasks.curation.config import CurationConfig
from tasks.curation.groups import group_rows
from tasks.text.config import SimilarityConfig

CONFIG = CurationConfig()

RUN = "the crew must wear a life jacket on deck at all times when sailing"
LONG = (
    "Donaudampfschifffahrtsgesellschaft Hafenmeisterstellvertreter Reisekostenabrechnungsformular"
)
PASSAGE = "The harbour desk answers calls from seven in the morning until late at night. " * 2

KINSHIP = {
    "document": ({"document_id": "d"}, {"document_id": "d"}),
    "chunk": ({"chunk_id": "c"}, {"chunk_id": "c"}),
    "second passage": (
        {"other_chunks": [{"document_id": "d", "chunk_id": "d-1"}]},
        {"document_id": "d"},
    ),
    "distractors in common": (
        {"other_chunks": [{"document_id": "x", "chunk_id": "x-1"}]},
        {"other_chunks": [{"document_id": "x", "chunk_id": "x-2"}]},
    ),
    "parent": ({"example_id": "p"}, {"parent_id": "p"}),
    "siblings": ({"parent_id": "p"}, {"parent_id": "p"}),
    "question": ({"question": "What is a berth?"}, {"question": "what is a BERTH"}),
    "near_duplicate": (
        {"question": "Who feeds the ship's cat?", "answer": "The purser feeds it at noon."},
        {"question": "Who feeds the ship's cat?", "answer": "The master feeds it at noon."},
    ),
    "passage": ({"context": PASSAGE}, {"context": PASSAGE.replace("late", "very late")}),
    "ngram": ({"answer": f"First: {RUN}."}, {"answer": f"Remember that {RUN}!"}),
    "ngram across fields": ({"answer": RUN}, {"context": f"It says {RUN}."}),
    "containment": (
        {"question": "Who feeds the cat?", "answer": "The purser feeds it at noon."},
        {"context": f"Who feeds the cat? The purser feeds it at noon. {'Other words. ' * 30}"},
    ),
    "substring": ({"answer": f"First: {LONG}."}, {"answer": f"Remember: {LONG.upper()}!"}),
    "fact id": ({"fact_id": "f"}, {"fact_id": "f"}),
    "fact": (
        {"question": "When does the Wren leave Kessen harbour?", "answer": "At 8 each Tuesday."},
        {"question": "Tuesday departure, harbour of Kessen, boat Wren?", "answer": "It sails at 8"},
    ),
    "history": (
        {"history": [{"role": "user", "content": RUN}]},
        {"answer": f"Remember that {RUN}!"},
    ),
}


@pytest.mark.parametrize("name", KINSHIP)
def test_kin_share_a_group_and_strangers_do_not(table, name: str) -> None:
    kin = group_rows(table([*KINSHIP[name], {}]), CONFIG).group_ids
    assert kin[0] == kin[1]
    assert kin[2] not in kin[:2]


def test_kinship_is_transitive(table) -> None:
    rows = [{"document_id": "a"}, {"document_id": "a", "answer": RUN}, {"answer": RUN + " yes"}, {}]
    first, second, third, stranger = group_rows(table(rows), CONFIG).group_ids
    assert first == second == third != stranger


def test_twelve_words_in_common_are_not_a_run(table) -> None:
    short = " ".join(RUN.split()[:12])
    answers = [f"First: {short} and so on, forever.", f"Some people say it: {short}."]
    config = CurationConfig(similarity=SimilarityConfig(fact_threshold=1.0))
    first, second = group_rows(table([{"answer": text} for text in answers]), config).group_ids
    assert first != second


@pytest.mark.parametrize("column", ["question", "answer"])
def test_what_many_documents_share_is_template_and_links_nothing(table, column: str) -> None:
    config = CurationConfig(similarity=SimilarityConfig(template_documents=4, near_threshold=1.0))
    rows = [{column: RUN}] * 4
    assert len(set(group_rows(table(rows[:3]), config).group_ids)) == 1
    grouping = group_rows(table(rows), config)
    assert len(set(grouping.group_ids)) == 4
    assert grouping.ignored_template_ngrams == len(RUN.split()) - 12


def test_a_group_is_named_after_its_smallest_document(table) -> None:
    alone = group_rows(table([{"document_id": "a"}]), CONFIG).group_ids[0]
    rows = [{"document_id": name, "answer": RUN} for name in ("b", "a", "c")]
    assert group_rows(table(rows), CONFIG).group_ids == [alone] * 3
    assert alone.startswith("grp-")
    assert len(alone) == len("grp-") + 12


def test_links_between_documents_are_counted_by_kinship(table) -> None:
    links = group_rows(table([{"answer": RUN}, {"answer": RUN + " yes"}]), CONFIG).links
    assert links["ngram"] > 0
    assert links["document"] == 0


def test_an_empty_table_has_no_groups(table) -> None:
    assert group_rows(table([]), CONFIG).group_ids == []
