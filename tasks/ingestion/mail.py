"""E-mails and mailboxes: the body is a document, and so is each attachment."""

import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import PurePath, PurePosixPath

from tasks.ingestion.mail_body import own_html, own_text
from tasks.ingestion.media_type import HTML, PLAIN
from tasks.ingestion.member import Budget, Member, name_problem, printable, too_many
from tasks.ingestion.parser import UnreadableFile

MAIL = "message/rfc822"
MAILBOX = "application/mbox"

# RFC 5322, 3.6.8: what a field name is made of.
_FIELD = re.compile(rb"[!-9;-~]+:")
# Fields that mail programs write and people do not.
_MACHINE_FIELDS = re.compile(rb"(?mi)^(message-id|mime-version|received|return-path):")
_SENDER = re.compile(rb"(?mi)^(from|sender|to|subject|date):")
_HEAD_BYTES = 16_384

_MAILBOX_START = re.compile(rb"From [^\n]*\d{4}[^\n]*\r?\n[!-9;-~]+:")
_NEXT_MAIL = re.compile(rb"(?:\A|\n\r?\n)From [^\n]*\d{4}[^\n]*\r?\n(?=[!-9;-~]+:)")
_ESCAPED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)

_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
_SUFFIXES = {"text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", MAIL: ".eml"}


def mail_type(path: PurePath, content: bytes) -> str:
    """Return the media type of an e-mail or a mailbox, and an empty string for anything else."""
    if _MAILBOX_START.match(content):
        return MAILBOX
    head = re.split(rb"\r?\n\r?\n", content[:_HEAD_BYTES].lstrip(), maxsplit=1)[0]
    lines = re.split(rb"\r?\n", head)
    is_head = all(_FIELD.match(line) or line[:1] in (b" ", b"\t") for line in lines[:-1])
    if not is_head or not _FIELD.match(lines[0]) or not _SENDER.search(head):
        return ""
    by_machine = _MACHINE_FIELDS.search(head) is not None
    return MAIL if by_machine or path.suffix.lower() == ".eml" else ""


def mailbox_mails(path: str, content: bytes, budget: Budget) -> Iterator[Member]:
    """Yield the e-mails of a mailbox as members named by their number."""
    starts = list(_NEXT_MAIL.finditer(content))
    ends = [start.start() for start in starts[1:]] + [len(content)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        if not budget.take_member():
            yield too_many(path, budget)
            return
        mail = _ESCAPED_FROM.sub(rb"\1", content[start.end() : end])
        yield Member(f"{path}/{number:05}.eml", mail, media_type=MAIL)


def mail_members(path: str, content: bytes, largest: int, budget: Budget) -> Iterator[Member]:
    """Yield the body of an e-mail under the e-mail's own path, then its attachments.

    Args:
        path: The e-mail's path.
        content: Its bytes.
        largest: Attachments with more bytes are refused (`max_file_bytes`).
        budget: What may still come out of the outermost file.
    """
    message = email.message_from_bytes(content, policy=email.policy.default)
    leaves = list(_leaves(message))
    body = _body(leaves)
    yield _body_member(path, content, message, body)
    if message.get_content_type() in _ENCRYPTED:
        return
    names: set[str] = set()
    for number, (part, alternative) in enumerate(leaves, start=1):
        if part is body or _says_nothing(part, alternative):
            continue
        if not budget.take_member():
            yield too_many(path, budget)
            return
        yield _attachment(path, part, _name(part, number, names), largest, budget)


def _leaves(message: Message, alternative: bool = False) -> Iterator[tuple[Message, bool]]:
    """Yield the parts that are no multipart, and whether each is one of several wordings."""
    if not message.is_multipart() or message.get_content_type() == MAIL:
        yield message, alternative
        return
    alternative = alternative or message.get_content_subtype() == "alternative"
    for part in message.get_payload():
        if isinstance(part, Message):
            yield from _leaves(part, alternative)


def _says_nothing(part: Message, alternative: bool) -> bool:
    """Whether a part is the body in another wording, or a blank one."""
    is_text = part.get_content_maintype() == "text"
    return is_text and (alternative or not (_file_name(part) or _payload(part).strip()))


def _body(leaves: list[tuple[Message, bool]]) -> Message | None:
    """Return the first plain text that says anything, else the first HTML."""
    for media_type in (PLAIN, HTML):
        for part, _ in leaves:
            is_file = part.get_content_disposition() == "attachment"
            if part.get_content_type() == media_type and not is_file and _payload(part).strip():
                return part
    return None


def _body_member(path: str, content: bytes, message: Message, body: Message | None) -> Member:
    sha256 = hashlib.sha256(content).hexdigest()
    title, date = _header(message, "subject"), _date(message)
    if body is None:
        refused = UnreadableFile("no_text", "The e-mail has no text of its own.")
        if message.get_content_type() in _ENCRYPTED:
            refused = UnreadableFile("encrypted", "The e-mail is encrypted.")
        return Member(path, refused=refused, media_type=MAIL, sha256=sha256)
    try:
        text = _decoded(body)
    except UnreadableFile as error:
        return Member(path, refused=error, media_type=MAIL, sha256=sha256)
    is_html = body.get_content_type() == HTML
    own = own_html(text) if is_html else own_text(text)
    return Member(
        path,
        own.encode("utf-8", "replace"),
        media_type=MAIL,
        parse_as=HTML if is_html else PLAIN,
        title=title,
        date=date,
        sha256=sha256,
    )


def _attachment(path: str, part: Message, name: str, largest: int, budget: Budget) -> Member:
    inner = f"{path}/{printable(name)}"
    if problem := name_problem(name):
        return Member(inner, refused=problem)
    payload = _payload(part)
    if len(payload) > largest:
        detail = f"{len(payload):,} bytes; the limit is {largest:,} (max_file_bytes)."
        return Member(inner, refused=UnreadableFile("too_large", detail))
    if not budget.take_bytes(len(payload)):
        total = budget.config.max_unpacked_bytes
        detail = f"With it, more than {total:,} bytes would be unpacked (max_unpacked_bytes)."
        return Member(inner, refused=UnreadableFile("archive_bomb", detail))
    if part.get_content_type() == MAIL:
        return Member(inner, payload, media_type=MAIL)
    return Member(inner, payload)


def _name(part: Message, number: int, taken: set[str]) -> str:
    """Return a part's file name; two pictures of one name are usual, so the second is numbered."""
    name = _file_name(part) or f"part-{number}{_SUFFIXES.get(part.get_content_type(), '')}"
    if name in taken:
        path = PurePosixPath(name)
        name = f"{path.parent / path.stem}-{number}{path.suffix}".removeprefix("./")
    taken.add(name)
    return name


def _file_name(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except (LookupError, ValueError, AttributeError, IndexError):  # of a malformed header
        return ""


def _payload(part: Message) -> bytes:
    if part.get_content_type() == MAIL:
        inner = part.get_payload()
        whole = inner[0] if isinstance(inner, list) and inner else None
        return whole.as_bytes() if isinstance(whole, Message) else b""
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _decoded(part: Message) -> str:
    payload = _payload(part)
    try:
        return payload.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):  # the stated encoding is wrong, as often
        from tasks.ingestion.decode import decode

        return decode(payload)


def _header(message: Message, name: str) -> str:
    """Return a header as text; a malformed one counts as missing."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except (LookupError, ValueError, AttributeError, TypeError, IndexError):
        return ""


def _date(message: Message) -> str | None:
    try:
        return _iso(parsedate_to_datetime(_header(message, "date")))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _iso(moment: datetime) -> str:
    return moment.date().isoformat()
