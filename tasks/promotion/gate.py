"""The verdict on a tuned model: several legs, each with its reason; the worst one counts.

Every leg that rests on an interval asks the same question of it: has the quantity been
shown to stay within its margin (PASS), has it been shown to exceed it (FAIL), or does the
interval reach across (INSUFFICIENT EVIDENCE)? That is the confidence-interval form of
non-inferiority testing (Schuirmann 1987; Piaggio et al. 2012, CONSORT extension, figure 1):
with 95 % intervals, PASS and FAIL are each wrong at most 2.5 times in 100.

It follows that a worse estimate never gives a better outcome, and that a wider interval
never leads to PASS. It can turn FAIL into INSUFFICIENT EVIDENCE, since a FAIL has to be
shown, too; neither of the two is ever promoted.

Every leg counts that is not switched off with a reason, whether it was measured or not: one
without evidence is INSUFFICIENT EVIDENCE. So taking evidence away never leads to PASS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_contracts.results import (
    Comparison,
    ExportParity,
    LeakageCertificate,
    Leg,
    Lineage,
    Memorisation,
    Verdict,
)
from tasks.promotion import data_legs, model_legs
from tasks.promotion.config import GateConfig
from tasks.promotion.outcomes import worst


@dataclass(frozen=True)
class Evidence:
    """Everything that was found out about a tuned model.

    Attributes:
        comparison: Base against tuned.
        certificate: Audit of the dataset it was trained on.
        contracts: Stage to the validation of its dataset, as in `Manifest.validation`.
        memorisation: What it gives away of its training text; None if not measured.
        export_parity: How each exported model compares; empty if nothing was exported.
        lineage: Whether the judged model is the trained one; None if not checked.
    """

    comparison: Comparison
    certificate: LeakageCertificate
    contracts: Mapping[str, Mapping[str, Any]]
    memorisation: Memorisation | None = None
    export_parity: Sequence[ExportParity] = ()
    lineage: Lineage | None = None


def judge(evidence: Evidence, config: GateConfig) -> Verdict:
    """Judge a tuned model by everything that was found out about it.

    Args:
        evidence: What was found out.
        config: Margins, smallest samples, and which legs count.
    """
    legs = [leg for leg in _legs(evidence, config) if leg.name not in config.switched_off]
    return Verdict(
        outcome=worst([leg.outcome for leg in legs]),
        legs=legs,
        switched_off={str(leg): reason for leg, reason in config.switched_off.items()},
    )


def _legs(evidence: Evidence, config: GateConfig) -> list[Leg]:
    comparison = evidence.comparison
    return [
        model_legs.task_gain(comparison, config),
        model_legs.retention_text(comparison, config),
        model_legs.retention_skills(comparison, config),
        model_legs.overfitting(comparison, config),
        model_legs.labels(comparison, config),
        model_legs.memorisation(evidence.memorisation, config),
        model_legs.stopping(comparison, config),
        data_legs.leakage(evidence.certificate),
        data_legs.contracts(evidence.contracts),
        data_legs.lineage(evidence.lineage),
        model_legs.export_parity(evidence.export_parity, config),
        data_legs.sample_size(comparison, config),
    ]
