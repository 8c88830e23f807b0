"""MkDocs hook: a page for each notebook, its text and code; its outputs are made by who runs it."""

import json
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

FOLDER = Path(__file__).parents[1] / "notebooks"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; the notebooks themselves are part of the site as they are."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        page = notebook_page(path)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=page))
    return files


def notebook_page(path: Path) -> str:
    """Return a notebook as Markdown, with the way to the notebook under its title."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    title, *rest = _parts(cells)
    heading, _, text = title.partition("\n")
    page = "\n\n".join([text.strip(), *rest]).replace(".ipynb)", ".md)")
    return f"{heading}\n\n[Download this notebook]({path.name})\n\n{page}\n"


def _parts(cells: list[dict[str, object]]) -> Iterator[str]:
    for cell in cells:
        lines = cell["source"]
        source = "".join(lines) if isinstance(lines, list) else str(lines)
        yield source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"
