from random import Random

from tasks.augmentation.augmenter import Example, Passage
from tasks.augmentation.augmenters.distractors import DistractorsAugmenter
from tasks.augmentation.config import AugmentationConfig
from tasks.augmentation.passages import Passages

OWN = "A lost badge costs 25 euro."
AROUND = (
    Passage("d1", "c1", "Ships sail at noon."),
    Passage("d2", "c2", "A badge that is lost costs 40 euro in the other office."),
    Passage("d3", "c3", "The crane is greased in May."),
    Passage("d4", "c4", "Leave is 30 days."),
)
EXAMPLE = Example("fact", "What does a lost badge cost?", "25 euro.", OWN, around=AROUND)
CONFIG = AugmentationConfig(
    augmenters=(DistractorsAugmenter(),), share=1.0, max_share=0.9, max_tokens=None
)


def test_the_right_passage_stands_among_others_and_nothing_else_changes() -> None:
    first, second = DistractorsAugmenter().augment(EXAMPLE, Random(1))
    assert (first.question, first.answer) == (EXAMPLE.question, EXAMPLE.answer)
    assert sorted(str(first.context).split("\n\n")) == sorted([OWN, AROUND[0].text, AROUND[2].text])
    assert [p.chunk_id for p in first.others] == ["c1", "c3"]
    assert [p.chunk_id for p in second.others] == ["c1"]
    orders = {
        next(DistractorsAugmenter().augment(EXAMPLE, Random(seed))).context for seed in range(30)
    }
    assert len(orders) == 6  # the right one stands anywhere


def test_a_passage_that_speaks_of_all_that_is_asked_is_left_out() -> None:
    for variant in DistractorsAugmenter(passages=8).augment(EXAMPLE, Random(1)):
        assert "other office" not in str(variant.context)


def test_a_row_without_a_passage_gets_none() -> None:
    bare = Example("fact", "What does a lost badge cost?", "25 euro.", None, around=AROUND)
    assert list(DistractorsAugmenter().augment(bare, Random(1))) == []


NOUNS = ["anchor", "bridge", "cabin", "deck", "engine", "ferry", "galley", "harbour"]


def rows(count: int) -> list[dict]:
    return [
        {"example_id": f"r{n}", "document_id": f"d{n}", "chunk_id": f"c{n}", "group_id": f"g{n}",
         "split": "train" if n % 4 else "test", "context": f"The {NOUNS[n]} is {n}.",
         "question": f"Which number has the {NOUNS[n]}?", "answer": f"It is number {n}."}
        for n in range(count)
    ]  # fmt: skip


def test_only_passages_of_training_documents_are_given_and_named(augment, table) -> None:
    result = augment(table(rows(8)), CONFIG)
    new = result.kept.to_pylist()[8:]
    assert len(new) == 6
    for row in new:
        parent = int(row["parent_id"][1:])
        others = {int(other["chunk_id"][1:]) for other in row["other_chunks"]}
        assert others and parent not in others and not others & {0, 4}
        assert set(row["context"].split("\n\n")) == {
            f"The {NOUNS[n]} is {n}." for n in (parent, *others)
        }
        assert row["grounding"] == 1.0


def test_a_row_too_long_for_training_gives_way_to_one_with_fewer_passages(augment, table) -> None:
    def count(texts):
        return [len(text.split()) for text in texts]

    config = CONFIG.model_copy(update={"max_tokens": 12 + 4 + 6 + 8})  # two passages of four words
    result = augment(table(rows(8)), config, count=count)
    new = result.kept.to_pylist()[8:]
    assert [len(row["other_chunks"]) for row in new] == [1] * 6
    assert set(result.dropped["reason"].to_pylist()) == {"too_long"}


def test_a_new_document_changes_few_offers(table) -> None:
    training = [
        row | {"flags": [], "other_chunks": [], "language": None, "kind": "fact"}
        for row in rows(8) * 30
    ]
    for n, row in enumerate(training):
        row |= {
            "example_id": f"r{n}",
            "document_id": f"d{n}",
            "chunk_id": f"c{n}",
            "context": f"P{n}",
        }

    def offers(some):
        passages = Passages(None, some, seed=1)
        return {r["example_id"]: passages.example(r, around=True).around for r in training[:-1]}

    before, after = offers(training[:-1]), offers(training)
    changed = sum(before[name] != after[name] for name in before)
    assert 0 < changed <= 40  # eight of 240 on average


def test_passages_that_give_orders_are_offered_to_nobody() -> None:
    row = rows(2)[1] | {"other_chunks": [], "language": None, "kind": "fact"}
    bad = row | {"example_id": "b", "document_id": "b", "flags": ["instructions"]}
    good = row | {"example_id": "g", "document_id": "g", "flags": [], "context": "Fine."}
    found = Passages(None, [bad, good], seed=1).example(row, around=True).around
    assert [passage.document_id for passage in found] == ["g"]
