"""Numbers of payment cards."""

import re
from collections.abc import Iterator
from typing import Literal

from tasks.scrubbing.checksums import luhn
from tasks.scrubbing.detector import CHECKSUM, CONTEXT, DETECTORS, Detector, Finding, words_near

_NUMBER = re.compile(r"(?<![\w.,+-])\d(?:[ \u00a0-]?\d){11,18}(?![\w-]|[.,]\d)")
# Issuer ranges with their lengths: ISO/IEC 7812 as the schemes publish them.
_ISSUER = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11,16}"  # Diners Club
    r"|6(?:011|5\d{2}|4[4-9]\d|22\d)\d{12,15}"  # Discover, UnionPay
    r"|62\d{14,17}"  # UnionPay
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|(?:5018|5020|5038|56\d{2}|58\d{2}|6304|67\d{2})\d{8,15}"  # Maestro
    r"|(?:2131|1800)\d{11}"  # JCB, of old
)
_GROUPED = re.compile(r"\d{4}([ \u00a0-])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ \u00a0-])\d{6}\2\d{4,5}")
_CARD = re.compile(
    r"card|visa|master|amex|american express|maestro|discover|diners|jcb|\bpan\b|\bcc\b|karte|"
    r"carte|tarjeta|carta\b|cartão|kaart|karta|credit|debit|payment|\bpay\b|charge",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"order|invoice|tracking|shipment|parcel|isbn|imei|serial|ticket|batch|reference|barcode|ean\b|"
    r"gtin|sku|article|timestamp|epoch|bestell|rechnung|commande|facture|pedido|factura|fattura|"
    r"\bid\b|uuid|hash|account n|konto",
    re.IGNORECASE,
)


@DETECTORS.register
class PaymentCardDetector(Detector):
    """Card numbers of a known issuer whose check digit is right."""

    detector: Literal["payment_card"] = "payment_card"

    def find(self, text: str) -> Iterator[Finding]:
        """Return numbers written in the groups of a card, or in one piece.

        One number in ten passes the check by chance, so without a word such as "card" the
        issuer must be known, and the number must not follow a word that makes it another sort.
        """
        for found in _NUMBER.finditer(text):
            compact = re.sub(r"\D", "", found.group())
            if not luhn(compact) or len(set(compact)) == 1:
                continue
            before = text[max(0, found.start() - 30) : found.start()]
            if words_near(_CARD, text, found.start(), found.end()):
                yield Finding("payment_card", found.start(), found.end(), CHECKSUM)
            elif _ISSUER.fullmatch(compact) and not _OTHER.search(before):
                if _GROUPED.fullmatch(found.group()):
                    yield Finding("payment_card", found.start(), found.end(), CHECKSUM)
                elif compact == found.group():
                    yield Finding("payment_card", found.start(), found.end(), CONTEXT)
