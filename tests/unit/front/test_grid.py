"""The points of a front."""

import pytest

from data_contracts.errors import ConfigError, UnknownName
from tasks.front.config import FrontConfig
from tasks.front.grid import grid_points, point_name


def names(config: FrontConfig) -> list[str]:
    return [point_name(values) for values in grid_points(config, "lora")]


def test_every_combination_once_and_single_points_beside_them():
    config = FrontConfig(
        methods=("lora", "full"),
        learning_rates=(1e-5, 1e-4),
        mitigations={"sam": (0.05, 0.1)},
        points=({"training.neftune_alpha": 5},),
    )
    found = names(config)
    assert len(found) == len(set(found)) == 2 * 2 * 3 + 1
    assert found[0] == "lora, rate 1e-05"
    assert "full, sam 0.1, rate 0.0001" in found
    assert found[-1] == "neftune_alpha 5"


def test_a_strength_goes_into_the_option_that_the_mitigation_names():
    (_, guarded) = grid_points(FrontConfig(mitigations={"wise_ft": (0.1,)}), "lora")
    assert guarded["training.mitigations"] == [{"mitigation": "wise_ft", "given_up": 0.1}]


def test_an_axis_leaves_out_methods_that_lack_the_option():
    config = FrontConfig(methods=("lora", "full"), axes={"training.method.rank": (4, 8)})
    assert names(config) == ["lora, rank 4", "lora, rank 8", "full"]


def test_a_single_points_option_comes_after_its_method():
    (values,) = grid_points(FrontConfig(points=({"training.method.rank": 4},)), "lora")
    assert list(values) == ["training.method.method", "training.method.rank"]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ConfigError, match="nothing to compare"):
        grid_points(FrontConfig(), "lora")
    with pytest.raises(ConfigError, match=r"splitting\.train"):
        grid_points(FrontConfig(axes={"splitting.train": (0.5,)}), "lora")
    with pytest.raises(UnknownName, match="sam"):
        grid_points(FrontConfig(mitigations={"smm": (1.0,)}), "lora")


def test_a_rate_that_yaml_takes_for_text_is_a_number():
    (values,) = grid_points(FrontConfig(points=({"training.learning_rate": "1e-5"},)), "lora")
    assert values == {"training.learning_rate": 1e-5}
    assert point_name(values) == "rate 1e-05"
