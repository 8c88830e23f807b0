"""The content decides what a file is, whatever its name says."""

import io
import zipfile
from pathlib import PurePath

import pytest

from tasks.ingestion.media_type import (
    BINARY,
    CODE,
    CSV,
    DOCX,
    HTML,
    MARKDOWN,
    PDF,
    PLAIN,
    XLSX,
    detect_media_type,
)
from tasks.ingestion.parser import UnreadableFile, parser_for
from tests.unit.ingestion.conftest import PNG

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PAGE = b"<!-- saved --><!DOCTYPE html><html><body><p>Hello</p></body></html>"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("policy.docx", PAGE, HTML),
        ("policy.txt", b"<h1>Leave</h1><p>25 days</p>", HTML),
        ("plan.pdf", PNG, "image/png"),
        ("plan.txt", b"%PDF-1.7\n...", PDF),
        ("readme.md", b'<div align="center">Logo</div>\n\n# Title\n', MARKDOWN),
        ("page.html", b"---\ntitle: x\n---\n<section>\n<p>Hi</p></section>", HTML),
        ("page.html", b"Just words, no tags.", PLAIN),
        ("notes", b"# Heading\n\nText.", MARKDOWN),
        ("notes", b"Dear all,\nthe office is closed.", PLAIN),
        ("list.csv", b"name;town\nAda;London\nAlan;Wilmslow\n", CSV),
        ("list.csv", b"This is a letter.\nIt is no table, and it goes on.\nRegards\n", PLAIN),
        ("data.txt", b'{"a": [1, 2]}', "application/json"),
        ("feed.txt", b'<?xml version="1.0"?><a/>', "application/xml"),
        ("run", b"#!/bin/sh\necho hi\n", "text/x-bash"),
        ("run", b"#!/usr/bin/env -S python3 -u\nimport os\n", "text/x-python"),
        ("setup.py", b"import os\n", "text/x-python"),
        ("app.tsx", b"export const a = 1;\n", "text/x-typescript"),
        ("list.tsv", b"name\ttown\nAda, Countess\tLondon\n", CSV),
        ("style.css", b"a { color: red }\n", CODE),
        ("old.xls", OLE + "Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
        ("old.doc", OLE + "WordDocument".encode("utf-16-le"), "application/msword"),
        ("mail.msg", OLE + "__substg1.0_".encode("utf-16-le"), "application/vnd.ms-outlook"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "application/x-ole-storage"),
        ("letter.doc", b"{\\rtf1 Hello}", "application/rtf"),
        ("blob.txt", bytes(range(256)) * 4, BINARY),
        ("wide.txt", "Grüße aus Köln".encode("utf-16"), PLAIN),
    ],
)
def test_content_decides(name: str, content: bytes, expected: str) -> None:
    assert detect_media_type(PurePath(name), content) == expected


def test_office_containers_are_told_apart(docx_bytes, workbook, save_workbook) -> None:
    assert detect_media_type(PurePath("a.zip"), docx_bytes) == DOCX
    assert detect_media_type(PurePath("a.docx"), save_workbook(workbook)) == XLSX


def test_a_truncated_container_is_corrupt(docx_bytes) -> None:
    with pytest.raises(UnreadableFile) as raised:
        detect_media_type(PurePath("a.docx"), docx_bytes[:500])
    assert raised.value.reason == "corrupt"


def test_a_type_without_parser_is_unsupported() -> None:
    with pytest.raises(UnreadableFile, match="image/png") as raised:
        parser_for("image/png")
    assert raised.value.reason == "unsupported"


def test_an_encrypted_office_document_says_so() -> None:
    with pytest.raises(UnreadableFile) as raised:
        detect_media_type(PurePath("a.docx"), OLE + "EncryptedPackage".encode("utf-16-le"))
    assert raised.value.reason == "encrypted"


def test_old_formats_come_with_advice_and_others_with_what_is_read() -> None:
    with pytest.raises(UnreadableFile, match="--convert-to docx"):
        parser_for("application/msword")
    with pytest.raises(UnreadableFile, match="EPUB, Excel, HTML"):
        parser_for("image/gif")


def test_a_package_that_unpacks_to_too_much_is_not_opened() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b" " * 400_000_000)
    with pytest.raises(UnreadableFile) as raised:
        detect_media_type(PurePath("a.docx"), target.getvalue())
    assert raised.value.reason == "archive_bomb"
