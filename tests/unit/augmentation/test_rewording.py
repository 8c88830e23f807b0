from random import Random

import pytest

from tasks.augmentation.augmenter import Example
from tasks.augmentation.augmenters.rewording import RewordingAugmenter, reword

# question, kind, one of the rewordings
CASES = [
    ("What is a berth window?", "definition", "Explain what a berth window is."),
    ("What are calm calls?", "definition", "What is meant by calm calls?"),
    ("What does VSF stand for?", "definition", "Explain what VSF stands for."),
    ("What does Livestock mean?", "definition", "What is the meaning of Livestock?"),
    ("What does fuzzing refer to?", "definition", "Explain what fuzzing refers to."),
    ("How do you launch the boat?", "procedure", "What are the steps to launch the boat?"),
    ("What are the steps for opening a door?", "procedure", "List the steps for opening a door."),
    ("What are the limits on weight?", "list", "List the limits on weight."),
    ("Which things must you bring?", "list", "List the things that you must bring."),
    (
        'What does "Leave policy" say about sick days?',
        "keyword",
        'Tell me what "Leave policy" says about sick days.',
    ),
    (
        'Complete the sentence from "Fares": A dog costs ____.',
        "cloze",
        'Fill in the blank in this sentence from "Fares": A dog costs ____.',
    ),
    (
        'What stands under "Depth" for "Hesk"?',
        "table",
        'Give me the entry under "Depth" for "Hesk".',
    ),
    (
        'What does the table say about "Hesk"?',
        "table_row",
        'What can be read in the table about "Hesk"?',
    ),
    ("What is a COR?", "faq", "Tell me what a COR is."),
    ("How long can I stay?", "faq", "Tell me how long I can stay."),
    ("What is the email for S-014?", "table", "Tell me the email for S-014."),
    ("How many berths are given for Hesk?", "table", "Tell me how many berths are given for Hesk."),
    ("How often is the door greased?", "fact", "How frequently is the door greased?"),
    ("By whom is the list signed?", "fact", "Who is the list signed by?"),
    ("Who signs the list?", "fact", "Tell me who signs the list."),
    ("Who is the head of safety?", "faq", "Tell me who the head of safety is."),
    ("How many days do I have?", "faq", "Tell me how many days I have."),
    ("Where can I park?", "faq", "Tell me where I can park."),
    ("How do I claim my expenses?", "faq", "Explain how to claim my expenses."),
    ("Can I keep bonus points?", "faq", "Tell me whether I can keep bonus points."),
    ("Do you sail at night?", "faq", "Tell me whether you sail at night."),
    ("What happens if I am late?", "faq", "Tell me what happens if I am late."),
    (
        'According to "Fares", who pays?',
        "fact",
        'Tell me who pays, according to "Fares".',
    ),
]


@pytest.mark.parametrize(("question", "kind", "expected"), CASES)
def test_a_question_is_reworded(question: str, kind: str, expected: str) -> None:
    assert expected in list(reword(question, kind))


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many days does the set last?", "fact"),  # would need: the set lasts
        ("Is a cyclist insured?", "faq"),
        ("Who does the master call?", "faq"),
        ("What is the price if you cancel?", "fact"),  # a clause cannot be moved over
        ("What is 18F?", "fact"),  # not marked as a definition
        ("Tell me about ships.", "faq"),
    ],
)
def test_a_question_that_no_rule_fits_is_left_alone(question: str, kind: str) -> None:
    assert list(reword(question, kind)) == []


def test_naming_the_document_moves_to_the_end_even_where_no_rule_fits() -> None:
    found = list(reword('According to "Fares", is a cyclist insured?', "faq"))
    assert found == ['Is a cyclist insured, according to "Fares"?']


@pytest.mark.parametrize(("question", "kind"), [case[:2] for case in CASES])
def test_rewordings_are_distinct_whole_sentences_with_the_old_answer(question, kind) -> None:
    example = Example(kind, question, "An answer.", None)
    variants = list(RewordingAugmenter().augment(example, Random(1)))
    texts = [variant.question for variant in variants]
    assert len(set(texts)) == len(texts)
    assert question not in texts
    for text in texts:
        assert text[0].isupper()
        assert text.strip() == text
        assert "{" not in text
    assert {variant.answer for variant in variants} == {"An answer."}
