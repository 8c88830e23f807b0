"""Makes broken and hostile files of every format: the same seed, the same files."""

import io
import json
import random
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

from benchmarks.mixed_documents import WRITERS, paragraphs

Make = Callable[[random.Random], bytes]

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>"
)
_OUTSIDE = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY j SYSTEM "file:///etc/passwd">]>'
_FETCH = '<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://127.0.0.1:9/evil.dtd"><!-- &j; -->'


def whole_files() -> dict[str, bytes]:
    """Return a sound file of every format."""
    pool = paragraphs()
    parts = random.Random(1).sample(pool, 8)
    files = {suffix: write("A sound document", parts) for suffix, write in WRITERS.items()}
    cells = [{"cell_type": "markdown", "metadata": {}, "source": part} for part in parts]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    files["ipynb"] = json.dumps(notebook).encode()
    files["json"] = json.dumps([{"title": part[:20], "text": part} for part in parts]).encode()
    files["jsonl"] = "\n".join(json.dumps({"text": part}) for part in parts).encode()
    files["rtf"] = ("{\\rtf1\\ansi " + "\\par ".join(parts) + "}").encode("cp1252", "replace")
    files["py"] = f'"""{parts[0]}"""\n\n\ndef run():\n    """{parts[1]}"""\n'.encode()
    files["epub"] = _epub(parts)
    files["pptx"] = _slides(parts)
    files["mbox"] = b"From a@b.c Tue Nov 24 09:30:00 2026\n" + files["eml"]
    return files


def _epub(parts: list[str]) -> bytes:
    page = "<html xmlns='http://www.w3.org/1999/xhtml'><body>{}</body></html>"
    body = "".join(f"<p>{part}</p>" for part in parts)
    container = (
        "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles>"
        "<rootfile full-path='a.opf'/></rootfiles></container>"
    )
    package = (
        "<package xmlns='http://www.idpf.org/2007/opf'><manifest><item id='a' href='a.xhtml' "
        "media-type='application/xhtml+xml'/></manifest><spine><itemref idref='a'/></spine>"
        "</package>"
    )
    return packed({
        "mimetype": b"application/epub+zip", "META-INF/container.xml": container.encode(),
        "a.opf": package.encode(), "a.xhtml": page.format(body).encode(),
    })  # fmt: skip


def _slides(parts: list[str]) -> bytes:
    from pptx import Presentation

    deck, target = Presentation(), io.BytesIO()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = parts[0][:40], parts[1]
    deck.save(target)
    return target.getvalue()


def packed(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression, compresslevel=1)
    return target.getvalue()


def _repacked(content: bytes, changed: dict[str, bytes]) -> bytes:
    """Return an archive with some members replaced or added."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return packed(members | changed)


# What can be done to a sound file.


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, max(2, len(content)))]


def _noise(content: bytes, chance: random.Random) -> bytes:
    return content[:8] + chance.randbytes(len(content))


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 60)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _doubled(content: bytes, chance: random.Random) -> bytes:
    return content + content[chance.randrange(len(content)) :]


def _hole(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + bytes(chance.randrange(1, 5_000)) + content[start:]


DAMAGES = {"cut": _cut, "noise": _noise, "flipped": _flipped, "doubled": _doubled, "hole": _hole}


def _link_zip() -> bytes:
    info = zipfile.ZipInfo("link.md")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return target.getvalue()


def _overlap_zip() -> bytes:
    plain = packed({f"{n}.txt": b"a" * 900_000 for n in range(50)})
    changed, start = bytearray(plain), 0
    while (start := plain.find(b"PK\x01\x02", start)) >= 0:
        changed[start + 42 : start + 46] = struct.pack("<L", 0)  # all at the first one's place
        start += 46
    return bytes(changed)


def _nested_zip(content: bytes, depth: int) -> bytes:
    for _ in range(depth):
        content = packed({"in.zip": content})
    return content


def _lying_zip() -> bytes:
    content = bytearray(packed({"a.txt": b"a" * 3_000_000}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(mark) + place
        content[start : start + 4] = struct.pack("<L", 500)  # says that it is small
    return bytes(content)


def _mail(payloads: dict[str, bytes], subject: str = "Mail") -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["Message-ID"] = subject, "a@b.c", "<1@b.c>"
    message.set_content("Some words of the mail itself.")
    for name, payload in payloads.items():
        message.add_attachment(payload, "application", "octet-stream", filename=name)
    return message.as_bytes()


def _deep_mail(depth: int) -> bytes:
    heads = (f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return ("From: a@b.c\nMIME-Version: 1.0\n" + "".join(heads) + "\nwords").encode()


def _page_loop() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 100000000>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF"
    )


def _sheet(whole: dict[str, bytes], cell: str) -> bytes:
    data = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"{cell}</sheetData></worksheet>"
    )
    return _repacked(whole["xlsx"], {"xl/worksheets/sheet1.xml": data.encode()})


def _word(whole: dict[str, bytes], head: str, body: str) -> bytes:
    part = f'{head}<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>'
    return _repacked(whole["docx"], {"word/document.xml": part.encode()})


def _hostile(whole: dict[str, bytes]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield names and makers of files that somebody made to do harm."""
    par = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
    yield "bomb.zip", lambda: packed({"a.txt": b"a" * 15_000_000})
    yield "bomb-nested.zip", lambda: _nested_zip(packed({"a.txt": b"a" * 15_000_000}), 2)
    yield "bomb-many.zip", lambda: packed({f"{n}.txt": b"a" * 999_000 for n in range(520)})
    yield "bomb-overlap.zip", _overlap_zip
    yield "bomb-lying.zip", _lying_zip
    yield "deep.zip", lambda: _nested_zip(packed({"a.md": b"Words."}), 40)
    yield "many.zip", lambda: packed({f"{n}.md": b"Words %d" % n for n in range(1_200)})
    yield "climbs.zip", lambda: packed({"../../climbed.md": b"x", "..\\climbed.md": b"x"})
    yield "absolute.zip", lambda: packed({"/tmp/climbed.md": b"x", "C:\\climbed.md": b"x"})
    yield "link.zip", _link_zip
    for suffix, part in (("docx", "word/document.xml"), ("pptx", "ppt/slides/slide1.xml"),
                         ("xlsx", "xl/worksheets/sheet1.xml"), ("epub", "a.xhtml")):  # fmt: skip
        base = whole[suffix]
        for name, head in (("laughs", _LAUGHS), ("outside", _OUTSIDE), ("fetch", _FETCH)):
            content = f"{head}<r>&j;</r>".encode()
            yield f"{name}.{suffix}", lambda b=base, p=part, c=content: _repacked(b, {p: c})
        deep = b"<r>" * 200_000
        yield f"deep.{suffix}", lambda b=base, p=part, c=deep: _repacked(b, {p: c})
        yield (
            f"bomb.{suffix}",
            lambda b=base, p=part: _repacked(b, {p: b"<r>" + b" " * 301_000_000}),
        )
        climb = {"../../climbed.xml": b"x", "/tmp/climbed.xml": b"x"}
        yield f"climbs.{suffix}", lambda b=base, c=climb: _repacked(b, c)
        macro = {f"{part.split('/')[0]}/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99}
        yield f"macro.{suffix}", lambda b=base, c=macro: _repacked(b, c)
    yield "laughs-words.docx", lambda: _word(whole, _LAUGHS, par.format("&j;"))
    yield "outside-words.docx", lambda: _word(whole, _OUTSIDE, par.format("Words &j;"))
    yield "deep-words.docx", lambda: _word(whole, "", "<w:tbl><w:tr><w:tc>" * 30_000)
    yield "wide.docx", lambda: _word(whole, "", par.format("words " * 100) * 30_000)
    yield "macro.docm", lambda: _repacked(whole["docx"], {"word/vbaProject.bin": b"\xd0\xcf" * 99})
    yield "macro.xlsm", lambda: _repacked(whole["xlsx"], {"xl/vbaProject.bin": b"\xd0\xcf" * 99})
    yield "far.xlsx", lambda: _sheet(whole, '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    yield "wide.xlsx", lambda: _sheet(whole, f"<row>{'<c><v>1</v></c>' * 400_000}</row>")
    yield "formula.xlsx", lambda: _sheet(whole, "<row><c><f>SHELL(1)</f><v>7</v></c></row>" * 99)
    for suffix in ("md", "txt", "html", "csv", "json", "jsonl", "rtf", "py", "ipynb", "eml"):
        for name, unit in (
            ("long-line", b"word "), ("one-word", b"a"), ("brackets", b"["), ("stars", b"*a_"),
            ("angles", b"<a"), ("quotes", b'"'), ("braces", b"{%"), ("pipes", b"|a"),
            ("quoted", b"> "), ("backticks", b"`a"), ("ampersands", b"&a;"), ("nulls", b"a\0"),
            ("parens", b"]("), ("images", b"![a]("), ("slashes", b"\\'ff"), ("lists", b"- "),
            ("breaks", b"\n"), ("indents", b" \n  "), ("marks", b"\xe2\x80\xae\xcc\x81"),
        ):  # fmt: skip
            head = whole[suffix][:120] if suffix in ("eml", "rtf", "html") else b""
            yield f"{name}.{suffix}", lambda h=head, u=unit: h + u * (1_000_000 // len(u))
    yield "deep.json", lambda: b"[" * 500_000 + b"]" * 500_000
    yield "deep.ipynb", lambda: b'{"cells":' * 100_000
    yield "deep.rtf", lambda: b"{\\rtf1 " + b"{\\b " * 300_000
    yield "binary.rtf", lambda: b"{\\rtf1 \\bin999999999 x}"
    yield "deep.html", lambda: b"<html><body>" + b"<div>" * 100_000 + b"words"
    yield "tables.html", lambda: b"<html><body>" + b"<table><tr><td>" * 5_000 + b"words"
    yield "attributes.html", lambda: b"<html><body><p " + b"a='b' " * 200_000 + b">words</p>"
    yield (
        "scripts.html",
        lambda: (
            b"<html><base href='file:///etc/'><body><script>while(1){}</script>"
            b"<iframe src='passwd'></iframe><img src='http://127.0.0.1:9/a.png'>"
            b"<p onload='x()'>Some words of prose.</p>"
        ),
    )
    yield "laughs.html", lambda: _LAUGHS.encode() + b"<html><body><p>&j; words</p></body></html>"
    yield "laughs.md", lambda: (
        b"---\na: &a [ha, ha]\n"
        + b"".join(b"%c: &%c [%s]\n" % (y, y, b",".join([b"*%c" % x] * 10))
                   for x, y in zip(b"abcdefgh", b"bcdefghi", strict=True))
        + b"title: *i\n---\nWords below.\n"
    )  # fmt: skip
    yield "deep.md", lambda: b"".join(b"  " * n + b"- a\n" for n in range(1_500))
    yield "table.md", lambda: b"|a" * 3_000 + b"|\n" + b"|-" * 3_000 + b"|\n" + b"|b\n" * 5_000
    yield "references.md", lambda: b"".join(b"[%d]: /a\n" % n for n in range(50_000)) + b"[a] " * 9
    yield "wide.csv", lambda: b",".join([b"a"] * 100_000) + b"\n1,2\n" * 1_000
    yield "deep.eml", lambda: _deep_mail(3_000)
    yield "headers.eml", lambda: b"From: a@b.c\n" + b"Received: x\n" * 200_000 + b"\nWords"
    yield "climbs.eml", lambda: _mail({"../../climbed.md": b"Words.", "/tmp/climbed.md": b"Words."})
    yield "bomb.eml", lambda: _mail({"b.zip": packed({"a.txt": b"a" * 15_000_000})})
    yield (
        "encoded.eml",
        lambda: (
            b"From: a@b.c\nMIME-Version: 1.0\nSubject: "
            + b"=?utf-8?q?=41?= " * 50_000
            + b"\n\nWords"
        ),
    )
    yield "loop.pdf", _page_loop
    yield (
        "script.pdf",
        lambda: whole["pdf"].replace(b"/Type /Catalog", b"/AA<</O 9 0 R>>/Type /Catalog"),
    )
    yield "empty.md", lambda: b""
    yield "blank.txt", lambda: b" \n\t" * 99


def broken_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents: first what is hostile, then damage of every sort to every format.

    Args:
        count: How many; the hostile ones are spread evenly if there are more.
        seed: Of all that is random.
    """
    whole = whole_files()
    hostile = list(_hostile(whole))
    room = min(len(hostile), count // 2 if count < 2 * len(hostile) else len(hostile))
    for number in range(room):
        name, make = hostile[number * len(hostile) // room]
        yield f"hostile/{number:03}-{name}", make()
    suffixes = sorted(whole)
    kinds = [*DAMAGES, "extension", "random"]
    for number in range(count - room):
        chance = random.Random(f"{seed}-{number}")
        suffix = suffixes[number % len(suffixes)]
        kind = kinds[(number // len(suffixes)) % len(kinds)]
        content, name = whole[suffix], suffix
        if kind == "extension":
            name = chance.choice([other for other in suffixes if other != suffix])
        elif kind == "random":
            content = chance.randbytes(chance.randrange(1, 50_000))
        else:
            content = DAMAGES[kind](content, chance)
        yield f"{kind}/{number:03}-{suffix}.{name}", content


def write_broken_files(folder: Path, count: int, seed: int) -> list[str]:
    """Write the files below a folder and return their names."""
    names = []
    for name, content in broken_files(count, seed):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        names.append(name)
    return names
