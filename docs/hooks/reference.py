"""MkDocs hook: the reference pages, made from the code while the site is built."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # this tree is what is documented, not an installed one

# Pages at the repository's root, where people look for them, that are also part of the site.
_FROM_ROOT = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {
        "reference/commands.md": commands_page(),
        "reference/configuration.md": configuration_page(),
        "reference/plug-ins.md": plug_ins_page(),
    }
    for source, target in _FROM_ROOT.items():
        pages[target] = (ROOT / source).read_text(encoding="utf-8").replace("](docs/", "](")
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def commands_page() -> str:
    """Return the page of all commands with their arguments and options."""
    import typer.main

    from flows.cli import app

    sections = _command_sections("temper", typer.main.get_command(app))
    return "# Commands\n\nMade from `temper --help`.\n\n" + "\n\n".join(sections) + "\n"


def _command_sections(name: str, command: Any) -> Iterator[str]:
    if hasattr(command, "commands"):
        for verb, inner in command.commands.items():
            yield from _command_sections(f"{name} {verb}", inner)
        return
    rows = [_parameter_row(item) for item in command.params if not getattr(item, "hidden", False)]
    table = "| parameter | default | what |\n|---|---|---|\n" + "\n".join(rows)
    text = (command.help or "").replace("\b", "").strip()
    yield f"## {name}\n\n{_escaped(text)}\n\n{table if rows else ''}".rstrip()


def _parameter_row(item: Any) -> str:
    is_argument = item.param_type_name == "argument"
    names = f"`{item.name}`" if is_argument else ", ".join(f"`{name}`" for name in item.opts)
    default = "" if item.default is None or callable(item.default) else f"`{item.default}`"
    return f"| {names} | {_cell(default)} | {_cell(getattr(item, 'help', '') or '')} |"


def configuration_page() -> str:
    """Return the page of all keys of a profile with types, defaults and descriptions."""
    from flows.config import PipelineConfig

    seen: set[type[BaseModel]] = set()
    sections = list(_model_sections("", PipelineConfig, seen))
    opening = (
        "# Configuration\n\nAll keys of a profile, made from the models that validate it. "
        "On the command line: `--set training.epochs=2`.\n\n"
    )
    return opening + "\n\n".join(sections) + "\n"


def _model_sections(key: str, model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    rows = [_field_row(name, field) for name, field in model.model_fields.items()]
    title = key or "profile"
    text = _escaped((model.__doc__ or "").strip().split("\n\n")[0])
    yield (
        f"## {title}: {model.__name__}\n\n{text}\n\n"
        "| key | type | default | what |\n|---|---|---|---|\n" + "\n".join(rows)
    )
    for name, field in model.model_fields.items():
        for inner in _models_in(field.annotation):
            yield from _model_sections(f"{key}.{name}".lstrip("."), inner, seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for part in get_args(annotation):
        yield from _models_in(part)


def _field_row(name: str, field: FieldInfo) -> str:
    kind = _type_name(field.annotation)
    default = "required" if field.is_required() else _default_text(field)
    return f"| `{name}` | {_cell(kind)} | {_cell(default)} | {_cell(field.description or '')} |"


def _type_name(annotation: Any) -> str:
    models = [model.__name__ for model in _models_in(annotation)]
    if models:
        return ", ".join(models)
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return f"`{name.replace('typing.', '')}`"


def _default_text(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    text = "" if isinstance(value, BaseModel) else repr(value)
    return f"`{text}`" if 0 < len(text) <= 80 else "see below"


def plug_ins_page() -> str:
    """Return the page of everything that is registered by name."""
    from tasks.augmentation.augmenter import AUGMENTERS
    from tasks.generation.base import GENERATORS
    from tasks.ingestion.parser import PARSERS
    from tasks.interchange.format import FORMATS
    from tasks.judging.base import JUDGES
    from tasks.scrubbing.detector import DETECTORS
    from tasks.training.method import METHODS

    parts = ["# Plug-ins\n\nMade from the registries. Options are on the configuration page."]
    for registry in (PARSERS, GENERATORS, JUDGES, DETECTORS, AUGMENTERS, FORMATS, METHODS):
        rows = [f"| `{name}` | {_first_line(registry.get(name))} |" for name in registry.names()]
        parts.append(f"## {registry.kind}\n\n| name | what |\n|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _first_line(member: type) -> str:
    return _cell((member.__doc__ or "").strip().splitlines()[0])


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", "\\|")


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("[bold]", "").replace("[/bold]", "")
