"""The forms of questions, and other ways to put each.

A rule fits a whole question and is applied only where its result is good English whatever
the captured words are; a question that no rule fits is left alone. Rules that move a verb
("How many days do you get?") are limited to subjects for which it keeps its form.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A form of question and other ways to put it.

    Attributes:
        pattern: Regular expression for the whole question.
        forms: Other ways: {1} is the first group, {l1} the same with a small first letter.
        kinds: Kinds of rows it is for; empty for all.
    """

    pattern: str
    forms: tuple[str, ...]
    kinds: tuple[str, ...] = ()


# A noun phrase that can stand in the middle of a sentence: no clause, no enumeration.
_PHRASE = r"((?:(?!\b(?:if|when|that|which|who|where|because|called|and|or)\b)[^,;:?]){1,60})"
_REST = r"([^?\n]+)"
_YOU = r"(I|we|you)"
_WH = r"(What|When|Where|Why|How)"

# What a verb must not be for "Who ...?" to have "who" as its subject.
_INVERTED = r"(?:is|are|was|were) the |(?:do|does|did) "

DEFINITIONS = (
    Rule(
        rf"What does {_PHRASE} stand for\?",
        ("Explain what {1} stands for.", "Tell me what {1} stands for."),
        ("definition",),
    ),
    Rule(
        rf"What does {_PHRASE} mean\?",
        ("Explain what {1} means.", "What is the meaning of {1}?", "Define {1}."),
        ("definition",),
    ),
    Rule(rf"What does {_PHRASE} refer to\?", ("Explain what {1} refers to.",), ("definition",)),
    Rule(
        rf"What (is|are) {_PHRASE}\?",
        (
            "Define {2}.",
            "Explain what {2} {1}.",
            "What is meant by {2}?",
            "Give the definition of {2}.",
        ),
        ("definition",),
    ),
)

PROCEDURES = (
    Rule(
        rf"What are the steps (for|under|to) {_REST}\?",
        (
            "List the steps {1} {2}.",
            "Give me the steps {1} {2}.",
            "Which steps are there {1} {2}?",
        ),
        ("procedure",),
    ),
    Rule(
        rf"How do {_YOU} {_REST}\?",
        ("Explain how to {2}.", "Describe how to {2}.", "What are the steps to {2}?"),
        ("procedure",),
    ),
)

LISTS = (
    Rule(
        r'What is listed under "([^"]+)"\?',
        ('Which items are listed under "{1}"?', 'Give me the list under "{1}".'),
        ("list",),
    ),
    Rule(
        rf"What are (the {_PHRASE})\?",
        ("List {1}.", "Name {1}.", "Give me a list of {1}."),
        ("list",),
    ),
    Rule(
        r"Which ([a-z ]+?) (must|should|can|may|will) ([^,;:?]{1,40}) ([a-z]+)\?",
        ("List the {1} that {3} {2} {4}.", "Tell me which {1} {3} {2} {4}."),
        ("list",),
    ),
)

LOOKUPS = (
    Rule(
        rf'What does "([^"]+)" say about {_REST}\?',
        (
            'What information does "{1}" give about {2}?',
            'What does "{1}" tell us about {2}?',
            'Tell me what "{1}" says about {2}.',
            'What can be read in "{1}" about {2}?',
        ),
        ("keyword",),
    ),
    Rule(
        r'Complete the sentence from "([^"]+)": ([^\n]+)',
        (
            'Fill in the blank in this sentence from "{1}": {2}',
            'This sentence from "{1}" has a gap. Fill it in: {2}',
            'What is missing in this sentence from "{1}"? {2}',
        ),
        ("cloze",),
    ),
    Rule(
        r'What stands under "([^"]+)" for "([^"]+)"\?',
        ('Which entry does "{2}" have under "{1}"?', 'Give me the entry under "{1}" for "{2}".'),
        ("table",),
    ),
    Rule(
        r'What does the table say about "([^"]+)"\?',
        ('What can be read in the table about "{1}"?', 'Give the row of the table for "{1}".'),
        ("table_row",),
    ),
    Rule(rf"What is (the {_PHRASE} for [^?\n]+)\?", ("Tell me {1}.", "Give me {1}."), ("table",)),
    Rule(
        rf"How many {_PHRASE} are given for {_REST}\?",
        ("What number of {1} is given for {2}?", "Tell me how many {1} are given for {2}."),
        ("table",),
    ),
)

GENERAL = (
    Rule(rf"How often {_REST}\?", ("How frequently {1}?",)),
    Rule(rf"By whom {_REST}\?", ("Who {1} by?",)),
    Rule(
        rf"How do {_YOU} {_REST}\?",
        ("How can {1} {2}?", "Explain how to {2}.", "Tell me how to {2}."),
    ),
    Rule(
        rf"{_WH} ([^?\n]*?)\bdo {_YOU} {_REST}\?",
        ("Tell me {l1} {2}{3} {4}.", "Please explain {l1} {2}{3} {4}."),
    ),
    Rule(
        rf"{_WH} ([^?\n]*?)\b(must|should|can|may|will|could) {_YOU} {_REST}\?",
        ("Tell me {l1} {2}{4} {3} {5}.", "Please explain {l1} {2}{4} {3} {5}."),
    ),
    Rule(
        rf"(Must|Should|Can|May|Will|Could) {_YOU} {_REST}\?",
        ("Tell me whether {2} {l1} {3}.",),
    ),
    Rule(rf"Do {_YOU} {_REST}\?", ("Tell me whether {1} {2}.",)),
    Rule(rf"Who ((?!{_INVERTED})[^?\n]+)\?", ("Tell me who {1}.", "Say who {1}.")),
    Rule(rf"What happens {_REST}\?", ("Tell me what happens {1}.", "Explain what happens {1}.")),
    Rule(rf"(Who|What) (is|are) ((?:the|a|an) {_PHRASE})\?", ("Tell me {l1} {3} {2}.",)),
)

RULES = (*DEFINITIONS, *PROCEDURES, *LISTS, *LOOKUPS, *GENERAL)
