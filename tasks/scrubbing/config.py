"""What a profile can say about scrubbing."""

from typing import TYPE_CHECKING

from pydantic import Field

from data_contracts.base import Config
from tasks.scrubbing.detector import DETECTORS, Detector
from tasks.scrubbing.detectors.address import AddressDetector
from tasks.scrubbing.detectors.api_key import ApiKeyDetector
from tasks.scrubbing.detectors.email import EmailDetector
from tasks.scrubbing.detectors.iban import IbanDetector
from tasks.scrubbing.detectors.ip_address import IpAddressDetector
from tasks.scrubbing.detectors.jwt import JwtDetector
from tasks.scrubbing.detectors.mac_address import MacAddressDetector
from tasks.scrubbing.detectors.national_number import NationalNumberDetector
from tasks.scrubbing.detectors.password import PasswordDetector
from tasks.scrubbing.detectors.payment_card import PaymentCardDetector
from tasks.scrubbing.detectors.phone import PhoneDetector
from tasks.scrubbing.detectors.private_key import PrivateKeyDetector

if TYPE_CHECKING:
    AnyDetector = Detector
else:
    AnyDetector = DETECTORS.union()  # what pydantic validates: one of the registered detectors


class ScrubbingConfig(Config):
    """Which personal data and secrets are replaced before anything leaves the machine."""

    detectors: tuple[AnyDetector, ...] = Field(
        default_factory=lambda: (
            PrivateKeyDetector(),
            JwtDetector(),
            ApiKeyDetector(),
            PasswordDetector(),
            EmailDetector(),
            PhoneDetector(),
            AddressDetector(),
            IbanDetector(),
            PaymentCardDetector(),
            NationalNumberDetector(),
            IpAddressDetector(),
            MacAddressDetector(),
        ),
        description="What is looked for. An empty list turns scrubbing off. `person` (names) is "
        "not among the defaults: it needs a model.",
    )
    skip_kinds: tuple[str, ...] = Field(
        (),
        description="Kinds that are found but left in the text, e.g. `address` or `us_itin`.",
    )
    keep: tuple[str, ...] = Field(
        (),
        description="Values that are never replaced, e.g. the organisation's own public address: "
        "`help@agency.gov`, `*@agency.gov`, `1800 F Street*`. `*` stands for any characters; "
        "capital letters make no difference.",
    )
    reversible: bool = Field(
        False,
        description="Keep the values, encrypted, in the home folder's vault, so that "
        "`temper scrubbing reveal` can put them back. Needs TEMPER_SCRUBBING_KEY.",
    )
