"""Precision, recall and time of scrubbing; writes docs/results/scrubbing.md.

Run it from the root of the repository:

    python -m benchmarks.scrubbing [--public FOLDER] [--handbook FOLDER] [--output FILE]

`--public` is a folder with files of public repositories: `synth_dataset_v2.json` and
`generated_large.json` of microsoft/presidio-research (MIT, data/ and tests/data/), and in
`detect-secrets/` the files of Yelp/detect-secrets' tests/plugins/ (Apache-2.0).
"""

import argparse
import ast
import json
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.scrubbing_set import Labelled, negatives, positives
from tasks.ingestion.clean import clean_document
from tasks.ingestion.parser import ParsedDocument
from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.detector import Finding
from tasks.scrubbing.detectors.email import EmailDetector
from tasks.scrubbing.detectors.person import PersonDetector
from tasks.scrubbing.detectors.phone import PhoneDetector
from tasks.scrubbing.scrub import Scrubber

HANDBOOK = Path("../shared/data/docs/18f-handbook")
EXAMPLES = Path("examples/handbook")
KINDS_OF_PRESIDIO = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "payment_card",
    "IBAN_CODE": "iban",
    "US_SSN": "us_ssn",
    "IP_ADDRESS": "ip_address",
    "STREET_ADDRESS": "address",
    "ADDRESS": "address",
    "PERSON": "person",
}


@dataclass
class Score:
    """What was found of one kind.

    Attributes:
        labelled: Values that are there.
        found: Those of them of which no character is left, whatever they were taken for.
        named: Those that were taken for what they are.
        findings: Everything that was taken for this kind.
        right: Findings that touch a value of this kind.
        missed: Values of which something is left.
        wrong: Findings that are none.
    """

    labelled: int = 0
    found: int = 0
    named: int = 0
    findings: int = 0
    right: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def row(self, kind: str) -> list[str]:
        """Return the cells of a table."""
        recall = f"{self.found / self.labelled:.3f}" if self.labelled else ""
        precision = f"{self.right / self.findings:.3f}" if self.findings else ""
        cells = [kind, self.labelled, self.found, self.named, recall, self.findings, precision]
        return [str(cell) for cell in cells]


def score(texts: Iterable[Labelled], scrubber: Scrubber) -> dict[str, Score]:
    """Score the findings of a set, kind by kind."""
    scores: dict[str, Score] = defaultdict(Score)
    for labelled in texts:
        findings = scrubber.find(labelled.text)
        for kind, start, end in labelled.spans:
            _score_value(scores[kind], labelled, (kind, start, end), findings)
        for finding in findings:
            this = scores[finding.kind]
            this.findings += 1
            same = [s for s in labelled.spans if s[0] == finding.kind]
            if any(start < finding.end and finding.start < end for _, start, end in same):
                this.right += 1
            else:
                near = labelled.text[max(0, finding.start - 30) : finding.end + 15]
                this.wrong.append(" ".join(near.split()))
    return dict(sorted(scores.items()))


def _score_value(
    this: Score, labelled: Labelled, span: tuple[str, int, int], findings: Sequence[Finding]
) -> None:
    kind, start, end = span
    covered = set[int]()
    for finding in findings:
        covered |= set(range(finding.start, finding.end))
    value = labelled.text[start:end]
    left = [n for n in range(start, end) if n not in covered and labelled.text[n].isalnum()]
    this.labelled += 1
    this.found += not left
    this.named += any(f.kind == kind and f.start < end and start < f.end for f in findings)
    if left:
        this.missed.append(" ".join(labelled.text[max(0, start - 20) : end + 10].split()))
    assert value


def presidio(file: Path) -> Iterator[Labelled]:
    """Yield the sentences of presidio-research with the spans that we know kinds of."""
    for sample in json.loads(file.read_text(encoding="utf-8")):
        spans = [
            (KINDS_OF_PRESIDIO[s["entity_type"]], s["start_position"], s["end_position"])
            for s in sample["spans"]
            if s["entity_type"] in KINDS_OF_PRESIDIO
        ]
        yield Labelled(sample["full_text"], tuple(spans))


def detect_secrets(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Yield plug-in, line and whether it holds a secret, from detect-secrets' own tests."""
    for file in sorted(folder.glob("*_test.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple) and len(node.elts) == 2:
                line, flag = node.elts
                values = [getattr(element, "value", None) for element in (line, flag)]
                if isinstance(values[0], str) and isinstance(values[1], bool):
                    yield file.stem.removesuffix("_test"), values[0], values[1]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


_HEAD = ("kind", "values", "gone", "named right", "recall", "findings", "precision")


def scores_table(scores: dict[str, Score]) -> str:
    """Return the scores and, shortened, what was missed and what was wrong."""
    listed = [this.row(kind) for kind, this in scores.items()]
    return table(_HEAD, listed)


def own_set() -> tuple[str, dict[str, Score]]:
    """Score the set that is written for this benchmark."""
    texts = [*positives(), *negatives()]
    scores = score(texts, Scrubber(ScrubbingConfig()))
    return scores_table(scores), scores


def public_sets(folder: Path) -> list[str]:
    """Score what public sets there are."""
    parts = []
    detectors = ScrubbingConfig().detectors
    wide = [d for d in detectors if not isinstance(d, EmailDetector | PhoneDetector)]
    # made-up data may well be what is set aside for examples and fiction
    wide += [EmailDetector(reserved=True), PhoneDetector(reserved=True), PersonDetector()]
    scrubber = Scrubber(ScrubbingConfig(detectors=tuple(wide)))
    for name in ("synth_dataset_v2.json", "generated_large.json"):
        if (folder / name).is_file():
            scores = score(presidio(folder / name), scrubber)
            known = {k: s for k, s in scores.items() if s.labelled}
            others = {k: s.findings for k, s in scores.items() if not s.labelled}
            text = f"### presidio-research (MIT), {name}\n\n{scores_table(known)}\n\n"
            parts.append(text + f"Kinds that the set does not label: {others}.")
            examples(name, known)
    if (folder / "detect-secrets").is_dir():
        parts.append(_detect_secrets_table(folder / "detect-secrets"))
    return parts


def _detect_secrets_table(folder: Path) -> str:
    scrubber = Scrubber(ScrubbingConfig())
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for plugin, line, is_secret in detect_secrets(folder):
        hit = bool(scrubber.find(line))
        tally[plugin][f"{is_secret}{hit}"] += 1
        if hit != is_secret:
            print(f"detect-secrets {plugin}: {line[:100]!r} secret={is_secret}")
    rows = [
        (
            name,
            n["TrueTrue"] + n["TrueFalse"],
            n["TrueTrue"],
            n["FalseTrue"] + n["FalseFalse"],
            n["FalseTrue"],
        )
        for name, n in tally.items()
    ]
    head = ("plug-in", "secrets", "found", "no secrets", "taken for one")
    return f"### detect-secrets' own tests (Apache-2.0)\n\n{table(head, rows)}"


def corpus(folder: Path) -> str:
    """Say what is found in real documents."""
    scrubber = Scrubber(ScrubbingConfig())
    counts: Counter[str] = Counter()
    values: dict[str, Counter[str]] = defaultdict(Counter)
    documents = sorted(folder.rglob("*.md"))
    for file in documents:
        parsed = ParsedDocument(file.read_text(encoding="utf-8", errors="replace"))
        text = clean_document(parsed, inline_markup=True).text
        for finding in scrubber.find(text):
            counts[finding.kind] += 1
            values[finding.kind][text[finding.start : finding.end]] += 1
    rows = [(kind, n, len(values[kind])) for kind, n in sorted(counts.items())]
    for kind, found in values.items():
        print(f"{folder.name} {kind}:", dict(found))
    return f"{len(documents)} Markdown files.\n\n" + table(("kind", "findings", "values"), rows)


def timings(folder: Path) -> str:
    """Measure each detector on real documents, in processor time."""
    texts = [f.read_text(encoding="utf-8", errors="replace") for f in sorted(folder.rglob("*.md"))]
    size = sum(map(len, texts))
    rows = []
    for detector in ScrubbingConfig().detectors:
        list(detector.find("415-762-3310 AKIAIOSFODNN7EXAMPLE"))  # what is loaded once
        started = time.process_time()
        for text in texts:
            list(detector.find(text))
        spent = time.process_time() - started
        rows.append((detector.detector, f"{spent / size * 5000 * 1000:.3f}"))
    total = sum(float(spent) for _, spent in rows)
    rows.append(("**all**", f"{total:.3f}"))
    return table(("detector", "ms per 5,000 characters"), rows)


def examples(name: str, scores: dict[str, Score], most: int = 12) -> None:
    """Print what went wrong, for reading."""
    for kind, this in scores.items():
        for label, cases in (("missed", this.missed), ("wrong", this.wrong)):
            for case in cases[:most]:
                print(f"{name} {kind} {label}: {case[:140]}")


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--public", type=Path)
    parser.add_argument("--handbook", type=Path, default=HANDBOOK)
    parser.add_argument("--output", type=Path, default=Path("docs/results/scrubbing.md"))
    options = parser.parse_args()
    written, scores = own_set()
    examples("own", scores)
    notes = Path(__file__).with_suffix(".notes.md")
    names = ("phonenumbers", "detect-secrets", "py3langid", "spacy", "Faker")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    parts = [
        "# Scrubbing: precision and recall",
        f"Made by `python -m benchmarks.scrubbing` on {date.today()}, Python "
        f"{platform.python_version()}, {platform.machine()}; {versions}.",
        "`gone`: no letter or digit of the value is left, whatever it was taken for. `recall` is "
        "gone / values. `precision` is the share of findings that touch a value of their kind. "
        "Defaults throughout, unless said.",
        "## Written for this benchmark\n\nValues from Faker in nine locales and written lists; "
        f"{len(list(negatives()))} texts with nothing to find in them, of 42 sorts.\n\n{written}",
    ]
    if options.public:
        said = "Here with `reserved: true` for e-mail and telephone, and with `person`."
        parts += [f"## Public sets\n\n{said}", *public_sets(options.public)]
    for folder in (options.handbook, EXAMPLES):
        if folder.is_dir():
            parts.append(f"## What is found in {folder.name} ({folder})\n\n{corpus(folder)}")
    if options.handbook.is_dir():
        parts.append(f"## Processor time\n\n{timings(options.handbook)}")
    if notes.is_file():
        parts.append(notes.read_text(encoding="utf-8").strip())
    options.output.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print("\n\n".join(parts))


if __name__ == "__main__":
    main()
