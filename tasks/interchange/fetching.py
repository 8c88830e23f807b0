"""Brings a source that lies elsewhere onto this machine."""

from pathlib import Path

from data_contracts.base import digest
from data_contracts.errors import ConfigError, DatasetError

_HUB = "hf://datasets/"


def on_this_machine(address: str, cache: Path) -> Path:
    """Return where a source lies, downloading it first if it is an address.

    Args:
        address: A path, `hf://datasets/owner/name[@revision]`, or an fsspec address.
        cache: Folder for what is downloaded.

    Raises:
        ConfigError: The address has a protocol for which no package is installed.
        DatasetError: It cannot be downloaded.
    """
    if address.startswith(_HUB):
        return _from_hub(address.removeprefix(_HUB))
    if "://" in address:
        return _by_fsspec(address, cache / digest(address, length=16))
    return Path(address).expanduser()


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repository, repo_type="dataset", revision=revision or None))
    except HFValidationError as error:
        raise ConfigError(
            f"{_HUB}{name} is no dataset's address: {_first_line(error)}. Write {_HUB}owner/name."
        ) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise DatasetError(
            f"The dataset {repository!r} cannot be had from the Hugging Face hub: "
            f"{_first_line(error)}. Check the name and the network, log in for "
            "private datasets (HF_TOKEN), or download it elsewhere and give the folder."
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")


def _by_fsspec(address: str, target: Path) -> Path:
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(address)
        found = target / Path(path).name
        system.get(path.rstrip("/"), str(found), recursive=system.isdir(path))
    except (ImportError, ValueError) as error:
        raise ConfigError(f"The source {address} cannot be opened: {error}.") from error
    except OSError as error:
        raise DatasetError(
            f"The source {address} cannot be read: {error}. Check the address and the credentials "
            "in the environment."
        ) from error
    return found
