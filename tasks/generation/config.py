"""What a profile can say about generation."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from data_contracts.base import Config
from data_contracts.errors import ConfigError, UnknownName
from tasks.generation.base import GENERATORS, Generator, LLMGenerator
from tasks.generation.generators.cloze import ClozeGenerator
from tasks.generation.generators.definition import DefinitionGenerator
from tasks.generation.generators.fact import FactGenerator
from tasks.generation.generators.faq import FaqGenerator
from tasks.generation.generators.heading import HeadingGenerator
from tasks.generation.generators.keyword_passage import KeywordPassageGenerator
from tasks.generation.generators.lead_summary import LeadSummaryGenerator
from tasks.generation.generators.procedure import ProcedureGenerator
from tasks.generation.generators.table import TableGenerator
from tasks.llm.config import EMBEDDED, LLMConfig

if TYPE_CHECKING:
    AnyGenerator = Generator
else:
    AnyGenerator = GENERATORS.union()  # what pydantic validates: one of the registered generators


class GenerationConfig(Config):
    """How rows are made from chunks."""

    generators: tuple[AnyGenerator, ...] = Field(
        default_factory=lambda: (
            FaqGenerator(),
            DefinitionGenerator(),
            HeadingGenerator(),
            ProcedureGenerator(),
            FactGenerator(),
            TableGenerator(),
            KeywordPassageGenerator(),
            LeadSummaryGenerator(),
            ClozeGenerator(),
        ),
        min_length=1,
        description="The kinds of rows to make. Where a document gives more rows than wanted, "
        "they take turns in this order.",
    )
    rows_per_kind: dict[str, int] = Field(
        default_factory=dict,
        description="Rows wanted, by generator, e.g. `multi_hop: 50`. A language model is asked in "
        "rounds until they are there; why they cannot be had is said in the log. Without a number "
        "here, a generator asks about `llm.max_calls` passages and rules give what there is.",
    )
    max_refusal_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Highest share of rows whose answer is that the passage does not say.",
    )
    max_loss_rate: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Stop where a larger share of a generator's conversations (at least 20) ends "
        "without a usable reply: the model cannot do that kind, and each call costs.",
    )
    min_yield: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Stop asking for more rows of a kind once, after 50 passages, fewer of them "
        "than this share gave a row that was kept.",
    )
    related_passages: tuple[float, float] = Field(
        (0.15, 0.8),
        description="Lowest and highest cosine (TF-IDF) of two passages of different documents "
        "that may be asked about together; what is more alike says the same twice.",
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

    @model_validator(mode="after")
    def _kinds_wanted_are_made(self) -> Self:
        """Refuse a number of rows for a generator that does not exist or is not configured."""
        own = {generator.generator for generator in self.generators}
        for name, number in self.rows_per_kind.items():
            if name not in GENERATORS.names():
                raise UnknownName("kind of rows in generation.rows_per_kind", name, own)
            if name not in own:
                raise ConfigError(
                    f"generation.rows_per_kind wants {name!r} rows, but `generation.generators` "
                    f"does not list that generator. Add `- generator: {name}` to it."
                )
            if number < 1:
                raise ConfigError(f"generation.rows_per_kind.{name} is {number}: want 1 or more.")
        return self

    @model_validator(mode="after")
    def _an_endpoint_is_asked(self) -> Self:
        """Refuse an endpoint that no generator asks: its user expects questions from it."""
        asking = any(isinstance(generator, LLMGenerator) for generator in self.generators)
        if self.llm.base_url != EMBEDDED and not asking:
            raise ConfigError(
                f"generation.llm.base_url is {self.llm.base_url!r}, but all of "
                "`generation.generators` go by rules: nobody would ask it. Start from the profile "
                "`llm`, which lists the generators that do, or add one, such as "
                "`- generator: single_fact`."
            )
        return self
