"""Each error that a user sees ends with the section of the documentation that helps."""

import pickle
import re
import sys
import traceback

import pytest

from data_contracts import errors
from data_contracts.errors import ConfigError, ContractViolation, TemperError, UnknownName
from flows import cli
from tasks.ingestion.parser import UnreadableFile


def kinds() -> list[type[TemperError]]:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return [kind for kind in found if issubclass(kind, TemperError)]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_the_section_that_an_error_names_exists_and_says_something(kind, repository):
    page, _, anchor = kind.__new__(kind).help_page.partition("#")
    text = (repository / page).read_text()
    sections = {
        re.sub(r"[^\w]+", "-", part.splitlines()[0].lower()): part.splitlines()[1:]
        for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    }
    assert anchor in sections
    assert len(" ".join(sections[anchor]).split()) >= 5


def test_every_section_is_of_an_error_that_exists(repository):
    named = re.findall(r"^## (\w+)$", (repository / "docs/errors.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(kind.__name__ for kind in kinds())


def test_an_error_of_one_stage_is_told_with_the_one_that_it_derives_from():
    assert UnreadableFile("empty", "Nothing.").help_page == "docs/errors.md#unusable"
    assert ContractViolation("splitting", ["x"]).help_page == "docs/errors.md#contractviolation"


def test_the_command_prints_the_link_last(monkeypatch, capsys):
    def fail() -> None:
        raise ConfigError("No such key.")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(sys, "argv", ["temper"])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert capsys.readouterr().err.splitlines()[-1] == "More: docs/errors.md#configerror"


@pytest.mark.parametrize(
    "error", [ConfigError("No such key."), UnknownName("method", "lroa", ["lora"])]
)
def test_a_traceback_ends_with_the_link_also_from_another_process(error):
    for told in (error, pickle.loads(pickle.dumps(error))):
        lines = "".join(traceback.format_exception(told)).splitlines()
        assert lines[-1] == f"More: {error.help_page}"
        assert lines.count(lines[-1]) == 1
