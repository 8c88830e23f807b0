"""Archives, e-mails and mailboxes, honest and hostile."""

import io
import stat
import struct
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tasks.ingestion.config import ContainerConfig, IngestionConfig
from tasks.ingestion.document import parse_file
from tasks.ingestion.ingest import ingest_documents

WORDS = b"Some words of prose that are long enough to be read."


def zip_bytes(members: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def rows(name: str, content: bytes, **bounds: Any) -> dict[str, dict[str, Any]]:
    config = IngestionConfig(containers=ContainerConfig(**bounds))
    found = list(parse_file(name, content, config, 0, None))
    assert len({row["path"] for row in found}) == len(found)
    return {row["path"]: row for row in found}


def outcome(name: str, content: bytes, **bounds: Any) -> dict[str, str]:
    return {path: row.get("reason", "kept") for path, row in rows(name, content, **bounds).items()}


def mail(subject: str = "Opening hours", body: str = "We open at eight.") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = subject, "Ann <ann@example.org>"
    message["Date"] = "Tue, 24 Nov 2026 09:30:00 +0100"
    message["Message-ID"] = "<1@example.org>"
    message.set_content(body)
    return message


def test_an_archive_yields_its_members_with_their_paths() -> None:
    content = zip_bytes({"a.md": "# A\n\nWords.", "sub/b.txt": WORDS, "sub/": b"", "c.bin": b"\0"})
    assert outcome("pack.zip", content) == {
        "pack.zip/a.md": "kept",
        "pack.zip/sub/b.txt": "kept",
        "pack.zip/c.bin": "unsupported",
    }


def test_what_the_system_adds_to_an_archive_is_left_out() -> None:
    names = ("__MACOSX/._a.md", ".DS_Store", "sub/.hidden/x.md", "Thumbs.db", "~$a.docx")
    content = zip_bytes({name: WORDS for name in names} | {"a.md": WORDS})
    assert list(outcome("p.zip", content)) == ["p.zip/a.md"]
    assert outcome("p.zip", zip_bytes({".DS_Store": b"x"})) == {"p.zip": "empty"}


@pytest.mark.parametrize(
    "name",
    ["../up.md", "a/../../up.md", "/etc/up.md", "C:/up.md", "..\\up.md", "a\nb.md"],
)
def test_names_that_are_not_trusted(name: str) -> None:
    (row,) = rows("p.zip", zip_bytes({name: WORDS})).values()
    assert row["reason"] == "unsafe_path"


def test_links_and_doubles_are_dropped() -> None:
    link = zipfile.ZipInfo("link.md")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.md", WORDS)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.md", b"Other words.")
    found = list(parse_file("p.zip", target.getvalue(), IngestionConfig(), 0, None))
    reasons = [(row["path"], row.get("reason")) for row in found]
    assert reasons == [
        ("p.zip/link.md", "link"),
        ("p.zip/a.md", None),
        ("p.zip/a.md", "duplicate_name"),
    ]


def test_encrypted_members_and_damaged_ones_are_told_apart() -> None:
    content = bytearray(zip_bytes({"a.md": WORDS * 20}))
    locked = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(signature) + offset] |= 1
    assert outcome("p.zip", bytes(locked)) == {"p.zip/a.md": "encrypted"}
    content[45] ^= 0xFF
    assert outcome("p.zip", bytes(content)) == {"p.zip/a.md": "corrupt"}
    assert outcome("p.zip", bytes(content[:-30])) == {"p.zip": "corrupt"}


def test_a_member_that_unpacks_to_too_much_is_not_unpacked() -> None:
    content = zip_bytes({"zeros.txt": b"a" * 5_000_000, "a.md": WORDS})
    assert outcome("p.zip", content) == {"p.zip/zeros.txt": "archive_bomb", "p.zip/a.md": "kept"}


def test_a_bomb_of_many_small_members() -> None:
    many = {f"{n}.txt": b"a" * 400_000 for n in range(5)}
    found = outcome("p.zip", zip_bytes(many | {"a.md": WORDS}))
    assert list(found.values()) == ["kept", "kept"] + ["archive_bomb"] * 3 + ["kept"]


def test_an_archive_whose_members_take_long_together() -> None:
    content = zip_bytes({f"{n}.md": WORDS + b"%d" % n for n in range(5)})
    found = outcome("p.zip", content, seconds=1e-9)
    assert found == {"p.zip/0.md": "kept", "p.zip/...": "timeout"}
    assert outcome("a.md", WORDS, seconds=1e-9) == {"a.md": "kept"}


def test_what_is_nested_counts_against_one_bound() -> None:
    inner = zip_bytes({f"{n}.txt": WORDS * 100 for n in range(3)}, zipfile.ZIP_STORED)
    content = zip_bytes({"1.zip": inner, "2.zip": inner})
    reasons = outcome("p.zip", content, max_unpacked_bytes=2 * len(inner) + 4 * 100 * len(WORDS))
    assert list(reasons.values()) == ["kept"] * 4 + ["archive_bomb"] * 2


def test_a_bomb_whose_members_share_their_bytes() -> None:
    plain = zip_bytes({"a.txt": WORDS, "b.txt": WORDS})
    # the directory's second entry is pointed at the first member
    second = plain.rindex(b"PK\x01\x02")
    content = plain[: second + 42] + struct.pack("<L", 0) + plain[second + 46 :]
    reasons = set(outcome("p.zip", content).values())
    assert reasons == {"archive_bomb"}


def test_depth_and_number_of_members_are_bounded() -> None:
    content = zip_bytes({"a.md": WORDS})
    for _ in range(3):
        content = zip_bytes({"in.zip": content})
    assert outcome("p.zip", content, max_depth=4) == {"p.zip/in.zip/in.zip/in.zip/a.md": "kept"}
    assert outcome("p.zip", content, max_depth=3) == {"p.zip/in.zip/in.zip/in.zip": "too_complex"}
    many = zip_bytes({f"{n}.md": WORDS + str(n).encode() for n in range(5)})
    assert outcome("p.zip", many, max_members=3) == {
        "p.zip/0.md": "kept",
        "p.zip/1.md": "kept",
        "p.zip/2.md": "kept",
        "p.zip/...": "too_complex",
    }


def test_an_email_is_a_document_and_so_are_its_attachments(make_pdf) -> None:
    message = mail()
    message.add_alternative("<p>We open at <b>eight</b>.</p>", subtype="html")
    pdf = make_pdf([[("The gate closes at nine.", 60, 700, 10)]])
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename="plan.pdf")
    message.add_attachment(WORDS, maintype="text", subtype="plain", filename="plan.txt")
    message.add_attachment(WORDS, maintype="text", subtype="plain", filename="plan.txt")
    message.add_attachment(mail("Inner", "Forwarded words."))
    found = rows("mail.eml", message.as_bytes())
    assert list(found) == [
        "mail.eml",
        "mail.eml/plan.pdf",
        "mail.eml/plan.txt",
        "mail.eml/plan-5.txt",
        "mail.eml/part-6.eml",
    ]
    body = found["mail.eml"]
    assert (body["title"], body["date"], body["text"]) == (
        "Opening hours",
        "2026-11-24",
        "We open at eight.",
    )
    assert (body["media_type"], body["parser"]) == ("message/rfc822", "text")
    assert found["mail.eml/plan.pdf"]["text"] == "The gate closes at nine."
    assert found["mail.eml/part-6.eml"]["title"] == "Inner"


def test_html_mail_without_what_it_quotes() -> None:
    message = mail()
    message.set_content(
        "<html><body><p>The new rule holds from May.</p><div class='gmail_quote'>On Monday Bo "
        "wrote: <blockquote>What is the rule?</blockquote></div></body></html>",
        subtype="html",
    )
    (row,) = rows("m.eml", message.as_bytes()).values()
    assert row["text"] == "The new rule holds from May."


@pytest.mark.parametrize(
    ("tail", "left"),
    [
        ("\n-- \nAnn\nHead of things\n", ""),
        ("\nOn Mon, 3 May 2026, Bo wrote:\n> What time?\n>\n> Bo\n", ""),
        ("\nAm 03.05.2026 um 10:00 schrieb Bo:\n> Wann?\n", ""),
        ("\nOn Mon, 3 May 2026 at 10:00 Bo Berg\n<bo@example.org> wrote:\n> What time?\n", ""),
        ("\n-----Original Message-----\nFrom: Bo\n\nWhat time?\n", ""),
        # an answer between quotations refers to them, and a list is no quotation
        ("\n> What time?\nAt nine.\n", "\n> What time?\nAt nine."),
        ("\n--\nnot certain\n", "\n--\nnot certain"),
    ],
)
def test_signature_and_last_quotation_are_cut_where_certain(tail: str, left: str) -> None:
    from tasks.ingestion.mail_body import own_text

    assert own_text("We open at eight." + "\n" + tail) == "We open at eight." + (
        "\n" + left if left else ""
    )


def test_mail_without_text_or_under_a_key_says_so() -> None:
    empty = mail(body="\n")
    empty.add_attachment(WORDS, maintype="text", subtype="plain", filename="../a.txt")
    assert outcome("m.eml", empty.as_bytes()) == {
        "m.eml": "no_text",
        "m.eml/../a.txt": "unsafe_path",
    }
    locked = b"From: a@b.c\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n\r\nx"
    assert outcome("m.eml", locked) == {"m.eml": "encrypted"}


def test_a_mailbox_yields_its_mails() -> None:
    first, second = (mail(f"Mail {n}", f"Words {n}.\n>From here on.").as_bytes() for n in (1, 2))
    start = b"From ann@example.org Tue Nov 24 09:30:00 2026\n"
    found = rows("all.mbox", start + first + b"\n" + start + second)
    assert [row["title"] for row in found.values()] == ["Mail 1", "Mail 2"]
    assert list(found) == ["all.mbox/00001.eml", "all.mbox/00002.eml"]
    assert found["all.mbox/00001.eml"]["text"] == "Words 1.\nFrom here on."


def test_text_that_only_looks_like_a_mail_stays_text() -> None:
    notes = b"Date: 3 May\nSubject: how we meet\n\nWe meet on Mondays in the large hall."
    assert rows("notes.txt", notes)["notes.txt"]["media_type"] == "text/plain"
    assert rows("notes.eml", notes)["notes.eml"]["media_type"] == "message/rfc822"


def test_the_accounts_hold_for_containers(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    message = mail()
    pack = zip_bytes({"x.md": WORDS, "../y.md": WORDS})
    message.add_attachment(pack, "application", "zip", filename="pack.zip")
    (documents / "m.eml").write_bytes(message.as_bytes())
    (documents / "copy.md").write_bytes(WORDS)
    result = ingest_documents(documents, IngestionConfig(workers=1), tmp_path / "cache")
    assert result.rows_in == result.kept.num_rows + result.dropped.num_rows == 4
    assert result.figures["files"] == 2
    assert result.kept["path"].to_pylist() == ["copy.md", "m.eml"]
    reasons = dict(zip(*(result.dropped[c].to_pylist() for c in ("path", "reason")), strict=True))
    assert reasons == {
        "m.eml/pack.zip/x.md": "duplicate_file",
        "m.eml/pack.zip/../y.md": "unsafe_path",
    }
