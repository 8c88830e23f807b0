"""Whatever is done to a file, a parser gives a document or says why not."""

import io
import random
import zipfile
from contextlib import suppress
from pathlib import Path, PurePosixPath

import openpyxl
import pytest

from tasks.ingestion.media_type import detect_media_type
from tasks.ingestion.parser import PARSERS, UnreadableFile, parser_for
from tests.unit.ingestion.conftest import draw_pdf
from tests.unit.ingestion.make_files import RTF, make_epub, make_notebook, make_pptx

HTML = "<html><body><main><h1>Café</h1><table><tr><td>a<td>b</table></main></body></html>" * 5


@pytest.fixture
def samples(docx_bytes: bytes, workbook: openpyxl.Workbook, save_workbook) -> dict[str, bytes]:
    workbook.active.append(["Ship", "Cars"])
    workbook.active.append(["Wren", 78])
    return {
        "a.docx": docx_bytes,
        "a.xlsx": save_workbook(workbook),
        "a.pptx": make_pptx(),
        "a.epub": make_epub({"one": "<h1>Eins</h1><p>Words.</p>"}),
        "a.pdf": draw_pdf([[("The harbour desk", 60, 700, 10)]]),
        "a.rtf": RTF,
        "a.html": HTML.encode(),
        "a.json": b'{"a": [{"b": 1.5, "c": null}], "d": "\xc3\xa9"}',
        "a.jsonl": b'{"a": 1}\n{"a": 2}\n',
        "a.ipynb": make_notebook([{"cell_type": "markdown", "source": "# A"}]),
        "a.csv": b"a,b\n1,2\n3,4\n",
        "a.py": b'"""Doc."""\n\ndef f():\n    """In."""\n',
        "a.md": b"---\ntitle: x\n---\n# A\n",
        "a.txt": "Zeile eins\n\nÄpfel".encode("cp1252"),
    }


def read(name: str, content: bytes) -> str:
    """Return a document's text, or the reason why there is none."""
    try:
        media_type = detect_media_type(PurePosixPath(name), content)
        return parser_for(media_type).parse(Path(name), content).text
    except UnreadableFile as error:
        return f"{error.reason}: {error}"


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Cut, overwrite, repeat or empty a part."""
    start = rng.randrange(len(content))
    end = min(len(content), start + rng.randrange(1, 200))
    match rng.randrange(4):
        case 0:
            return content[:start]
        case 1:
            return content[:start] + rng.randbytes(end - start) + content[end:]
        case 2:
            return content[:end] + content[start:end] * 3 + content[end:]
    return content[:start] + b"\0" * (end - start) + content[end:]


def test_every_parser_has_a_sample(samples: dict[str, bytes]) -> None:
    types = {detect_media_type(PurePosixPath(name), content) for name, content in samples.items()}
    assert all(types & set(parser.media_types) for parser in PARSERS)
    assert all(len(read(name, content)) > 0 for name, content in samples.items())


@pytest.mark.parametrize("seed", range(6))
def test_damage_never_raises_anything_else(samples: dict[str, bytes], seed: int) -> None:
    rng = random.Random(seed)
    for name, content in samples.items():
        for _ in range(4):
            read(name, damaged(content, rng))


def test_bytes_under_any_name_never_raise(samples: dict[str, bytes]) -> None:
    for parser in PARSERS:
        for content in (b"\0" * 50, b"{" * 3000, b"<" * 3000, random.Random(1).randbytes(500)):
            with suppress(UnreadableFile):
                parser().parse(Path("x"), content)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("a.docx", "word/document.xml"),
        ("a.xlsx", "xl/worksheets/sheet1.xml"),
        ("a.pptx", "ppt/slides/slide1.xml"),
        ("a.epub", "OEBPS/book.opf"),
    ],
)
@pytest.mark.parametrize("xml", [b"<a", b"", b"<a>" * 5000 + b"</a>" * 5000])
def test_whole_packages_with_broken_parts(
    samples: dict[str, bytes], name: str, part: str, xml: bytes
) -> None:
    target = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(samples[name]))
    with source, zipfile.ZipFile(target, "w") as copy:
        for inner in source.namelist():
            copy.writestr(inner, xml if inner == part else source.read(inner))
    got = read(name, target.getvalue())
    # openpyxl passes over what is no cell, however deep it lies
    assert got.startswith(("corrupt", "too_complex")) or (name == "a.xlsx" and not got)
