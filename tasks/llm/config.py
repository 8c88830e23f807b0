"""What a profile can say about a language model."""

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from data_contracts.base import Config

EMBEDDED = "embedded"


class LLMConfig(Config):
    """A language model behind any OpenAI-compatible endpoint."""

    base_url: str = Field(
        EMBEDDED,
        description="Address of the endpoint, e.g. http://127.0.0.1:11434/v1, or `embedded` for a "
        "local server on the embedded model, which Temper starts and ends by itself. It may hold "
        "no password or key: it is written into manifests.",
    )
    further_urls: tuple[str, ...] = Field(
        (),
        description="Addresses of further endpoints that serve the same model, where there are "
        "several: requests are spread over all of them, and one that does not answer is left out "
        "for a while. All get the same key and options; which of them there are makes no "
        "difference to what is asked or made.",
    )
    model: str = Field("gemma3-270m", min_length=1, description="Name of the model there.")
    api_version: str | None = Field(
        None,
        description="For Azure OpenAI with deployments, e.g. 2024-10-21: `base_url` is then the "
        "resource's address and `model` the deployment. Leave it out for Azure's /openai/v1.",
    )
    api_key_env: str = Field(
        "OPENAI_API_KEY",
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="Environment variable with the key of the endpoint, or of all of them; a local "
        "server needs none.",
    )
    api_key_block: str | None = Field(
        None, description="Name of the Prefect Secret block with the key; goes before the variable."
    )
    temperature: float = Field(
        0.0, ge=0, le=2, description="0 gives the same answer to the same question."
    )
    max_tokens: int = Field(160, ge=16, description="Longest reply, in tokens.")
    structured: Literal["auto", "json_schema", "json_object", "text"] = Field(
        "auto",
        description="How JSON is asked for. `auto` begins with a schema and gives way to what the "
        "endpoint accepts.",
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict,
        description="Further options of this endpoint for each request, e.g. "
        "{chat_template_kwargs: {enable_thinking: false}} for vLLM. No keys.",
    )
    max_calls: int | None = Field(
        40,
        ge=1,
        description="Chunks that each generator asks about, at most, chosen by hash; null for all.",
    )
    concurrency: int = Field(
        4,
        ge=1,
        description="Requests under way at each endpoint at the same time, at most: fewer while it "
        "says that it has too many.",
    )
    timeout_seconds: float = Field(120.0, gt=0, description="Longest wait for one reply.")
    max_retries: int = Field(
        6,
        ge=0,
        description="Further attempts after a 408, 409, 429, 5xx, lost connection or garbled "
        "answer.",
    )
    max_wait_seconds: float = Field(
        120.0,
        gt=0,
        description="Longest pause that the endpoint may ask for; if it wants more, the run stops "
        "and can be started again later.",
    )
    max_failures: int = Field(
        10,
        ge=1,
        description="Requests that may fail one after the other, in spite of retries, before the "
        "run stops. The first request of all must not fail.",
    )
    repairs: int = Field(
        1, ge=0, le=3, description="Times an unusable reply is sent back with the error shown."
    )
    max_tokens_total: int | None = Field(
        None, ge=1, description="Stop before prompts and replies together need more tokens."
    )
    max_cost: float | None = Field(
        None, gt=0, description="Stop before the replies cost more; needs the two prices."
    )
    price_prompt: float = Field(0.0, ge=0, description="Price of a million prompt tokens.")
    price_completion: float = Field(0.0, ge=0, description="Price of a million reply tokens.")
    on_budget: Literal["stop", "finish"] = Field(
        "stop",
        description="What to do when the budget is used up: `stop` with an error, or `finish` with "
        "the replies there are; the rows that were not asked for are dropped, saying so.",
    )
    batch: bool = Field(
        False,
        description="Ask through the endpoint's Batch API, where it has one: cheaper, but it can "
        "take a day. What fails there is asked singly.",
    )
    batch_poll_seconds: float = Field(
        30.0, gt=0, description="Time between two looks at a batch under way."
    )
    batch_wait_hours: float = Field(
        25.0,
        gt=0,
        description="Longest wait for a batch; a later run goes on waiting for the same one.",
    )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every endpoint's address."""
        return (self.base_url, *self.further_urls)

    @property
    def at_once(self) -> int:
        """Requests under way at the same time, at most, over all endpoints."""
        return self.concurrency * len(self.addresses)

    @field_validator("base_url")
    @classmethod
    def _holds_no_secret(cls, value: str) -> str:
        address = urlsplit(value)
        if address.username or address.password or address.query:
            raise ValueError(
                "it may hold neither a user name, a password nor a query: it is written into "
                "manifests; put the key into the environment or a Prefect Secret block"
            )
        return value

    @field_validator("further_urls")
    @classmethod
    def _none_holds_a_secret(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cls._holds_no_secret(value) for value in values)

    @model_validator(mode="after")
    def _several_are_several(self) -> "LLMConfig":
        if not self.further_urls:
            return self
        if EMBEDDED in self.addresses:
            raise ValueError(
                "further_urls goes with the address of an endpoint in base_url: the embedded "
                "model has one server"
            )
        if len(set(self.addresses)) < len(self.addresses):
            raise ValueError("further_urls names an endpoint twice, or the one of base_url again")
        if self.batch:
            raise ValueError("batch asks one endpoint: leave further_urls out")
        return self

    @model_validator(mode="after")
    def _cost_needs_prices(self) -> "LLMConfig":
        if self.max_cost is not None and not (self.price_prompt or self.price_completion):
            raise ValueError("max_cost needs price_prompt or price_completion")
        return self
