"""Configuration of the measurement of robustness."""

from pydantic import Field

from data_contracts.base import Config


class RobustnessConfig(Config):
    """How many test rows are asked otherwise: reworded, mistyped, question before passage."""

    rows: int = Field(
        0,
        ge=0,
        description="Test rows that are asked in every form; 0: not measured. Each costs as much "
        "as three more test rows, so that the default profile leaves it out; 24 tell a change of "
        "0.1 nats.",
    )
    generated_rows: int = Field(
        0, ge=0, description="Of all forms together, the rows that the models answer themselves."
    )
    max_new_tokens: int = Field(48, ge=1, description="Longest generated answer, in tokens.")
    max_length: int = Field(1024, ge=16, description="Longest row in tokens; longer ones drop out.")
    scored_tokens_per_forward: int = Field(
        256, ge=16, description="Most tokens scored at once; it bounds memory."
    )
    bootstrap_resamples: int = Field(
        2_000, ge=200, description="Bootstrap resamples behind each 95 % interval."
    )
    seed: int = Field(0, ge=0, description="Of typos, wordings and bootstrap.")
