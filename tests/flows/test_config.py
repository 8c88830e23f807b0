"""Profiles: every shipped one is valid; what is wrong in one is said with the nearest name."""

from pathlib import Path

import pytest

from data_contracts.errors import ConfigError
from flows.config import PROFILES, PipelineConfig, load_config

SHIPPED = sorted(PROFILES.rglob("*.yaml"))


def test_profiles_are_shipped():
    assert {"default", "demo"} <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_profile_is_valid(path):
    assert load_config(str(path), documents="somewhere").documents == Path("somewhere")


def test_an_override_replaces_one_value(tmp_path):
    config = load_config("demo", None, ["training.epochs=7", "training.method.method=full"])
    assert config.training.epochs == 7
    assert config.training.method.method == "full"


def test_a_relative_documents_folder_is_relative_to_its_profile():
    assert load_config("demo").documents.is_dir()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("trainin.epochs=2", "trainin.*Did you mean 'training'"),
        ("training.epoch=2", "training.epoch.*Did you mean 'epochs'"),
        ("training.method.rnk=2", "rnk.*Did you mean 'rank'"),
        ("training.method.method=lroa", "lroa.*Did you mean 'lora'"),
        ("training.epochs=many", "training.epochs.*'many'"),
        ("training.epochs=-1", "training.epochs.*greater than 0"),
        ("nonsense", "not of the form"),
        ("name.x=1", "is a value, not a section"),
    ],
)
def test_a_wrong_setting_is_explained(setting, message):
    with pytest.raises(ConfigError, match=message):
        load_config("demo", None, [setting])


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"'dmeo'.*Did you mean 'demo'"):
        load_config("dmeo")


def test_a_profile_without_documents_says_what_is_missing():
    with pytest.raises(ConfigError, match=r"documents is missing\. \(Folder"):
        load_config("default")


def test_a_profile_that_is_no_mapping_is_refused(tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("- a\n- b\n")
    with pytest.raises(ConfigError, match="must hold keys and values"):
        load_config(str(path))


def described(model, seen):
    for name, field in model.model_fields.items():
        if name in {"method", "generator", "augmenter", "parser"}:
            continue  # the name of a plug-in
        assert field.description, f"{model.__name__}.{name} has no description"
        for part in [field.annotation, *getattr(field.annotation, "__args__", ())]:
            if isinstance(part, type) and hasattr(part, "model_fields") and part not in seen:
                described(part, seen | {part})


def test_every_option_is_described():
    """The description is the reference documentation and the form's text in Prefect's UI."""
    described(PipelineConfig, {PipelineConfig})
