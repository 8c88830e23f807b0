from tasks.augmentation.leaks import find_leaks
from tasks.text.config import SimilarityConfig

ANSWER = "The purser feeds it at noon with fish from the galley, and the cook does so on Sundays."
QUESTION = "Who feeds the cat of the harbour master at noon?"


def test_of_a_recall_question_only_the_wording_may_not_be_said_again(table) -> None:
    held = {"example_id": "held", "split": "test", "question": QUESTION, "answer": ANSWER}
    others = [{"split": "train"}, {"split": "validation"}]
    new = table(
        [
            {"split": "train", "question": "By whom is lunch served to animals?", "answer": ANSWER},
            {"split": "train", "question": QUESTION.replace("noon", "midday"), "answer": "Him."},
        ]
    )
    recall = table([*others, held | {"flags": ["recall"]}])
    found = find_leaks(new, recall, SimilarityConfig())
    assert {row: (leak.detector, leak.held_out_id) for row, leak in found.items()} == {
        1: ("recall_near_question", "held")
    }
    assert set(find_leaks(new, table([*others, held]), SimilarityConfig())) >= {0}
