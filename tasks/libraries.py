"""The libraries whose version can change what a stage produces, and their versions here."""

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

_NAMES = (
    "datasketch",
    "detect-secrets",
    "ftfy",
    "json-repair",
    "markdown-it-py",
    "mammoth",
    "markdownify",
    "numpy",
    "openai",
    "openpyxl",
    "pandas",
    "peft",
    "phonenumbers",
    "pyarrow",
    "py3langid",
    "pygments",
    "pypdfium2",
    "python-pptx",
    "temper",
    "sentence-transformers",
    "torch",
    "trafilatura",
    "transformers",
)


@cache
def library_versions() -> Mapping[str, str]:
    """Return the version of each, "not installed" of those that are not there."""
    return MappingProxyType({name: _version(name) for name in _NAMES})


def machine_versions() -> dict[str, str]:
    """Return what has to be equal on machines that share the work of a stage."""
    return {"python": platform.python_version(), **library_versions()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
