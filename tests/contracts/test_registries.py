"""What every registered plug-in must bring, whatever its sort."""

import pytest

from tasks.augmentation.augmenter import AUGMENTERS
from tasks.evaluation.examination import EXAMINATIONS
from tasks.generation.base import GENERATORS
from tasks.ingestion.parser import PARSERS
from tasks.interchange.format import FORMATS
from tasks.judging.base import JUDGES
from tasks.scrubbing.detector import DETECTORS
from tasks.training.method import METHODS
from tasks.training.mitigation import MITIGATIONS

REGISTRIES = (
    PARSERS,
    GENERATORS,
    JUDGES,
    DETECTORS,
    AUGMENTERS,
    FORMATS,
    METHODS,
    MITIGATIONS,
    EXAMINATIONS,
)
MEMBERS = [
    pytest.param(registry, name, id=f"{registry.kind}: {name}")
    for registry in REGISTRIES
    for name in registry.names()
]


@pytest.mark.parametrize(("registry", "name"), MEMBERS)
def test_a_plug_in_is_documented_and_works_with_its_defaults(registry, name):
    member = registry.get(name)
    assert member.__doc__ and member.__doc__.strip().splitlines()[0].endswith(".")
    assert getattr(member(), registry.discriminator) == name
    for field, info in member.model_fields.items():
        assert field == registry.discriminator or info.description, f"{name}.{field}"


@pytest.mark.parametrize(("registry", "name"), MEMBERS)
def test_a_plug_in_refuses_options_it_does_not_know(registry, name):
    with pytest.raises(ValueError, match="no_such_option"):
        registry.get(name)(no_such_option=1)


@pytest.mark.parametrize(("registry", "name"), MEMBERS)
def test_a_plug_in_lies_in_the_file_of_its_package(registry, name):
    assert registry.get(name).__module__.startswith(f"{registry.package}.")
