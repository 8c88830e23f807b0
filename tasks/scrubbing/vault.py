"""The vault: what placeholders stand for, encrypted, for those who hold the key."""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from data_contracts.errors import ConfigError, StorageError
from tasks.scrubbing.placeholder import PLACEHOLDER, Keys, derive_keys


class Vault:
    """An append-only file of encrypted entries; one file a key.

    Args:
        folder: Where vaults lie; nobody but the owner may read them.
        keys: Derived from the secret.
    """

    def __init__(self, folder: Path, keys: Keys) -> None:
        from cryptography.fernet import Fernet

        self.path = folder / f"{keys.name}.vault"
        self._fernet = Fernet(base64.urlsafe_b64encode(keys.vault))
        self._written: set[str] = set()

    def add(self, values: Mapping[str, str]) -> None:
        """Append the values of placeholders that this object has not written yet.

        Raises:
            StorageError: The file cannot be written.
        """
        new = {name: value for name, value in values.items() if name not in self._written}
        if not new:
            return
        line = self._fernet.encrypt(json.dumps(new).encode()) + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # one write to a file opened for appending: processes side by side do not mix lines
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise StorageError(
                f"Cannot write {self.path}: {error}. What is scrubbed could not be restored, so "
                "nothing is. Free disk space or set scrubbing.reversible to false."
            ) from error
        self._written |= set(new)

    def read(self) -> dict[str, str]:
        """Return all placeholders with their values; empty where there is no file.

        Raises:
            ConfigError: The file was written with another key, or is damaged.
        """
        from cryptography.fernet import InvalidToken

        values: dict[str, str] = {}
        lines = self.path.read_bytes().splitlines() if self.path.is_file() else []
        for line in lines:
            try:
                values |= json.loads(self._fernet.decrypt(line))
            except (InvalidToken, ValueError) as error:
                raise ConfigError(
                    f"{self.path} cannot be decrypted: it is damaged. Expected a vault that was "
                    "written with this TEMPER_SCRUBBING_KEY; restore it from a backup."
                ) from error
        return values


def vault_folder(home: Path) -> Path:
    """Return where vaults lie in a home folder."""
    return home / "vault"


def restore(text: str, key: str, home: Path) -> str:
    """Put the values back in a scrubbed text.

    Args:
        text: Text with placeholders.
        key: The secret it was scrubbed with.
        home: The home folder.

    Raises:
        ConfigError: There is no vault of that key, or it is damaged.
    """
    vault = Vault(vault_folder(home), derive_keys(key))
    if not vault.path.is_file():
        raise ConfigError(
            f"{vault.path.parent} holds no vault of this key. Expected TEMPER_SCRUBBING_KEY to be "
            "the one that was set, with scrubbing.reversible=true, when the text was scrubbed."
        )
    values = vault.read()
    return PLACEHOLDER.sub(lambda found: values.get(found.group(), found.group()), text)
