"""What a detector is, what it finds, and the registry of all detectors."""

import re
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from data_contracts.base import Config
from tasks.registry import Registry

# How sure a detector is; where two findings cover the same characters the surer one names them.
CHECKSUM, FORM, CONTEXT, MODEL = 4, 3, 2, 1


@dataclass(frozen=True)
class Finding:
    """A span of a text that must not leave the machine.

    Attributes:
        kind: What it is: `email`, `iban`, `api_key`. It names the placeholder.
        start: Of the span.
        end: Of the span.
        certainty: CHECKSUM, FORM, CONTEXT or MODEL.
    """

    kind: str
    start: int
    end: int
    certainty: int = FORM


class Detector(Config):
    """Finds one sort of personal data or secrets.

    A detector is one file in `tasks/scrubbing/detectors`: a frozen Config whose fields are
    its options. It looks at the text alone and asks no network.
    """

    detector: str

    def prepare(self) -> None:
        """Load what is needed, so that what is missing is said before the work begins.

        Raises:
            ConfigError: A library or model is not installed.
        """

    @abstractmethod
    def find(self, text: str) -> Iterator[Finding]:
        """Return what is found, in any order; findings may overlap."""


DETECTORS: Registry[Detector] = Registry("detector", "tasks.scrubbing.detectors", "detector")


def words_near(
    words: re.Pattern[str], text: str, start: int, end: int, before: int = 40, after: int = 20
) -> bool:
    """Whether a word that announces the finding stands in front of it, or just after it.

    Args:
        words: The words.
        text: The whole text.
        start: Of the finding.
        end: Of the finding.
        before: How many characters in front are searched.
        after: How many characters behind are searched, on the same line.
    """
    if words.search(text, max(0, start - before), start):
        return True
    line = text[end : end + after].split("\n", 1)[0]
    return words.search(line) is not None
