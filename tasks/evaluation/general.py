"""General skills and general text: what the tuned model must not have forgotten.

A folder of JSONL files, each of one shape:

    {"query": "Predators eat", "choices": ["lions", "bunnies"], "gold": 1}   a skill
    {"text": "A passage."}                                                  general text
    {"context": "... the door.", "continuation": "signs"}                   general text
    {"context": "Question: ...", "answer": "Onion", "aliases": [...]}       skipped

Skills and texts are named by their file. The last two shapes are those of LAMBADA and
TriviaQA in the Mosaic evaluation gauntlet, so that its folders can be used as they are.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from data_contracts.base import digest, file_sha256
from data_contracts.errors import GeneralSetError

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "probe"

_EXPECTED = (
    'expected lines like {"query": "...", "choices": ["...", "..."], "gold": 0}, '
    'or lines like {"text": "..."}'
)


@dataclass(frozen=True)
class ChoiceItem:
    """A multiple-choice item of a skill; `gold` is the index of the right choice."""

    item_id: str
    skill: str
    query: str
    choices: tuple[str, ...]
    gold: int


@dataclass(frozen=True)
class TextItem:
    """A passage of general text."""

    item_id: str
    source: str
    text: str


@dataclass(frozen=True)
class GeneralSets:
    """All items and passages of a folder."""

    items: tuple[ChoiceItem, ...]
    texts: tuple[TextItem, ...]

    @property
    def measured(self) -> list[str]:
        """Every text that is scored, but for the choices."""
        return [*(text.text for text in self.texts), *(item.query for item in self.items)]


@dataclass(frozen=True)
class _Line:
    """A parsed line and where it stands."""

    path: Path
    number: int
    value: dict[str, Any]

    def error(self, what: str) -> GeneralSetError:
        return GeneralSetError(f"{self.path}, line {self.number}: {what}; {_EXPECTED}.")


def general_digest(folder: Path) -> str:
    """Return a digest of the files that `read_general` reads.

    Raises:
        GeneralSetError: There are none.
    """
    return digest([(path.stem, file_sha256(path)) for path in _files(folder)], length=32)


def read_general(folder: Path) -> GeneralSets:
    """Read every JSONL file in a folder and its subfolders.

    Raises:
        GeneralSetError: The folder holds no such file, or a file has the wrong format.
    """
    items: dict[str, ChoiceItem] = {}
    texts: dict[str, TextItem] = {}
    for path in _files(folder):
        for line in _lines_of_one_shape(path):
            if "choices" in line.value:
                item = _choice_item(line)
                items.setdefault(item.item_id, item)
            else:
                text = _text_item(line)
                texts.setdefault(text.item_id, text)
    return GeneralSets(tuple(items.values()), tuple(texts.values()))


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.rglob("*.jsonl"), key=lambda path: path.stem)
    if not files:
        raise GeneralSetError(
            f"{folder} holds no *.jsonl file: {_EXPECTED}. Correct evaluation.general_folder, or "
            "leave it empty to use the probe that comes with Temper."
        )
    for before, path in pairwise(files):
        if before.stem == path.stem:
            raise GeneralSetError(
                f"{before} and {path} have the same name, which names the skill: rename one."
            )
    return files


def _lines_of_one_shape(path: Path) -> Iterator[_Line]:
    """Yield a file's lines; none where its shape is known but of no use here."""
    shape: frozenset[str] | None = None
    for line in _lines(path):
        found = _shape(line)
        if shape is None:
            shape = found
        if found != shape:
            raise line.error("the file's lines are not all of one shape")
        if "answer" in found:
            logger.info("%s is left out: free answers (TriviaQA's format) are not scored", path)
            return
        yield line
    if shape is None:
        raise GeneralSetError(f"{path} holds no line; {_EXPECTED}. Delete or fill it.")


def _lines(path: Path) -> Iterator[_Line]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GeneralSetError(f"Cannot read {path} as UTF-8 text: {error}.") from error
    for number, text in enumerate(lines, start=1):
        if text.strip():
            yield _parse(path, number, text)


def _parse(path: Path, number: int, text: str) -> _Line:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path}, line {number}"
        raise GeneralSetError(f"{where}: not valid JSON ({error}); {_EXPECTED}.") from error
    if not isinstance(value, dict):
        raise _Line(path, number, {}).error(f"a JSON {type(value).__name__} instead of an object")
    return _Line(path, number, value)


def _shape(line: _Line) -> frozenset[str]:
    """Return the keys that tell what a line is; further keys are ignored."""
    shapes = (
        {"query", "choices", "gold"},
        {"text"},
        {"context", "continuation"},
        {"context", "answer"},
    )
    for keys in shapes:
        if keys <= line.value.keys():
            return frozenset(keys)
    raise line.error(f"an object with the keys {', '.join(sorted(line.value)) or '(none)'}")


def _choice_item(line: _Line) -> ChoiceItem:
    query, gold = _string(line, "query"), line.value["gold"]
    choices = line.value["choices"]
    if not isinstance(choices, list) or len(choices) < 2:
        raise line.error('"choices" is not a list of at least two')
    if not all(isinstance(choice, str) and choice.strip() for choice in choices):
        raise line.error('"choices" holds something else than non-empty strings')
    if type(gold) is not int or not 0 <= gold < len(choices):
        raise line.error(f'"gold" is {gold!r}, not an index from 0 to {len(choices) - 1}')
    skill = line.path.stem
    item_id = f"{skill}-{digest([query, choices, gold], length=16)}"
    return ChoiceItem(item_id, skill, query, tuple(choices), gold)


def _text_item(line: _Line) -> TextItem:
    if "text" in line.value:
        text = _string(line, "text")
    else:
        text = f"{_string(line, 'context')} {_string(line, 'continuation')}"
    source = line.path.stem
    return TextItem(f"{source}-{digest(text, length=16)}", source, text)


def _string(line: _Line, key: str) -> str:
    value = line.value[key]
    if not isinstance(value, str) or not value.strip():
        raise line.error(f'"{key}" is not a non-empty string')
    return value
