"""Jupyter notebooks: prose and code in order, with what the code printed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tasks.ingestion.decode import decode
from tasks.ingestion.fence import fenced
from tasks.ingestion.media_type import NOTEBOOK
from tasks.ingestion.parser import PARSERS, ParsedDocument, Parser, UnreadableFile
from tasks.ingestion.stated import stated_text


@PARSERS.register
class NotebookParser(Parser):
    """Jupyter notebooks of format 3 and 4."""

    parser: Literal["notebook"] = Field("notebook", description="Name of the parser.")
    output_lines: int = Field(
        20, ge=0, description="At most this many lines are kept of what one cell printed."
    )
    media_types: ClassVar[tuple[str, ...]] = (NOTEBOOK,)
    format_name: ClassVar[str] = "Jupyter notebook"
    inline_markup: ClassVar[bool] = True

    def parse(self, path: Path, content: bytes) -> ParsedDocument:
        """Return Markdown cells as they are, code in fences, text outputs below it."""
        try:
            notebook = json.loads(decode(content))
            parts = [part for cell in _cells(notebook) for part in self._parts(cell, notebook)]
        # a cell that is not built as nbformat says
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            raise UnreadableFile("corrupt", f"The notebook cannot be read: {error}.") from error
        title = notebook.get("metadata", {}).get("title")
        return ParsedDocument(
            text="\n\n".join(filter(None, parts)),
            title=stated_text(title) if isinstance(title, str) else "",
        )

    def _parts(self, cell: Mapping[str, Any], notebook: Mapping[str, Any]) -> Iterator[str]:
        source = _joined(cell.get("source", cell.get("input", "")))
        match cell["cell_type"]:
            case "markdown":
                yield source.strip()
            case "heading":  # format 3
                yield f"{'#' * int(cell.get('level', 1))} {source.strip()}"
            case "code":
                yield fenced(source, _language(notebook))
                for output in cell.get("outputs", []):
                    yield fenced(self._first_lines(_printed(output)), "text")

    def _first_lines(self, text: str) -> str:
        return "\n".join(text.strip("\n").split("\n")[: self.output_lines])


def _cells(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "worksheets" in notebook:  # format 3
        return [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    return list(notebook["cells"])


def _language(notebook: Mapping[str, Any]) -> str:
    metadata = notebook.get("metadata", {})
    named = metadata.get("language_info", {}).get("name")
    return str(named or metadata.get("kernelspec", {}).get("language") or "python")


def _printed(output: Mapping[str, Any]) -> str:
    """Return what an output says in plain text; nothing of pictures and errors."""
    if output.get("output_type") == "stream" and output.get("name", "stdout") == "stdout":
        return _joined(output.get("text", ""))
    data = output.get("data", {})
    # a picture's plain form is its address in memory
    drawn = any(kind.startswith("image/") for kind in data)
    return "" if drawn else _joined(data.get("text/plain", ""))


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
