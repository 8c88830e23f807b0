"""What a profile can say about ingestion and chunking."""

from pydantic import Field

from data_contracts.base import Config


class IngestionConfig(Config):
    """Which files are read and what is cleaned out of them."""

    include: tuple[str, ...] = Field(
        ("*",),
        description="Patterns of the files to read, matched against the path within the "
        "documents folder. `*` stands for any characters, folders included: `*.md`, `policies/*`.",
    )
    exclude: tuple[str, ...] = Field(
        (), description="Patterns of files to leave out, even if `include` names them."
    )
    max_file_bytes: int = Field(
        20_000_000, gt=0, description="Larger files are dropped with the reason `too_large`."
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
