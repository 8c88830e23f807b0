"""What a profile can say about generation."""

from typing import TYPE_CHECKING

from pydantic import Field

from data_contracts.base import Config
from tasks.generation.base import GENERATORS, Generator
from tasks.generation.generators.cloze import ClozeGenerator
from tasks.generation.generators.definition import DefinitionGenerator
from tasks.generation.generators.fact import FactGenerator
from tasks.generation.generators.faq import FaqGenerator
from tasks.generation.generators.heading import HeadingGenerator
from tasks.generation.generators.keyword_passage import KeywordPassageGenerator
from tasks.generation.generators.table import TableGenerator

if TYPE_CHECKING:
    AnyGenerator = Generator
else:
    AnyGenerator = GENERATORS.union()  # what pydantic validates: one of the registered generators

EMBEDDED = "embedded"


class LLMConfig(Config):
    """The language model that generators ask, behind any OpenAI-compatible endpoint."""

    base_url: str = Field(
        EMBEDDED,
        description="Address of the endpoint, e.g. http://127.0.0.1:11434/v1, or `embedded` for a "
        "local server on the embedded model, which Temper starts and ends by itself.",
    )
    model: str = Field("gemma3-270m", min_length=1, description="Name of the model there.")
    temperature: float = Field(
        0.0, ge=0, le=2, description="0 gives the same answer to the same question."
    )
    max_tokens: int = Field(160, ge=16, description="Longest reply, in tokens.")
    max_calls: int | None = Field(
        40,
        ge=1,
        description="Chunks that each generator asks about, at most, chosen by hash; null for all.",
    )
    concurrency: int = Field(4, ge=1, description="Requests under way at the same time.")
    timeout_seconds: float = Field(120.0, gt=0, description="Longest wait for one reply.")
    max_retries: int = Field(
        4, ge=0, description="Further attempts after a 408, 409, 429, 5xx or lost connection."
    )
    repairs: int = Field(
        1, ge=0, le=3, description="Times an unusable reply is sent back with the error shown."
    )


class GenerationConfig(Config):
    """How rows are made from chunks."""

    generators: tuple[AnyGenerator, ...] = Field(
        default_factory=lambda: (
            FaqGenerator(),
            DefinitionGenerator(),
            HeadingGenerator(),
            FactGenerator(),
            TableGenerator(),
            KeywordPassageGenerator(),
            ClozeGenerator(),
        ),
        min_length=1,
        description="The kinds of rows to make. Where a document gives more rows than wanted, "
        "they take turns in this order.",
    )
    max_rows_per_document: int = Field(
        30, ge=1, description="Further rows of a document are dropped with reason `over_limit`."
    )
    with_context: bool = Field(
        True,
        description="Give the passage with the question (answer from a given passage); if not, "
        "the model is to answer from memory.",
    )
    min_grounding: float = Field(
        0.75,
        ge=0,
        le=1,
        description="Rows whose answer the passage supports less than this are dropped.",
    )
    seed: int = Field(0, description="Changes which rows are kept under a limit.")
    llm: LLMConfig = Field(default_factory=LLMConfig, description="The language model to ask.")
