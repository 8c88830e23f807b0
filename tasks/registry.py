"""Plug-ins: each is one class in one file that registers itself under one name.

A plug-in is a frozen `Config`: its fields are its options, its methods do the work, and a
`Literal` field with a default, the discriminator, carries its name. From the registered
classes `union` builds the type that validates YAML and makes the form in Prefect's UI.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any, Generic, TypeVar, Union

from pydantic import Field

from data_contracts.base import Config
from data_contracts.errors import UnknownName

T = TypeVar("T", bound=Config)


class Registry(Generic[T]):
    """Named plug-ins of one sort.

    Args:
        kind: What a member is called in messages, e.g. "training method".
        package: Package whose modules are the plug-ins; imported on first use.
        discriminator: The field whose default is a plug-in's name.
    """

    def __init__(self, kind: str, package: str, discriminator: str) -> None:
        self.kind, self.package, self.discriminator = kind, package, discriminator
        self._members: dict[str, type[T]] = {}
        self._loaded = False

    def register(self, member: type[T]) -> type[T]:
        """Add a class; use as a decorator.

        Raises:
            ValueError: Another class holds that name already.
        """
        name = str(member.model_fields[self.discriminator].default)
        if self._members.get(name, member) is not member:
            raise ValueError(f"Two plug-ins are called {self.kind} {name!r}: rename one of them.")
        self._members[name] = member
        return member

    def get(self, name: str) -> type[T]:
        """Return the class of that name.

        Raises:
            UnknownName: There is none; the message offers near matches.
        """
        self._load()
        if name not in self._members:
            raise UnknownName(self.kind, name, self._members)
        return self._members[name]

    def names(self) -> list[str]:
        """Return all names, sorted."""
        self._load()
        return sorted(self._members)

    def __iter__(self) -> Iterator[type[T]]:
        """Iterate over the classes in the order of their names."""
        return iter([self._members[name] for name in self.names()])

    def union(self) -> Any:
        """Return the discriminated union of all members, for use as a field's type."""
        members = tuple(self)
        if len(members) == 1:
            return members[0]
        # Union[...] of a tuple: `|` cannot be spelled over a computed list of classes
        return Annotated[Union[members], Field(discriminator=self.discriminator)]  # noqa: UP007

    def _load(self) -> None:
        """Import every module of the package, so that each plug-in registers itself."""
        if self._loaded:
            return
        self._loaded = True
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__, f"{self.package}."):
            importlib.import_module(module.name)
