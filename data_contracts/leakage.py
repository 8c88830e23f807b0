"""What a check of two datasets for leaks found."""

from data_contracts.base import Result
from data_contracts.results import PlantedLeaks


class LeakageHit(Result):
    """A test record and the training record that gives it away most, by one detector."""

    detector: str
    measure: float
    test_record: str  # file#number
    train_record: str
    test_text: str
    train_text: str


class DetectorSummary(Result):
    """What a detector found between two datasets."""

    detector: str
    threshold: float
    hits: int  # records of the checked side
    highest: float


class LeakageCheck(Result):
    """Which records of two datasets say the same."""

    train: str
    test: str
    checked: str  # "test" or "train": whose records are counted and left out
    train_records: int
    test_records: int
    unreadable: int  # records that hold no text, or could not be read
    detectors: list[DetectorSummary]
    hits: list[LeakageHit]
    given_away: list[str]  # records of the checked side that some detector hit
    accuracy: PlantedLeaks | None = None  # measured on leaks planted among these very records

    @property
    def share(self) -> float:
        """Share of the checked side's records that some detector hit."""
        records = self.test_records if self.checked == "test" else self.train_records
        return len(self.given_away) / records if records else 0.0
