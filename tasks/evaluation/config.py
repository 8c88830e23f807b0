"""Configuration of the evaluation."""

from pathlib import Path

from pydantic import Field

from data_contracts.base import Config


class EvaluationConfig(Config):
    """What is measured, on how many rows, and how surely.

    Where a set has more rows than are asked for, the rows are chosen by a hash of their
    identifier: every model, and every later run, gets the same ones.
    """

    test_rows: int = Field(
        200, ge=1, description="Most test rows on which the answers' cross-entropy is measured."
    )
    validation_rows: int = Field(100, ge=1, description="Most validation rows, likewise.")
    train_rows: int = Field(
        100,
        ge=1,
        description="Most training rows for the gap between seen and unseen rows; only rows "
        "taken from documents count, augmented ones do not.",
    )
    generated_rows: int = Field(
        40, ge=0, description="Most test rows for which the model writes its own answer."
    )
    max_new_tokens: int = Field(
        48, ge=1, description="Longest generated answer, in tokens; what is longer never stopped."
    )
    general_folder: Path | None = Field(
        None,
        description="Folder of JSONL files with general skills (query, choices, gold) and general "
        "text (text), to measure forgetting. Empty: the probe that comes with Temper.",
    )
    general_items_per_skill: int | None = Field(
        None, ge=1, description="Most items of each general skill; empty for all."
    )
    general_texts: int = Field(30, ge=0, description="Most passages of general text.")
    max_length: int = Field(
        1024,
        ge=16,
        description="Longest row in tokens. A longer example or item is dropped with a reason; "
        "longer general text is scored in pieces of this length.",
    )
    scored_tokens_per_forward: int = Field(
        256,
        ge=16,
        description="Most tokens scored at once. It bounds memory: with a vocabulary of 262,144, "
        "256 tokens make 0.27 GB of logits, and as much again to normalise them.",
    )
    bootstrap_resamples: int = Field(
        2_000, ge=200, description="Bootstrap resamples behind each 95 % interval."
    )
    seed: int = Field(0, ge=0, description="Seed of the bootstrap.")
    shown_examples: int = Field(
        10, ge=0, description="How many improved and how many worsened answers are shown."
    )
