"""Text that speaks to a language model instead of to its readers.

Documents are data: a passage that gives orders to whoever processes it must neither steer a
generator nor reach training unnoticed. What is looked for is an address (you, the
assistant, this model, its instructions) together with an order, and the tokens and tricks
by which orders are smuggled in. "Ignore the previous version of this form" and "follow
these instructions" are ordinary sentences and are left alone.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.text.instruction_patterns import WORDINGS

FLAG = "instructions"


@dataclass(frozen=True)
class Finding:
    """One place that speaks to a model.

    Attributes:
        kind: What it does: override, role, marker, smuggled, hidden, answer_order, ...
        text: The words.
        start: Where they begin, to within the markup that is read over.
    """

    kind: str
    text: str
    start: int


# Control tokens of chat templates: Gemma, Llama 2 and 3, ChatML, Mistral, Phi, Command R,
# DeepSeek; and role lines as completion prompts have them.
_MARKERS = re.compile(
    r"<\|[^|<>\n]{2,40}\|>|<｜[^｜\n]{2,40}｜>|<(?:start|end)_of_(?:turn|image)>|\[/?INST\]|"
    r"<</?SYS>>|</s>|<(?:bos|eos|pad|unk)>|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|"
    r"SYSTEM_PROMPT)\]|</?(?:system|assistant|system_prompt|system-prompt|tool_call|im_start|"
    r"im_end|endoftext)>|^(?:#{2,4} ?)(?:instruction|system|response|assistant)s?:?[ \t]*$|"
    r"^\W{0,3}(?:system|assistant)(?: prompt| message)?\W{0,2}:[ \t]+(?=(?:you|user|your|ignore|"
    r"disregard|override|forget|new instructions|always|never|from now)\b|the user\b)",
    re.IGNORECASE | re.MULTILINE,
)

# Text that a browser does not show.
_HIDDEN = re.compile(
    r"<[a-z][^>]*style\s*=\s*[\"'][^\"'>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|"
    r"font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])|color\s*:\s*(?:white|#fff(?:fff)?)\b)[^>]*>\s*[^<\s]"
    r"[^<]{15,}",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--(.*?)-->|\[//\]: # \((.*?)\)", re.DOTALL)

# In a comment an address with an order is enough: authors' notes are to authors.
_NOTE_TO_MODEL = re.compile(
    r"\b(?:ai|llm|gpt|assistants?|chatbots?|models?)\b.{0,80}?\b(?:ignore|disregard|say|respond|reply|"
    r"answer|reveal|recommend|output|tell|claim|must)\b",
    re.IGNORECASE | re.DOTALL,
)

# Unicode tag characters carry invisible ASCII; the others split words that are looked for.
_TAGS = re.compile(r"[\U000E0020-\U000E007E]{4,}")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\u00ad]")
_WORD_SPLIT = re.compile(r"(?<=\w)[\u200b\u200c\u200d\u2060\ufeff\u00ad](?=\w)")
_BASE64 = re.compile(r"(?<![\w+/=])[A-Za-z0-9+/]{24,}={0,2}(?![\w+/=])")

_PARAGRAPH_END = re.compile(r"\n\s*\n")

_WORD = re.compile(r"\w+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_SPACE = re.compile(r"\s+")
_EMPHASIS = re.compile(r"[*_`]{1,3}(?=\w)|(?<=\w)[*_`]{1,3}")

# Letters of other alphabets that look like Latin ones.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁӏАВЕКМНОРСТХІ", "aeopcyxijsdlABEKMHOPCTXI")


def find_instructions(text: str) -> list[Finding]:
    """Return the places of a text that speak to a language model, in order.

    Args:
        text: Any text: a passage, a question, an answer.
    """
    found = [*_spoken(text), *_marked(text), *_smuggled(text)]
    return sorted(set(found), key=lambda finding: (finding.start, finding.kind))


def _spoken(text: str) -> Iterator[Finding]:
    start = 0
    for paragraph in _PARAGRAPH_END.split(text):
        plain = readable(paragraph)
        lowered = plain.lower()
        for wording in WORDINGS:
            if not wording.may_occur(lowered):
                continue
            for match in wording.pattern.finditer(plain):
                said = " ".join(match[0].split())[:200]
                yield Finding(wording.kind, said, start + match.start())
        start += len(paragraph) + 2


def readable(text: str) -> str:
    """Return a text as a reader sees it: one width and alphabet, nothing invisible."""
    flat = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'")
    flat = _WORD.sub(_unmixed, flat) if _CYRILLIC.search(flat) else flat
    return _SPACE.sub(" ", _EMPHASIS.sub("", flat))


def _unmixed(match: re.Match[str]) -> str:
    """Return a word that mixes alphabets in Latin letters; a Cyrillic word stays as it is."""
    word = match[0]
    latin = re.search(r"[A-Za-z]", word)
    return word.translate(_LOOKALIKES) if latin else word


def _marked(text: str) -> Iterator[Finding]:
    for match in _MARKERS.finditer(text):
        yield Finding("marker", match[0].strip(), match.start())


def _smuggled(text: str) -> Iterator[Finding]:
    for match in _TAGS.finditer(text):
        said = "".join(chr(ord(character) - 0xE0000) for character in match[0])
        yield Finding("smuggled", said[:200], match.start())
    if len(_WORD_SPLIT.findall(text)) >= 3 and any(_spoken(text)):
        yield Finding("smuggled", "words split by invisible characters", 0)
    for match in _HIDDEN.finditer(text):
        yield Finding("hidden", match[0][:200], match.start())
    for match in _COMMENT.finditer(text):
        said = match[1] or match[2] or ""
        if _NOTE_TO_MODEL.search(said) or any(_spoken(said)):
            yield Finding("hidden", said.strip()[:200], match.start())
    for match in _BASE64.finditer(text):
        said = _decoded(match[0])
        if said and any(_spoken(said)):
            yield Finding("smuggled", said[:200], match.start())


def _decoded(blob: str) -> str:
    """Return what a base64 blob says, or nothing where it is no text."""
    try:
        said = base64.b64decode(blob + "=" * (-len(blob) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return said if said.isprintable() else ""
