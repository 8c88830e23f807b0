"""Configuration of the measurement of memorisation."""

from pydantic import Field

from data_contracts.base import Config


class MemorisationConfig(Config):
    """What is asked to see whether training rows were learned by heart.

    Rows are asked without their passage: what the model then says comes from memory. They are
    chosen by a hash of their identifier, the same ones for every model.
    """

    enabled: bool = Field(
        True,
        description="Whether memorisation is measured; without it the gate has no such leg. For "
        "the objective `knowledge`, where rows are to be learned, it is told but not judged.",
    )
    prompts: int = Field(
        24,
        ge=0,
        description="Beginnings of training rows that both models go on from. Of 24 that are not "
        "copied the interval reaches up to 0.13, which the gate's margin allows for.",
    )
    member_rows: int = Field(
        24,
        ge=2,
        description="Most training rows, and as many test rows, told apart by their loss; "
        "the prompts are of the same rows.",
    )
    beginning_share: float = Field(
        0.3, gt=0, lt=1, description="Share of the answer's tokens that the model is shown."
    )
    continuation_tokens: int = Field(
        16,
        ge=4,
        description="Tokens that it goes on for, at most; all of them equal is a verbatim copy.",
    )
    shortest_continuation: int = Field(
        8,
        ge=1,
        description="Rows of which fewer tokens are left are not asked: short answers coincide.",
    )
    ngram: int = Field(
        5, ge=2, description="Words in a row that count as copied where training text holds them."
    )
    hardest_share: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Share of a row's tokens, the least likely, that its membership is guessed by "
        "(min-k % of Shi et al. 2024, arXiv 2310.16789).",
    )
    alternatives: int = Field(
        127,
        ge=31,
        description="Random secrets that each canary is compared with. What is likelier than all "
        "of them is placed by their distribution's tail. 127 take the embedded model 17 s of "
        "processor time a canary.",
    )
    max_length: int = Field(1024, ge=16, description="Longest row in tokens; longer ones drop out.")
    scored_tokens_per_forward: int = Field(
        256, ge=16, description="Most tokens scored at once; it bounds memory."
    )
    bootstrap_resamples: int = Field(
        2_000, ge=200, description="Bootstrap resamples behind each 95 % interval."
    )
    seed: int = Field(0, ge=0, description="Of bootstrap and random secrets.")
    shown_examples: int = Field(
        5, ge=0, description="How many continuations are shown, the longest copies first."
    )
