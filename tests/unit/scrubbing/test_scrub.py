"""The laws of scrubbing: idempotent, counted, consistent, reversible with the key alone."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ConfigError
from tasks.grounding.claims import numbers
from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.detector import Detector, Finding
from tasks.scrubbing.detectors.person import PersonDetector
from tasks.scrubbing.placeholder import PLACEHOLDER, derive_keys, has_placeholder
from tasks.scrubbing.scrub import Scrubber, scrubber
from tasks.scrubbing.vault import Vault, restore, vault_folder
from tasks.settings import Settings

KEY = "correct horse battery staple"
PLAIN = Scrubber(ScrubbingConfig())
PIECES = st.sampled_from(
    [
        "jane@x.org", "415-762-3310", "+49 30 901820", "DE89370400440532013000", "123-45-6789",
        "4111 1111 1111 1111", "8.8.8.8", "password=", "hunter2!", "token: ", "a1b2c3d4e5f6g7h8",
        "[EMAIL_bcdfghjk]", "[US_SSN_", "bcdfghjk]", "Hauptstraße 12", "call ", "://u:", "@",
        "12345678Z", "AKIAIOSFODNN7EXAMPLE", "order", "İstanbul", "943 476 5919", "NHS", "-----",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=12).flatmap(
    lambda parts: st.sampled_from([" ", "", "\n", ", "]).map(lambda glue: glue.join(parts))
)

HOSTILE = (
    ["a@", "bob@x.org ", "1 ", "1-", "A1", "password=", "eyJ", "://a:", "aa:", "12 Ab ", "x."],
    ["[at]", "a.b-", "Calle De ", "-----BEGIN PRIVATE KEY-----"],
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_scrubbing_twice_changes_nothing_and_counts_are_what_was_put_in(text: str) -> None:
    once = PLAIN.scrub(text)
    assert PLAIN.scrub(once.text).text == once.text
    added = len(PLACEHOLDER.findall(once.text)) - len(PLACEHOLDER.findall(text))
    assert sum(once.counts.values()) == added
    if not PLAIN.find(text):
        assert once.text == text and not once.counts
    back = PLACEHOLDER.sub(lambda m: once.values.get(m.group(), m.group()), once.text)
    assert back == text


def test_equal_values_get_equal_placeholders_and_keys_change_them() -> None:
    text = "bob@x.org and amy@x.org and bob@x.org"
    first, second, third = PLACEHOLDER.findall(PLAIN.scrub(text).text)
    assert first == third != second
    assert PLAIN.scrub("bob@x.org").text == first
    assert Scrubber(ScrubbingConfig(), KEY).scrub("bob@x.org").text != first


def test_placeholders_hold_no_number_and_no_space() -> None:
    text = PLAIN.scrub("Call 415-762-3310 or write to 12ab@x.org.").text
    assert numbers(text) == []
    assert has_placeholder(text) and not has_placeholder("[EMAIL] [NOTE_1]")
    assert all(" " not in name for name in PLACEHOLDER.findall(text))


def test_the_longest_finding_wins() -> None:
    text = "https://bob:s3cret@x.org/ and 4111 1111 1111 1111 23"
    result = PLAIN.scrub(text).text
    assert result.startswith("https://bob:[PASSWORD_")


class AfterwardsDetector(Detector):
    """Finds something that shows only when its neighbour is gone."""

    detector: str = "afterwards"

    def find(self, text: str) -> Iterator[Finding]:
        for found in re.finditer(r"abc|(?<=\])d", text):
            yield Finding("test", *found.span())


def test_what_shows_only_afterwards_goes_as_well() -> None:
    config = ScrubbingConfig.model_construct(detectors=(AfterwardsDetector(),))
    result = Scrubber(config).scrub("abcd")
    assert result.counts == {"test": 2} and PLACEHOLDER.sub("", result.text) == ""


def test_keep_and_skip_leave_values_in_place() -> None:
    config = ScrubbingConfig(keep=("*@Agency.gov",), skip_kinds=("phone",))
    text = "help@agency.gov, 415-762-3310, bob@x.org"
    result = Scrubber(config).scrub(text)
    assert result.text.startswith("help@agency.gov, 415-762-3310, [EMAIL_")
    assert result.counts == {"email": 1}


def test_no_detectors_means_no_scrubbing() -> None:
    assert Scrubber(ScrubbingConfig(detectors=())).scrub("bob@x.org").text == "bob@x.org"


def test_values_come_back_with_the_key_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TEMPER_SCRUBBING_KEY", KEY)
    config = ScrubbingConfig(reversible=True)
    text = "bob@x.org, SSN 123-45-6789"
    scrubbed = scrubber(config, tmp_path).scrub(text).text
    scrubber(config, tmp_path).scrub("amy@x.org")  # another process, later
    assert "bob" not in scrubbed and restore(scrubbed, KEY, tmp_path) == text
    with pytest.raises(ConfigError, match="no vault of this key"):
        restore(scrubbed, "another key", tmp_path)
    vault = Vault(vault_folder(tmp_path), derive_keys(KEY))
    stored = vault.path.read_bytes()
    assert b"bob" not in stored and vault.path.stat().st_mode & 0o077 == 0
    vault.path.write_bytes(stored[:20])
    with pytest.raises(ConfigError, match="damaged"):
        restore(scrubbed, KEY, tmp_path)


def test_without_reversible_nothing_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TEMPER_SCRUBBING_KEY", KEY)
    scrubber(ScrubbingConfig(), tmp_path).scrub("bob@x.org")
    assert list(tmp_path.rglob("*")) == []


def test_a_vault_needs_a_key(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("TEMPER_SCRUBBING_KEY", raising=False)
    with pytest.raises(ConfigError, match="TEMPER_SCRUBBING_KEY"):
        scrubber(ScrubbingConfig(reversible=True), tmp_path)


def test_keys_are_not_shown(monkeypatch) -> None:
    monkeypatch.setenv("TEMPER_SCRUBBING_KEY", KEY)
    keys = derive_keys(KEY)
    assert KEY not in repr(Settings()) and repr(keys) == f"Keys(name={keys.name!r})"
    result = Scrubber(ScrubbingConfig(), KEY).scrub("bob@x.org")
    assert "bob" not in repr(result)


def test_a_missing_model_says_what_to_do() -> None:
    pytest.importorskip("spacy")
    with pytest.raises(ConfigError, match=r"no_such_model.*name of an installed model or a folder"):
        Scrubber(ScrubbingConfig(detectors=(PersonDetector(model="no_such_model"),)))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", [*HOSTILE[0], *HOSTILE[1]])
def test_hostile_texts_cost_no_more_than_their_length(piece: str) -> None:
    PLAIN.find(piece * 20_000)
