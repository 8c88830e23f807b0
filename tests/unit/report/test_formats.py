from datetime import datetime, timedelta, timezone

import pytest

from data_contracts.results import Interval
from tasks.report import formats

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234567, 0, "1,234,567"), (-0.5, 2, "−0.50"), (-0.0004, 3, "0.000"), (NAN, 1, "not finite")],
)
def test_number(value: float, digits: int, text: str) -> None:
    assert formats.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "+0.123"), (-1, "−1.000"), (0.0001, "0.000"), (INF, "not finite")]
)
def test_signed(value: float, text: str) -> None:
    assert formats.signed(value, 3) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (212.0, "212"),
        (-0.0035, "−0.0035"),
        (0.609, "0.609"),
        (1.2e-7, "1.20e−7"),
        (123.456, "123.5"),
        (100.04, "100"),
        (NAN, "not finite"),
    ],
)
def test_figure(value: float, text: str) -> None:
    assert formats.figure(value) == text


def test_changes_of_shares_are_points() -> None:
    interval = Interval(estimate=-0.031, low=-0.058, high=-0.004)
    assert formats.level(0.802, "accuracy") == "80.2 %"
    assert formats.change(-0.031, "accuracy") == "−3.1"
    assert formats.interval(interval, "accuracy") == "−5.8 to −0.4"
    assert formats.interval(interval, "cross_entropy") == "−0.058 to −0.004"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.8 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (431.7, "7 min 12 s"),
        (3599.7, "1 h 00 min"),
        (NAN, "not finite"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert formats.duration(seconds) == text


def test_date_is_in_utc_on_every_machine() -> None:
    moment = datetime(2026, 11, 24, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    assert formats.date(moment) == "23 November 2026, 23:05 UTC"


def test_clip_says_how_much_is_missing() -> None:
    assert formats.clip("abc", 3) == "abc"
    assert formats.clip("abcdef", 3) == "abc … [3 more characters not shown]"


def test_finalize_keeps_tabs_newlines_and_other_scripts() -> None:
    assert formats.finalize("a\tb\r\nc\rd مرحبا 日本") == "a\tb\nc\nd مرحبا 日本"
    assert formats.finalize("\x07") == "\ufffd"
    assert formats.finalize(3) == 3
