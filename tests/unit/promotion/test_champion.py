import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ChampionChanged, PromotionError
from tasks.promotion.champion import (
    Registry,
    challenger_version,
    champion_before,
    champion_on_record,
    champion_version,
    promote_version,
    resolve_version,
    roll_back,
    signed,
    was_promoted,
)
from tasks.promotion.history import read_history
from tests.unit.promotion.conftest import BY, Register

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def champion(registry: Registry) -> str | None:
    return champion_version(registry.client, registry.name)


def test_a_promotion_moves_the_alias_and_is_on_the_record(
    registry: Registry, register: Register
) -> None:
    first, second = register(), register()
    promote_version(registry, first, None, BY)
    done = promote_version(registry, second, first, BY)
    assert (done.version, done.champion, champion(registry)) == (second, True, second)
    history = read_history(registry.client, registry.name)
    assert [(x.action, x.version, x.previous) for x in history] == [
        ("promotion", first, None),
        ("promotion", second, first),
    ]
    assert {x.by for x in history} == {"ada@somewhere"}
    tags = registry.client.get_model_version(registry.name, second).tags
    assert tags["temper.promoted_by"] == "ada@somewhere"
    assert tags["temper.reason"] == "read by hand"
    assert tags["temper.promoted_at"] == history[-1].at


@pytest.mark.parametrize("verdict", ["FAIL", "INSUFFICIENT EVIDENCE", "pass", ""])
def test_only_a_pass_is_promoted_or_rolled_back_to(
    registry: Registry, register: Register, verdict: str
) -> None:
    refused, good = register(verdict), register()
    with pytest.raises(PromotionError, match="only PASS is promoted"):
        promote_version(registry, refused, None, BY)
    promote_version(registry, good, None, BY)
    with pytest.raises(PromotionError, match="only PASS is promoted"):
        roll_back(registry, refused, good, BY)
    assert champion(registry) == good
    assert len(read_history(registry.client, registry.name)) == 1


@pytest.mark.parametrize("logged", ["FAIL", "no verdict"])
def test_a_version_that_was_tagged_pass_by_somebody_is_refused(
    registry: Registry, register: Register, logged: str
) -> None:
    tagged = register("PASS", logged)
    found = "FAIL" if logged == "FAIL" else "none"
    with pytest.raises(PromotionError, match=f"holds the verdict {found}"):
        promote_version(registry, tagged, None, BY)
    without_run = registry.client.create_model_version(
        registry.name, "s3://nowhere/model", tags={"temper.verdict": "PASS"}
    )
    with pytest.raises(PromotionError, match="holds the verdict none"):
        promote_version(registry, str(without_run.version), None, BY)
    assert champion(registry) is None


def test_a_champion_made_past_temper_is_noticed_and_can_be_put_on_the_record(
    registry: Registry, register: Register
) -> None:
    first, second = register(), register()
    assert champion_on_record(registry.client, registry.name)
    promote_version(registry, first, None, BY)
    assert champion_on_record(registry.client, registry.name)
    registry.client.set_registered_model_alias(registry.name, "champion", second)
    assert not champion_on_record(registry.client, registry.name)
    assert roll_back(registry, None, second, BY).version == first
    registry.client.set_registered_model_alias(registry.name, "champion", second)
    promote_version(registry, second, second, BY)
    assert champion_on_record(registry.client, registry.name)
    assert read_history(registry.client, registry.name)[-1].version == second


def test_a_promotion_that_saw_another_champion_changes_nothing(
    registry: Registry, register: Register
) -> None:
    first, second, third = register(), register(), register()
    promote_version(registry, first, None, BY)
    promote_version(registry, second, first, BY)
    with pytest.raises(ChampionChanged, match=f"is version {second}, and was {first}"):
        promote_version(registry, third, first, BY)
    with pytest.raises(ChampionChanged):
        roll_back(registry, None, first, BY)
    assert champion(registry) == second
    assert not was_promoted(registry.client, registry.name, third)


def test_the_champion_is_not_promoted_twice(registry: Registry, register: Register) -> None:
    version = register()
    for _ in range(2):
        assert promote_version(registry, version, None, BY).champion
    assert len(read_history(registry.client, registry.name)) == 1


def test_rolling_back_goes_one_champion_further_each_time(
    registry: Registry, register: Register
) -> None:
    versions = [register() for _ in range(3)]
    for before, version in zip([None, *versions], versions, strict=False):
        promote_version(registry, version, before, BY)
    assert roll_back(registry, None, versions[2], BY).version == versions[1]
    assert roll_back(registry, None, versions[1], BY).version == versions[0]
    with pytest.raises(PromotionError, match="no champion before"):
        roll_back(registry, None, versions[0], BY)
    assert champion(registry) == versions[0]
    tags = registry.client.get_model_version(registry.name, versions[2]).tags
    assert tags["temper.rolled_back_by"] == "ada@somewhere"
    assert tags["temper.rolled_back_reason"] == "read by hand"


def test_rolling_back_to_a_named_version(registry: Registry, register: Register) -> None:
    first, second, never = register(), register(), register()
    promote_version(registry, first, None, BY)
    promote_version(registry, second, first, BY)
    assert roll_back(registry, never, second, BY).version == never
    with pytest.raises(PromotionError, match="no champion before"):
        roll_back(registry, never, never, BY)


def test_without_a_champion_there_is_nothing_to_roll_back(registry: Registry) -> None:
    with pytest.raises(PromotionError, match="no champion that could be rolled back"):
        roll_back(registry, None, None, BY)


def test_somebody_who_ignores_the_lock_is_noticed(registry: Registry, register: Register) -> None:
    first, other = register(), register()

    class Interfered:
        """A client in front of which somebody else moves the alias, after each write."""

        def __getattr__(self, name: str) -> Any:
            return getattr(registry.client, name)

        def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
            registry.client.set_registered_model_alias(name, alias, version)
            registry.client.set_registered_model_alias(name, alias, other)

    with pytest.raises(ChampionChanged, match="without Temper's lock"):
        promote_version(replace(registry, client=Interfered()), first, None, BY)
    assert not was_promoted(registry.client, registry.name, first)


def test_a_reason_too_long_to_be_kept_stops_the_promotion(
    registry: Registry, register: Register
) -> None:
    version = register()
    with pytest.raises(PromotionError, match="nothing was changed"):
        promote_version(registry, version, None, replace(BY, reason="x" * 100_000))
    assert champion(registry) is None


def test_versions_and_models_that_do_not_exist(registry: Registry, register: Register) -> None:
    with pytest.raises(PromotionError, match="no version '9'"):
        promote_version(registry, "9", None, BY)
    with pytest.raises(PromotionError, match="No model 'nowhere' is registered"):
        champion_version(registry.client, "nowhere")
    with pytest.raises(PromotionError, match="has no challenger"):
        challenger_version(registry.client, registry.name)
    assert champion_before(registry.client, "nowhere") is None
    with pytest.raises(PromotionError, match="has no champion"):
        resolve_version(registry.client, registry.name, "champion")
    version = register()
    registry.client.set_registered_model_alias(registry.name, "challenger", version)
    assert resolve_version(registry.client, registry.name, "challenger") == version
    assert resolve_version(registry.client, registry.name, "7") == "7"


def test_a_change_needs_a_reason() -> None:
    assert "@" in signed("because").by
    with pytest.raises(PromotionError, match="needs a reason"):
        signed("  ")


CONTENDER = """
import sys, time
from functools import partial
from pathlib import Path
from data_contracts.errors import ChampionChanged
from tasks.file_lock import file_lock
from tasks.promotion.champion import Registry, Signature, champion_version, promote_version
from tasks.tracking import connect

uri, folder, version, rounds = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
client = connect(uri).MlflowClient()
for number in range(rounds):
    name = f"race-{number}"
    registry = Registry(client, name, partial(file_lock(folder / "lock").held, name))
    seen = champion_version(client, name)
    (folder / f"{number}-{version}").touch()
    while len(list(folder.glob(f"{number}-*"))) < 2:
        time.sleep(0.001)
    try:
        promote_version(registry, version, seen, Signature(f"process {version}", "a race"))
        print("won", flush=True)
    except ChampionChanged:
        print("lost", flush=True)
"""


def test_of_two_processes_that_promote_at_once_one_wins(
    client: Any, store: str, judged: Callable[[str], str], tmp_path: Path, repository: Path
) -> None:
    rounds, passed = 5, judged("PASS")
    for number in range(rounds):
        client.create_registered_model(f"race-{number}")
        for _ in range(2):
            client.create_model_version(
                f"race-{number}",
                "s3://nowhere/model",
                run_id=passed,
                tags={"temper.verdict": "PASS"},
            )
    command = [sys.executable, "-W", "ignore", "-c", CONTENDER, store, str(tmp_path)]
    running = [
        subprocess.Popen(
            [*command, version, str(rounds)], stdout=subprocess.PIPE, text=True, cwd=repository
        )
        for version in ("1", "2")
    ]
    said = [process.communicate(timeout=240)[0].split() for process in running]
    assert all(process.returncode == 0 for process in running)
    for number, outcomes in enumerate(zip(*said, strict=True)):
        assert sorted(outcomes) == ["lost", "won"], f"round {number}"
        winner = str(outcomes.index("won") + 1)
        assert champion_version(client, f"race-{number}") == winner
        (change,) = read_history(client, f"race-{number}")
        assert (change.version, change.by) == (winner, f"process {winner}")
