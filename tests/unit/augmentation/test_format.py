from random import Random

from tasks.augmentation.augmenter import Example
from tasks.augmentation.augmenters.format import FormatAugmenter


def frames(question: str, answer: str) -> set[str]:
    example = Example("fact", question, answer, None)
    return {v.question for v in FormatAugmenter().augment(example, Random(1))}


def test_every_frame_holds_the_whole_question() -> None:
    found = frames("What is {x}?", "word " * 20)
    assert len(found) >= 5
    assert all("What is {x}?" in text and text != "What is {x}?" for text in found)


def test_a_frame_asks_for_the_length_the_answer_has() -> None:
    short, long = "Answer briefly: Why?", "Answer in full: Why?"
    assert short in frames("Why?", "Fog.")
    assert long not in frames("Why?", "Fog.")
    assert long in frames("Why?", "word " * 30)
    assert short not in frames("Why?", "word " * 30)


def test_what_is_no_question_gets_no_frame() -> None:
    assert frames("Tell me why.", "Fog.") == set()
