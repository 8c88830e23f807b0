"""A whole pipeline in seconds: the sample documents and a tiny random model."""

import shutil
from pathlib import Path

import yaml

from tests.tiny_models import tiny_base

DOCUMENTS = Path(__file__).parents[1] / "examples" / "handbook"


# Enough for every split.
FEW = ("customer", "people", "about/glossary.md", "operations/rescue-quick-guide.md")


def copy_few(folder: Path) -> Path:
    """Copy a few of the sample documents, which may be changed; return where they lie."""
    for name in FEW:
        source, target = DOCUMENTS / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    return folder


def write_tiny_profile(folder: Path, documents: Path = DOCUMENTS) -> Path:
    """Write the model and a profile that runs documents through it, without an LLM."""
    tiny_base(folder / "model", "gemma3")
    profile = {
        "name": "tiny",
        "documents": str(documents),
        "base_model": str(folder / "model"),
        "chunking": {"max_tokens": 400},  # the tiny tokenizer makes many tokens of a word
        "generation": {
            "generators": [{"generator": name} for name in ("definition", "faq", "fact")],
            "max_rows_per_document": 4,
        },
        "splitting": {"train": 0.6, "validation": 0.2, "test": 0.2, "min_rows": 5},
        "training": {
            "learning_rate": 5e-3,
            "epochs": 1,
            "batch_size": 4,
            "max_length": 2000,
            "evaluations_per_epoch": 4,
        },
        "evaluation": {
            "test_rows": 12,
            "validation_rows": 6,
            "train_rows": 6,
            "generated_rows": 4,
            "max_new_tokens": 8,
            "general_items_per_skill": 2,
            "general_texts": 3,
            "max_length": 2000,
            "examinations": [{"examination": "retrieval", "rows": 3, "max_new_tokens": 3}],
        },
        "registry": {"model_name": "tiny"},
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(profile))
    return path
