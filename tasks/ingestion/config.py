"""What a profile can say about ingestion and chunking."""

from pydantic import Field

from data_contracts.base import Config
from tasks.ingestion.ocr import OcrConfig
from tasks.scrubbing.config import ScrubbingConfig


class ContainerConfig(Config):
    """How much may come out of one archive or e-mail, all that is nested in it included."""

    max_depth: int = Field(
        3,
        ge=1,
        description="How deep containers may lie in each other: 1 reads an archive, but no "
        "archive within it. Deeper ones are dropped with the reason `too_complex`.",
    )
    max_members: int = Field(
        10_000,
        ge=1,
        description="What goes beyond this many members is dropped as one row with the reason "
        "`too_complex`.",
    )
    max_unpacked_bytes: int = Field(
        500_000_000,
        ge=1,
        description="Members that would go beyond this sum are dropped with the reason "
        "`archive_bomb`.",
    )
    max_ratio: float = Field(
        200.0,
        gt=1,
        description="Members that unpack to more than this many times their packed size are "
        "dropped with the reason `archive_bomb` once they come to a megabyte. Deflate reaches "
        "1,032.",
    )
    seconds: float = Field(
        600.0,
        gt=0,
        description="When its members have taken more processor time than this, the rest is "
        "dropped as one row with the reason `timeout`.",
    )


class IngestionConfig(Config):
    """Which files are read and what is cleaned out of them."""

    include: tuple[str, ...] = Field(
        ("*",),
        description="Patterns of the files to read, matched against the path within the "
        "documents folder; archives are chosen as a whole. `*` stands for any characters, "
        "folders included: `*.md`, `policies/*`.",
    )
    exclude: tuple[str, ...] = Field(
        (), description="Patterns of files to leave out, even if `include` names them."
    )
    lock_files: bool = Field(
        False,
        description="Read what package managers write for themselves (package-lock.json, "
        "poetry.lock, go.sum, ...). Without it, such files are dropped with the reason "
        "`lock_file`: they hold versions and hashes, nothing to ask about.",
    )
    max_file_bytes: int = Field(
        20_000_000,
        gt=0,
        description="Larger files are dropped with the reason `too_large`, also within "
        "archives and e-mails.",
    )
    workers: int | None = Field(
        None,
        ge=1,
        description="Processes that parse files side by side; without a number, one for each "
        "core. The result does not depend on it.",
    )
    trust_file_times: bool = Field(
        True,
        description="A file whose size, inode, modification and change time are those of the "
        "last build is not hashed again. Switch it off where a file system does not keep change "
        "times.",
    )
    seconds_per_file: float = Field(
        60.0,
        gt=0,
        description="A file that takes a parser more processor time than this is dropped with "
        "the reason `timeout`.",
    )
    memory_per_file_bytes: int = Field(
        2_000_000_000,
        ge=100_000_000,
        description="A file that takes a parser more memory than this is dropped with the "
        "reason `out_of_memory`.",
    )
    containers: ContainerConfig = Field(
        ContainerConfig(), description="Bounds on what archives and e-mails may hold."
    )
    ocr: OcrConfig | None = Field(
        None, description="How scanned PDFs are read; without it they are dropped as `scanned`."
    )
    boilerplate_share: float = Field(
        0.2,
        gt=0,
        le=1,
        description="A line that appears in more than this share of the documents is "
        "boilerplate (a footer, a notice) and is removed from all of them.",
    )
    boilerplate_min_documents: int = Field(
        5,
        ge=2,
        description="A line must appear in at least this many documents to be boilerplate.",
    )
    languages: tuple[str, ...] = Field(
        (),
        description="Languages (ISO 639-1: `en`, `de`) of the documents to keep; others are "
        "dropped with the reason `other_language`. Empty means all. Documents too short to tell "
        "are kept.",
    )
    scrubbing: ScrubbingConfig = Field(
        default_factory=ScrubbingConfig,
        description="Which personal data and secrets are replaced by placeholders, before "
        "anything is stored.",
    )


class ChunkingConfig(Config):
    """How documents are cut into chunks. Sizes are in the base model's own tokens."""

    max_tokens: int = Field(
        128, ge=16, description="A chunk has at most this many tokens, so that prompts stay short."
    )
    min_tokens: int = Field(
        12,
        ge=1,
        description="Shorter chunks are dropped with the reason `too_short`: they hold no fact.",
    )
