"""What keeps a candidate that rules made from being worth training on, whatever its kind."""

import re
from collections.abc import Iterable, Iterator

from tasks.generation.base import Candidate, ChunkView
from tasks.generation.sections import names_subject
from tasks.scrubbing.placeholder import has_placeholder

# Markup whose content does not survive in plain text: code, images, templates, <placeholders>.
_LOST = re.compile(
    r"```|~~~|:(?:[a-z]+:)?(?:attr|class|data|doc|exc|func|meth|mod|ref|term):(?=\S)|!\[|\{\{|\{%|<%|<(?!https?:|br\b|/?(?:b|i|em|strong|u|sub|sup|p|li|ul|ol|code|kbd|"
    r"small|span|div|abbr|mark|a)\b)[A-Za-z_/]",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d+);")

# Words by which an answer leans on what a reader would have to see beside it.
_SHOWN = "list|table|link|form|section|steps?|chart|map|image|screenshot|diagram|example|template"
_ELSEWHERE = re.compile(
    r"\b(?:above|below)(?=[.,;:)]|$)|"
    r"\b(?:see|listed|described|shown|mentioned|outlined|noted|given|linked|links|instructions|"
    r"guidance|process|framework|figure|code|commands?|options?|settings?|points?|notes?|rules?|"
    rf"{_SHOWN}) (?:above|below)\b|"
    rf"\b(?:below|above) (?:{_SHOWN})|"
    r"\b(?:these|those) (?:instructions|steps)\b|\blisted\.?$|\bsteps? \d+[-–]\d|"
    rf"\bthis (?:page|guide|document|handbook|video|thread|post|article|{_SHOWN})\b|"
    r"\b(?:next|previous|earlier|later) sections?\b|"
    r"\b(?:screenshot|pictured|diagram|click here|we see that|as you can see)\b|"
    r"\bthe following\b(?![^:\n]*:\n)|\b(?:here|like this|like so|as follows)[.:]?(?:$|\n)",
    re.IGNORECASE,
)
_POINTER = re.compile(
    r"(?:please )?(?:see|refer to|visit|check|check out|read|consult|review|learn more|for more|"
    r"more info\w*|view|browse|follow the|follow these|head to|go to|take a look|"
    r"feel free to (?:peruse|read|browse|look))\b",
    re.IGNORECASE,
)
_LOOK = re.compile(
    r"(?:see|refer to|read|learn more|for more|more info\w*|browse|feel free)\b", re.IGNORECASE
)
_AWAY = re.compile(
    r"\b(?:is|are|can be found|be) (?:available|found|listed|documented|described) "
    r"(?:on|in|at|from|through|under) [^.]+\.$|"
    r"\bvisit\b.* to learn|\bhas (?:supporting )?documentation\b|"
    r"\bsee the [^.]+\.$|\bsee \S+ for more|"
    r"\bcheck [^.]+ for help\b",
    re.IGNORECASE,
)
# An order to read on, after a condition or as a sentence of its own.
_READ_ON = re.compile(
    r"(?:^|[.!] |, |you can |\bplease )(?:please )?(?i:see|check out|refer to|consult|"
    r"take a look at|have a look at|head (?:over )?to|read) (?:the |our |this |their |its )?"
    r"(?:[\"“A-Z]|full\b|guide)|\bfollow (?:the|our) [^.]*\b(?:documentation|docs|guide|guides|"
    r"tutorial|runbook)\.|\bcheck out (?:the|our|this)\b|"
    r"\byou can (?:learn|read|find out) more\b|"
    r"\b(?:is|are) maintained in (?:the|our) [A-Z]|"
    r"\b(?:is|are) (?:available )?in this \w+ (?:doc|document|sheet|folder|page)\b"
)
_SHORT_POINTER = 30  # words: what is longer says something beside where to look
_CUT_OFF = re.compile(r"(?:[:,;(]|\b(?:e\.g\.|i\.e\.|and|or|the|a|of|to))$")
_NOISE = re.compile(r"https?://\S{60,}|[|]|_{3,}(?! )|\bTODO\b|\bTBD\b|\bTK\b|lorem ipsum")


def screened(chunk: ChunkView, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield the candidates that hold what they promise.

    The rules know English alone: of a document in another language nothing is asked.
    """
    if chunk.language not in (None, "en"):
        return
    for candidate in candidates:
        evidence = chunk.text[candidate.start : candidate.end]
        if f'"{chunk.name}' in candidate.question and not names_subject(chunk.name):
            continue  # "According to "Overview"": of what?
        if not (_LOST.search(evidence) or _is_unfit(candidate)):
            yield candidate


def _is_unfit(candidate: Candidate) -> bool:
    answer, question = candidate.answer, candidate.question
    return (
        has_placeholder(question + answer)
        or _ENTITY.search(question + answer) is not None
        or _ELSEWHERE.search(answer) is not None
        or is_pointer(answer)
        or _CUT_OFF.search(answer) is not None
        or _NOISE.search(answer) is not None
        or any(answer.count(a) != answer.count(b) for a, b in ("()", "[]", "“”"))
        or answer.count('"') % 2 == 1
    )


def is_pointer(answer: str) -> bool:
    """Whether an answer only says where the answer is, as a whole or in most of its lines."""
    short = len(answer.split()) <= _SHORT_POINTER
    if short and (_POINTER.match(answer) or _AWAY.search(answer) or _READ_ON.search(answer)):
        return True
    lines = [line.lstrip("- ") for line in answer.splitlines()]
    pointing = [line for line in lines if _LOOK.match(line)]
    return 2 * len(pointing) > len(lines)
