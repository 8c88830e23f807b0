"""Makes documents in mixed formats from real handbooks: the same seed, the same files."""

import csv
import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from html import escape
from pathlib import Path

import docx
import openpyxl
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

ROOT = Path(__file__).parent.parent
FOLDERS = (ROOT / "examples" / "handbook", ROOT.parent / "shared/data/docs/18f-handbook")

# Of a hundred documents, as they may lie in an organisation's folders.
SHARES = {
    "md": 38, "txt": 14, "html": 16, "docx": 8, "pdf": 8, "xlsx": 4, "csv": 4, "eml": 6, "zip": 2,
}  # fmt: skip

_PARAGRAPH = re.compile(r"\n\s*\n")
_NUMBER = re.compile(r"\d+")
_LONG_WORD = re.compile(r"(?<![\w@/.])[a-z]{4,}(?![\w@/])")
_MARKUP = re.compile(r"[#*_`<>{}|\[\]]|^---")

Paragraphs = list[str]


def paragraphs() -> Paragraphs:
    """Return all prose paragraphs of the handbooks at hand, sorted."""
    found = set[str]()
    for folder in FOLDERS:
        for path in folder.rglob("*"):
            if path.suffix in (".md", ".txt"):
                parts = _PARAGRAPH.split(path.read_text(encoding="utf-8", errors="replace"))
                found |= {" ".join(part.split()) for part in parts if not _MARKUP.search(part)}
    return sorted(part for part in found if 60 < len(part) < 900)


def make_documents(
    folder: Path,
    count: int,
    seed: int,
    lengths: tuple[int, int] = (4, 20),
    distinct: bool = False,
) -> None:
    """Write `count` files into subfolders of a hundred.

    Args:
        folder: Where to.
        count: How many.
        seed: The same seed, the same files.
        lengths: Fewest and most paragraphs of a document.
        distinct: Whether every document has words of its own, so that no two are kin.
    """
    pool = paragraphs()
    words = sorted({word for part in pool for word in _LONG_WORD.findall(part)})
    formats = [suffix for suffix, share in SHARES.items() for _ in range(share)]
    for number in range(count):
        chance = random.Random(f"{seed}-{number}")
        suffix = formats[chance.randrange(len(formats))]
        target = folder / f"part-{number // 100:03}" / f"document-{number:05}.{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        parts = list(_text(pool, chance, lengths))
        if distinct:
            parts = [_reworded(part, words, chance) for part in parts]
        target.write_bytes(WRITERS[suffix](f"Document {number}", parts))


def _reworded(part: str, words: list[str], chance: random.Random) -> str:
    return _LONG_WORD.sub(lambda _: chance.choice(words), part)


def _text(pool: Paragraphs, chance: random.Random, lengths: tuple[int, int]) -> Iterator[str]:
    """Yield paragraphs with numbers of their own, so that no two documents are alike."""
    for paragraph in chance.sample(pool, min(len(pool), chance.randint(*lengths))):
        yield _NUMBER.sub(lambda _: str(chance.randrange(1000)), paragraph)


def markdown(title: str, parts: Paragraphs) -> bytes:
    sections = "\n\n".join(f"## Section {n}\n\n{part}" for n, part in enumerate(parts, start=1))
    return f"---\ntitle: {title}\n---\n\n# {title}\n\n{sections}\n".encode()


def text(title: str, parts: Paragraphs) -> bytes:
    return "\n\n".join([title.upper(), *parts]).encode()


def html(title: str, parts: Paragraphs) -> bytes:
    body = "".join(f"<h2>Section {n}</h2><p>{escape(part)}</p>" for n, part in enumerate(parts))
    menu = "".join(f"<li><a href='/{n}'>Page {n}</a></li>" for n in range(20))
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body><nav><ul>{menu}</ul></nav>"
        f"<main><h1>{title}</h1>{body}</main><footer>Contact us</footer></body></html>"
    ).encode()


def word(title: str, parts: Paragraphs) -> bytes:
    document, target = docx.Document(), io.BytesIO()
    document.add_heading(title, level=1)
    for part in parts:
        document.add_paragraph(part)
    document.save(target)
    return target.getvalue()


def pdf(title: str, parts: Paragraphs) -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=True)
    canvas.setTitle(title)
    height = 780.0
    for part in [title, *parts]:
        for line in [*simpleSplit(part, "Helvetica", 10, 450), ""]:
            if height < 60:
                canvas.showPage()
                height = 780.0
            canvas.setFont("Helvetica", 10)
            canvas.drawString(60, height, line)
            height -= 13
    canvas.save()
    return target.getvalue()


def workbook(title: str, parts: Paragraphs) -> bytes:
    book, target = openpyxl.Workbook(), io.BytesIO()
    book.active.title = title
    book.active.append(["Number", "Rule"])
    for row in enumerate(parts):
        book.active.append(row)
    book.save(target)
    return target.getvalue()


def table(title: str, parts: Paragraphs) -> bytes:
    target = io.StringIO()
    csv.writer(target).writerows([("Document", "Number", "Rule"), *(
        (title, n, part) for n, part in enumerate(parts)
    )])  # fmt: skip
    return target.getvalue().encode()


def mail(title: str, parts: Paragraphs) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = title, "a@example.org", "b@example.org"
    message["Date"], message["Message-ID"] = "Tue, 24 Nov 2026 09:30:00 +0000", f"<{title}>"
    message.set_content("\n\n".join(parts[1:]) + "\n\n-- \nA. Sender\n")
    message.add_attachment(parts[0].encode(), "text", "plain", filename="note.txt")
    return message.as_bytes()


def archive(title: str, parts: Paragraphs) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for n, part in enumerate(parts[:4]):
            packed.writestr(zipfile.ZipInfo(f"notes/{n}.md"), markdown(f"{title}, {n}", [part]))
    return target.getvalue()


WRITERS: dict[str, Callable[[str, Paragraphs], bytes]] = {
    "md": markdown, "txt": text, "html": html, "docx": word, "pdf": pdf,
    "xlsx": workbook, "csv": table, "eml": mail, "zip": archive,
}  # fmt: skip
