"""Keywords to passage: what does the document say about these two things?"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal

from pydantic import Field

from tasks.generation.base import GENERATORS, Candidate, ChunkView, RuleGenerator
from tasks.generation.grammar import is_noun_phrase
from tasks.generation.passage import Span, plain
from tasks.generation.vocabulary import AUXILIARIES, CLAUSE_WORDS, PREPOSITIONS
from tasks.generation.wording import points_elsewhere


@GENERATORS.register
class KeywordPassageGenerator(RuleGenerator):
    """Names a heading's topic, or keywords, and asks what the document says about them."""

    generator: Literal["keyword_passage"] = "keyword_passage"
    longest_answer: int = Field(90, description="Longest answer, in words.", ge=5)
    keywords: int = Field(2, description="Keywords that a question names.", ge=1, le=3)

    def generate(self, chunk: ChunkView) -> Iterator[Candidate]:
        """Yield at most one candidate by heading and one by keywords."""
        prose = [s for s in chunk.sentences("paragraph") if _is_prose(s.text)]
        yield from self._by_heading(chunk, prose)
        yield from self._by_keywords(chunk, prose)

    def _by_heading(self, chunk: ChunkView, prose: Sequence[Span]) -> Iterator[Candidate]:
        heading = chunk.heading
        topic = is_noun_phrase(heading, longest=6) and heading != chunk.title
        every = sum(1 for _ in chunk.sentences("paragraph", "item", "step", "row", "quote"))
        if not (
            topic and chunk.first and chunk.last and len(prose) == every and '"' not in heading
        ):
            return
        answer = " ".join(sentence.text for sentence in prose)
        if 8 <= len(answer.split()) <= self.longest_answer and not points_elsewhere(prose[0].text):
            question = _say(chunk.name, [_inside(heading)])
            if question:
                yield Candidate("keyword", question, answer, prose[0].start, prose[-1].end)

    def _by_keywords(self, chunk: ChunkView, prose: Sequence[Span]) -> Iterator[Candidate]:
        if len(prose) < 2 or len(chunk.siblings) < 2:
            return
        words = top_keywords(chunk, self.keywords)
        if len(words) < self.keywords:
            return
        chosen = [s for s in prose if any(_mentions(s.text, word) for word in words)]
        answer = " ".join(sentence.text for sentence in chosen)
        together = all(_mentions(answer, word) for word in words)
        if not together or points_elsewhere(chosen[0].text) or len(chosen) > 3:
            return
        if 8 <= len(answer.split()) <= self.longest_answer:
            question = _say(chunk.name, words)
            if question:
                yield Candidate("keyword", question, answer, chosen[0].start, chosen[-1].end)


def top_keywords(chunk: ChunkView, count: int) -> list[str]:
    """Return the noun phrases that set a chunk apart within its own document.

    TF-IDF over the chunks of the document alone: with statistics of the whole corpus, one
    changed document would change the questions asked about all others.
    """
    weights = _weights(chunk.siblings)[chunk.siblings.index(chunk.text)]
    ranked = sorted(weights, key=lambda phrase: (-weights[phrase] * len(phrase.split()), phrase))
    return _distinct(ranked, count)


@lru_cache(maxsize=4)
def _weights(texts: tuple[str, ...]) -> list[dict[str, float]]:
    """Return each text's noun phrases with their TF-IDF weight among the texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    phrases = [list(noun_phrases(plain(text))) for text in texts]
    if not any(phrases):
        return [{} for _ in texts]
    vectorizer = TfidfVectorizer(analyzer=_unchanged, sublinear_tf=True)
    matrix = vectorizer.fit_transform(phrases)
    names = vectorizer.get_feature_names_out()
    rows = [matrix[position].tocoo() for position in range(len(texts))]
    return [dict(zip(map(str, names[row.col]), map(float, row.data), strict=True)) for row in rows]


def _unchanged(phrases: list[str]) -> list[str]:
    return phrases


# A determiner, one to three words, and a word that ends the phrase.
_PHRASE = re.compile(
    r"\b(?:[Aa]n?|[Tt]he|[Ee]ach|[Ee]very|[Yy]our|no|of|for|with)\s+"
    r"(?P<phrase>[a-z][a-z-]{2,}(?: [a-z][a-z-]{2,}){0,2})(?=(?P<end>[.,;:)]| \w+))"
)


def noun_phrases(text: str) -> Iterator[str]:
    """Yield the plain noun phrases of a text: a determiner before, a function word after."""
    ends = PREPOSITIONS | AUXILIARIES | CLAUSE_WORDS | {"and", "or"}
    for match in _PHRASE.finditer(text):
        words = match["phrase"].split()
        cut = next((n for n, word in enumerate(words) if word in ends), len(words))
        closed = cut < len(words) or match["end"].strip() in ends | set(".,;:)")
        phrase = " ".join(words[:cut])
        if closed and is_noun_phrase(phrase) and not words[cut - 1].endswith(("ly", "ing", "ed")):
            yield phrase


def _distinct(names: Sequence[str], count: int) -> list[str]:
    """Take the best terms that share no word."""
    chosen: list[str] = []
    for name in names:
        if not any(set(name.split()) & set(other.split()) for other in chosen):
            chosen.append(name)
    return chosen[:count]


def _mentions(text: str, term: str) -> bool:
    return re.search(rf"\b{re.escape(term)}\b", text, re.IGNORECASE) is not None


def _is_prose(text: str) -> bool:
    return text.endswith((".", "!")) and len(text.split()) >= 4


def _inside(heading: str) -> str:
    plain_case = heading[1:] == heading[1:].lower()
    return heading[0].lower() + heading[1:] if plain_case else heading


def _say(title: str, topics: Sequence[str]) -> str | None:
    if not 3 <= len(title) <= 80 or '"' in title:
        return None
    return f'What does "{title}" say about {" and ".join(topics)}?'
