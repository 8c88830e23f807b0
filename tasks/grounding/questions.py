"""Is a question well formed, does it stand on its own, and what sort of answer does it want?"""

import re

from tasks.grounding.claims import numbers
from tasks.grounding.units import split_sentences

_QUESTION_WORDS = re.compile(
    r"(?:According to|In|For|From|Within|By|At|Up|Until|Since|On|To|With|What|Which|Who|Whom|Whose|"
    r"How|When|Where|Why|Is|Are|Was|Were|Do|Does|Did|Can|Could|May|Must|Should|Will|Would|Has|Have|"
    r"If|Under|As)\b"
)
_INSTRUCTION = re.compile(r"(?:Fill in|List|Name|Explain|Describe|Complete|Summarise|Summarize)\b")


# How a question says in which document or section its answer is looked for.
_SOURCE = re.compile(r'^(?:According to|In) "[^"]*",\s*|(?<=^Fill in the gap), going by "[^"]*"')


def without_source(question: str) -> str:
    """Return a question without the title of the document or section that it is put to."""
    return _SOURCE.sub("", question)


def malformed(question: str) -> str | None:
    """Return what is wrong with a question's form, or None."""
    if _INSTRUCTION.match(question):
        return None
    question = re.sub(r'"[^"]*"', "X", question)
    if not question.endswith("?"):
        return "does not end with a question mark"
    if question.count("?") > 1 or "\n" in question:
        return "is more than one question"
    if not _QUESTION_WORDS.match(split_sentences(question)[-1]):
        return "does not begin like a question"
    if re.match(r"\w+: ", question):
        return "is a line of a conversation"
    repeated = re.search(r"\b(\w+) \1\b", question.lower())
    if repeated and repeated[1] not in ("that", "had"):
        return f"repeats {repeated[1]!r}"
    if (
        any(question.count(a) != question.count(b) for a, b in ("()", "[]"))
        or question.count('"') % 2
    ):
        return "has an open bracket or quotation mark"
    return None


_TEXT_POINTER = re.compile(
    r"\b(?:(?:the|this) (?:above|text|passage|paragraph|excerpt|sentence|document|article|"
    r"section|following)|(?:mentioned|described|listed|given|shown) (?:above|below|here)|"
    r"above-mentioned)\b",
    re.IGNORECASE,
)
_BARE_POINTER = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|must|may|should|will|would|has|have|of|to|for|with|"
    r"by|about|what|in) (it|they|them|he|she|him|this|these|those|that)(?= [a-z]+\b|\?)",
    re.IGNORECASE,
)


# A heading turned question: what is to be joined, or whom it is looked for, stands outside it.
_OPEN_END = re.compile(
    r"\b(?:eligible(?: to (?:take part|participate|apply|attend|join|enrol+|register))?|"
    r"(?:who|how|when|where|why)\b[^?]*\b(?:take part|participate|apply|enrol+|sign up|register)|"
    r"(?:are|were) (?:we|you|they) looking for)(?=\?$)",
    re.IGNORECASE,
)


def points_at_text(question: str) -> str | None:
    """Return the words by which a question leans on something that it does not name."""
    if _INSTRUCTION.match(question):
        return None
    unquoted = re.sub(r'"[^"]*"', '""', question)
    match = _TEXT_POINTER.search(unquoted) or _BARE_POINTER.search(unquoted)
    if match is None and '""' not in unquoted:  # a title says where it belongs
        match = _OPEN_END.search(unquoted)
    return match[0] if match else None


_MONTHS = (
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays "
    "thursdays fridays saturdays sundays spring summer autumn winter"
)
_TIMES = re.compile(
    rf"\d|\b(?:{_MONTHS.replace(' ', '|')}|day|week|month|year|hour|minute|night|morning|evening|"
    r"before|after|when|once|until|as soon as|every|each|always|never|daily|weekly|monthly|"
    r"annual\w*|quarter\w*|while|during|if|upon|immediately|end|start|by|on)s?\b",
    re.IGNORECASE,
)


def wrong_type(question: str, answer: str) -> str | None:
    """Return what a question asks for when the answer holds nothing of that sort."""
    asked = without_source(question).lower()
    if re.search(r"\bhow (?:many|much)\b", asked) and not numbers(answer):
        return (
            None
            if re.search(r"\b(?:no|none|half|all|same|a|an|up)\b", answer.lower())
            else "a number"
        )
    if re.match(r"(?:by |until |since )?when\b|how often\b|how long\b", asked) and not (
        _TIMES.search(answer) or numbers(answer)
    ):
        return "a time"
    return None
