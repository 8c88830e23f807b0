"""Profiles: every shipped one is valid; what is wrong in one is said with the nearest name."""

from pathlib import Path

import pytest
import yaml

from data_contracts.errors import ConfigError
from flows.build_dataset import build_dataset
from flows.config import PROFILES, PipelineConfig, load_config, override
from tasks.promotion.config import GateConfig
from tasks.tracking import RunContext

SHIPPED = sorted(PROFILES.rglob("*.yaml"))


def test_profiles_are_shipped():
    assert {"default", "demo"} <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_profile_is_valid(path):
    assert load_config(str(path), documents="somewhere").documents == "somewhere"


def test_an_override_replaces_one_value(tmp_path):
    config = load_config("demo", None, ["training.epochs=7", "training.method.method=full"])
    assert config.training.epochs == 7
    assert config.training.method.method == "full"


def test_a_relative_documents_folder_is_relative_to_its_profile():
    assert Path(str(load_config("demo").documents)).is_dir()


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


def test_a_profile_without_data_says_what_is_missing():
    with pytest.raises(ConfigError, match=r"nothing to learn from: name a folder"):
        load_config("default")


def test_a_profile_of_a_sequence_alone_is_for_continual_use_only(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    sets = f"continual.sets={{a: {tmp_path / 'a'}, b: {tmp_path / 'b'}}}"
    config = load_config("default", settings=[sets])
    context = RunContext(home=tmp_path, tracking_uri="", experiment="", run_id="")
    with pytest.raises(ConfigError, match=r"nothing to learn from.*temper continual"):
        build_dataset.fn(config, context)


def test_places_in_a_profile_are_relative_to_it_and_addresses_stay(tmp_path):
    path = tmp_path / "ours.yaml"
    path.write_text(
        "documents: [docs, 's3://bucket/handbook', '/data/*.md']\n"
        "datasets: {sources: [{path: faq.jsonl}, {path: 'hf://datasets/a/b'}]}\n"
    )
    config = load_config(str(path))
    assert config.documents == (str(tmp_path / "docs"), "s3://bucket/handbook", "/data/*.md")
    assert [source.path for source in config.datasets.sources] == [
        str(tmp_path / "faq.jsonl"),
        "hf://datasets/a/b",
    ]


def test_imported_rows_may_not_be_longer_than_training_takes(tmp_path):
    path = tmp_path / "ours.yaml"
    path.write_text("datasets: {sources: [{path: faq.jsonl}]}\n")
    with pytest.raises(ConfigError, match=r"exceeds training\.max_length \(400\)"):
        load_config(str(path), None, ["training.max_length=400"])


def test_a_profile_that_is_no_mapping_is_refused(tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("- a\n- b\n")
    with pytest.raises(ConfigError, match="must hold keys and values"):
        load_config(str(path))


def described(model, seen):
    for name, field in model.model_fields.items():
        if name in {
            "method",
            "generator",
            "augmenter",
            "parser",
            "objective",
            "strategy",
            "judge",
            "detector",
            "format",
        }:
            continue  # the name of a plug-in
        assert field.description, f"{model.__name__}.{name} has no description"
        for part in [field.annotation, *getattr(field.annotation, "__args__", ())]:
            if isinstance(part, type) and hasattr(part, "model_fields") and part not in seen:
                described(part, seen | {part})


def test_every_option_is_described():
    """The description is the reference documentation and the form's text in Prefect's UI."""
    described(PipelineConfig, {PipelineConfig})


def test_general_rows_need_a_share_and_lie_beside_the_profile(tmp_path):
    path = tmp_path / "ours.yaml"
    path.write_text("documents: docs\ngeneral: {sources: [{path: chat.jsonl}]}\n")
    with pytest.raises(ConfigError, match=r"augmentation\.replay\.share is 0"):
        load_config(str(path))
    config = load_config(str(path), None, ["augmentation.replay.share=0.1"])
    assert config.general.sources[0].path == str(tmp_path / "chat.jsonl")
    with pytest.raises(ConfigError, match=r"general\.max_tokens \(512\) exceeds"):
        load_config(str(path), None, ["augmentation.replay.share=0.1", "training.max_length=400"])


def test_new_rows_may_not_be_longer_than_training_takes():
    settings = ["augmentation.max_tokens=600", "training.max_length=512"]
    with pytest.raises(ConfigError, match=r"augmentation\.max_tokens \(600\) exceeds"):
        load_config("demo", None, settings)


def test_rows_that_the_base_model_writes_must_fit_into_training():
    settings = ["augmentation.replay.share=0.1", "training.max_length=280"]
    with pytest.raises(ConfigError, match="may write rows of 264 tokens"):
        load_config("demo", None, settings)
    settings.append("augmentation.replay.answer_tokens=150")
    assert load_config("demo", None, settings).augmentation.replay.answer_tokens == 150


def test_canaries_that_nobody_would_look_for_are_refused():
    planted = "training.canaries.count=2"
    assert load_config("demo", None, [planted]).training.canaries.count == 2
    with pytest.raises(ConfigError, match="would never look for"):
        load_config("demo", None, [planted, "memorisation.enabled=false"])


@pytest.mark.parametrize(
    ("settings", "off"),
    [
        ([], {"export_parity"}),
        (["exports=[{form: adapter}]"], set()),
        (["gate.required=[export_parity]"], set()),
        (["selection.objective=knowledge"], {"memorisation", "export_parity"}),
        (["selection.objective=knowledge", "gate.required=[memorisation]"], {"export_parity"}),
        (["memorisation.enabled=false"], {"export_parity"}),  # counts, and nobody measured it
    ],
)
def test_legs_with_nothing_to_judge_are_switched_off_with_a_reason(settings, off):
    found = load_config("demo", None, settings).judged_by
    assert set(found.switched_off) == off
    assert all(reason.endswith(".") for reason in found.switched_off.values())


def test_a_reason_that_the_profile_gives_is_kept():
    reason = "The exports are looked at elsewhere."
    found = load_config("demo", None, [f"gate.switched_off={{export_parity: {reason}}}"])
    assert found.judged_by.switched_off == {"export_parity": reason}


def test_the_default_profile_writes_the_whole_gate_out_as_it_is_by_default():
    written = yaml.safe_load((PROFILES / "default.yaml").read_text())["gate"]
    assert written.keys() == GateConfig.model_fields.keys()
    assert GateConfig.model_validate(written) == GateConfig()


OUTSIDE = [
    "documents=/etc",
    "documents=[{allowed}/handbook, /etc/*.conf]",
    "documents={allowed}/../elsewhere",
    "documents={allowed}/link",
    "documents=s3://handbooks-of-others/a",
    "documents=s3://handbooks/../others",
    "datasets.sources=[{{path: /etc/passwd}}]",
    "general={{sources: [{{path: /etc/passwd}}]}}",
    "curation.benchmarks=[/etc/passwd]",
    "continual.sets={{one: {allowed}/a, two: /etc}}",
    "evaluation.general_folder=/etc",
    "base_model=/etc/model",
    "base_model=other/model",
]


@pytest.mark.parametrize("setting", OUTSIDE)
def test_a_run_reads_nothing_outside_what_it_may(setting, tmp_path, monkeypatch):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "link").symlink_to("/etc")
    monkeypatch.setenv("TEMPER_MAY_READ", f"{allowed}, s3://handbooks, org/")
    fine = [f"documents={allowed}/handbook", "base_model=org/model"]
    config = load_config("default", None, fine)
    load_config("default", "s3://handbooks/a", fine)
    if setting.startswith("general"):
        fine.append("augmentation.replay.share=0.1")
    with pytest.raises(ConfigError, match="may not read .*TEMPER_MAY_READ"):
        load_config("default", None, [*fine, setting.format(allowed=allowed)])
    with pytest.raises(ConfigError, match="may not read"):
        override(config, {"documents": "/etc"})


def test_a_profile_outside_is_not_even_read(tmp_path, monkeypatch):
    (tmp_path / "secret.yaml").write_text("a: secret")
    monkeypatch.setenv("TEMPER_MAY_READ", str(tmp_path / "allowed"))
    with pytest.raises(ConfigError, match="may not read") as caught:
        load_config(str(tmp_path / "secret.yaml"))
    assert "a: secret" not in str(caught.value)
