"""The search space: what a path may be, and what is said of one that is wrong."""

from functools import partial

import pytest

from data_contracts.errors import ConfigError, UnknownName
from flows.config import PipelineConfig, load_config, override, profile_of
from tasks.search.config import SweepConfig, read_space
from tasks.search.space import METHOD, applies, check_space, draw


class Drawn:
    """Answers as Optuna's trial would, always with the upper end."""

    def suggest_int(self, path, low, high, log):
        return high

    def suggest_float(self, path, low, high, log):
        return high

    def suggest_categorical(self, path, choices):
        return choices[-1]


@pytest.fixture
def config() -> PipelineConfig:
    return load_config("demo")


def space(**paths):
    return SweepConfig(space={path.replace("__", "."): value for path, value in paths.items()})


def check(config, **paths):
    check_space(space(**paths).space, config.training.method.method, partial(override, config))


def test_every_kind_of_value_is_drawn_and_accepted(config):
    found = space(
        training__learning_rate={"type": "log", "low": "1e-4", "high": "1e-2"},
        training__weight_decay={"type": "float", "low": 0, "high": 0.1},
        training__method__rank={"type": "int", "low": 2, "high": 64, "log": True},
        training__method__method=["lora", "dora"],
        training__method__target_modules=[["q_proj"], ["q_proj", "v_proj"]],
        augmentation__replay__share=[0.0, 0.1],
    )
    check_space(found.space, "lora", partial(override, config))
    values = draw(Drawn(), found.space, "lora")
    tuned = override(config, values)
    assert tuned.training.method.method == "dora"
    assert tuned.training.method.rank == 64
    assert list(tuned.training.method.target_modules) == ["q_proj", "v_proj"]
    assert tuned.training.learning_rate == 1e-2


def test_an_option_that_the_method_lacks_is_left_out():
    found = space(training__method__rank=[2, 4], training__method__method=["lora", "full"]).space
    assert draw(Drawn(), found, "lora") == {METHOD: "full"}
    assert applies("training.method.rank", "lora")
    assert not applies("training.method.rank", "full")


def test_an_unknown_path_names_its_neighbours(config):
    with pytest.raises(ConfigError, match="learning_rate"):
        check(config, training__lerning_rate=[1e-3])
    with pytest.raises(UnknownName, match="'rank'"):
        check(config, training__method__rnk=[2])
    with pytest.raises(UnknownName, match="'lora'"):
        check(config, training__method__method=["lorra"])


def test_a_value_out_of_bounds_is_found_before_any_training(config):
    with pytest.raises(ConfigError, match="batch_size"):
        check(config, training__batch_size={"type": "int", "low": 0, "high": 8})


def test_a_path_that_changes_the_validation_rows_is_refused(config):
    with pytest.raises(ConfigError, match="could not be compared"):
        check(config, chunking__max_tokens=[200, 300])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training.epochs: {type: int, low: 4, high: 2}", "low .4. must be below high"),
        ("training.epochs: {type: log, low: 0, high: 2}", "greater than 0"),
        ("training.epochs: {type: lag, low: 1, high: 2}", "lag"),
        ("- a", "must hold paths and values"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, text, message):
    file = tmp_path / "space.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_space(file)


def test_a_configuration_written_as_a_profile_loads_equal(config, tmp_path):
    tuned = override(config, {METHOD: "dora", "training.method.rank": 4})
    file = tmp_path / "best.yaml"
    file.write_text(profile_of(tuned))
    assert load_config(str(file)) == tuned
