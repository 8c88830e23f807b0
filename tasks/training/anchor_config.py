"""Where anchor texts come from."""

from pathlib import Path

from pydantic import Field

from data_contracts.base import Config


class AnchorConfig(Config):
    """Texts on which the tuned model is to stay as its base is.

    They are no text that the evaluation measures retention on; that is checked. Where no file
    is named the base model writes them itself, from an empty context at temperature 1: then
    they come from the very distribution that is to stay, in any language and for any model
    (pseudo-rehearsal, Robins 1995, Connection Science 7).
    """

    file: Path | None = Field(
        None,
        description='JSONL file of lines like {"text": "..."}. Empty: the base model writes them.',
    )
    texts: int = Field(64, ge=1, description="Anchor texts, at most; drawn from a file by hash.")
    tokens: int = Field(64, ge=2, description="Tokens of a text, at most; the rest is left out.")
    seed: int = Field(23, description="Of the texts that the base model writes, or of the draw.")
