"""One file yields many documents where it is an archive, an e-mail or a mailbox."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from tasks.ingestion.archive import is_archive, zip_members
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.mail import MAIL, MAILBOX, mail_members, mail_type, mailbox_mails
from tasks.ingestion.media_type import detect_media_type
from tasks.ingestion.member import Budget, Member
from tasks.ingestion.parser import UnreadableFile

ZIP = "application/zip"


def read_members(path: str, content: bytes, config: IngestionConfig) -> Iterator[Member]:
    """Yield what is to become a row: a file itself, or what lies in it if it is a container.

    An e-mail yields its body under its own path, then its attachments; an archive yields its
    members only. Containers in containers are opened down to `max_depth`. What is not read is
    yielded as well, refused with its reason.

    Args:
        path: The file's path within the source.
        content: Its bytes.
        config: Bounds.
    """
    yield from _expand(Member(path, content), 0, config, Budget(config.containers))


def _expand(
    member: Member, depth: int, config: IngestionConfig, budget: Budget
) -> Iterator[Member]:
    if member.refused or member.parse_as:
        yield member
        return
    try:
        known = replace(member, media_type=member.media_type or _media_type(member))
        if known.media_type not in (ZIP, MAIL, MAILBOX):
            yield known
            return
        if depth >= config.containers.max_depth:
            detail = f"It lies {depth} containers deep; they are not opened (max_depth)."
            raise UnreadableFile("too_complex", detail)
        for inner in _open(known, config, budget):
            yield from _expand(inner, depth + 1, config, budget)
    except UnreadableFile as error:
        yield replace(member, refused=error)
    except RecursionError:
        problem = UnreadableFile("too_complex", "Its parts are nested too deeply to be read.")
        yield replace(member, refused=problem)


def _media_type(member: Member) -> str:
    if not member.content.strip():
        raise UnreadableFile("empty", "The file holds nothing, or only white space.")
    path = PurePosixPath(member.path)
    if is_archive(member.content):
        return ZIP
    return mail_type(path, member.content) or detect_media_type(path, member.content)


def _open(member: Member, config: IngestionConfig, budget: Budget) -> Iterator[Member]:
    if member.media_type == ZIP:
        return zip_members(member.path, member.content, config.max_file_bytes, budget)
    if member.media_type == MAILBOX:
        return mailbox_mails(member.path, member.content, budget)
    return mail_members(member.path, member.content, config.max_file_bytes, budget)
