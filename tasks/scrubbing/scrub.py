"""Replaces what the detectors find by placeholders."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from data_contracts.errors import ConfigError
from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.detector import Finding
from tasks.scrubbing.placeholder import PLACEHOLDER, derive_keys, placeholder
from tasks.scrubbing.vault import Vault, vault_folder
from tasks.settings import Settings


@dataclass(frozen=True)
class Scrubbed:
    """A text that may leave the machine.

    Attributes:
        text: With placeholders.
        counts: How many were put in, by kind.
        values: What each placeholder stands for; for the vault alone.
    """

    text: str
    counts: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


class Scrubber:
    """Scrubs texts; equal values get equal placeholders.

    Args:
        config: What is replaced.
        key: The secret that placeholders are named with; without one they are the same for
            everybody, and who guesses a value can see whether it was there.
        vault: Folder in which values are kept, if the configuration says so.

    Raises:
        ConfigError: The configuration wants a vault, and key or folder are missing; or a model
            that is not installed.
    """

    def __init__(
        self, config: ScrubbingConfig, key: str | None = None, vault: Path | None = None
    ) -> None:
        self.config, self._keys = config, derive_keys(key)
        if config.reversible and (key is None or vault is None):
            raise ConfigError(
                "scrubbing.reversible is true, but there is no key. Set TEMPER_SCRUBBING_KEY to a "
                "secret of your own (and keep it: without it nothing can be restored)."
            )
        self._vault = vault if config.reversible else None
        for detector in config.detectors:
            detector.prepare()
        self._keep = [pattern.casefold() for pattern in config.keep]

    @property
    def key_name(self) -> str:
        """What tells this key from others: results depend on it, so fingerprints hold it."""
        return self._keys.name

    def find(self, text: str) -> list[Finding]:
        """Return what is to be replaced: in order, without overlaps."""
        taken = [match.span() for match in PLACEHOLDER.finditer(text)]
        found = (
            finding
            for detector in self.config.detectors
            for finding in detector.find(text)
            if finding.kind not in self.config.skip_kinds
        )
        chosen = _without_overlaps(_outside(found, taken))
        return [finding for finding in chosen if not self._is_kept(text, finding)]

    def scrub(self, text: str) -> Scrubbed:
        """Return the text with placeholders; scrubbing it again changes nothing.

        Raises:
            StorageError: The vault cannot be written.
        """
        counts: Counter[str] = Counter()
        values: dict[str, str] = {}
        # what was hidden by a longer finding, or stood beside one, may be one itself now
        while findings := self.find(text):
            text = self._replace(text, findings, values)
            counts.update(finding.kind for finding in findings)
        if self._vault is not None and values:
            Vault(self._vault, self._keys).add(values)
        return Scrubbed(text, dict(sorted(counts.items())), values)

    def _replace(self, text: str, findings: Iterable[Finding], values: dict[str, str]) -> str:
        parts, end = [], 0
        for finding in findings:
            value = text[finding.start : finding.end]
            name = placeholder(finding.kind, value, self._keys)
            values[name] = value
            parts += [text[end : finding.start], name]
            end = finding.end
        return "".join([*parts, text[end:]])

    def _is_kept(self, text: str, finding: Finding) -> bool:
        value = text[finding.start : finding.end].casefold()
        return any(fnmatchcase(value, pattern) for pattern in self._keep)


def _without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """Return the longest findings, the surer ones first where lengths are equal, in order."""
    ranked = sorted(findings, key=lambda f: (f.start - f.end, -f.certainty, f.start, f.kind))
    chosen: dict[int, Finding] = {}
    starts: list[int] = []
    for finding in ranked:
        place = bisect_left(starts, finding.start)
        before = chosen[starts[place - 1]].end if place else 0
        after = starts[place] if place < len(starts) else finding.end
        if before <= finding.start and finding.end <= after:
            starts.insert(place, finding.start)
            chosen[finding.start] = finding
    return [chosen[start] for start in starts]


def _outside(findings: Iterable[Finding], taken: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """Yield the findings that touch no placeholder."""
    ends = [end for _, end in taken]
    for finding in findings:
        place = bisect_right(ends, finding.start)
        if place == len(taken) or finding.end <= taken[place][0]:
            yield finding


def scrubber(config: ScrubbingConfig, home: Path) -> Scrubber:
    """Return a scrubber with the key of the environment.

    Raises:
        ConfigError: The configuration wants a vault, and no key is set.
    """
    secret = Settings().scrubbing_key
    key = secret.get_secret_value() if secret else None
    return Scrubber(config, key, vault_folder(home))
