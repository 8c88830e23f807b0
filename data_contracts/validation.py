"""Checks a table against its contract: Arrow schema first, then Great Expectations.

Great Expectations takes seconds to import, so it is imported on use only.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.data_docs import escaped, unescaped
from data_contracts.suites import ENDS, LENGTHS, ROW_ID, SUITES, Expectation

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext

# How many offending rows a message names; the Data Docs hold the same few.
NAMED_ROWS = 5


class _Derived(NamedTuple):
    """A column that Arrow makes of a text, and the expectation that is asked of it instead."""

    name: str
    expectation: str
    make: Callable[[Any], Any]  # of Arrow's arrays of texts

    def of(self, column: str) -> str:
        """Return the name of the column made of another one."""
        return f"{self.name} of {column}"


def _ends(texts: Any) -> Any:
    """Return the first and the last character of each text."""
    return pc.utf8_replace_slice(texts, 1, -1, "")


_DERIVED = {
    LENGTHS: _Derived("length", "ExpectColumnValuesToBeBetween", pc.utf8_length),
    ENDS: _Derived("ends", "ExpectColumnValuesToMatchRegex", _ends),
}


@dataclass(frozen=True)
class ValidationReport:
    """Outcome of a contract check.

    Attributes:
        rules: How many expectations were evaluated.
        failures: One line for each broken rule; empty when the table is valid.
    """

    rules: int
    failures: tuple[str, ...]

    @property
    def success(self) -> bool:
        """Whether no rule was broken."""
        return not self.failures

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values for manifests and MLflow."""
        return {"success": self.success, "rules": self.rules, "failures": list(self.failures)}


def schema_failures(table: pa.Table, schema: pa.Schema) -> list[str]:
    """Return how a table differs from its schema, a line for each column; empty if it does not."""
    failures = []
    for field in schema:
        position = table.schema.get_field_index(field.name)
        if position < 0:
            failures.append(f"column {field.name!r} is missing")
        elif table.schema.field(position).type != field.type:
            got = table.schema.field(position).type
            failures.append(f"column {field.name!r} is {got}, expected {field.type}")
        elif not field.nullable and table.column(position).null_count:
            count = table.column(position).null_count
            failures.append(f"column {field.name!r} is null in {count} rows, expected in none")
    extra = [name for name in table.column_names if schema.get_field_index(name) < 0]
    return failures + [f"column {name!r} is not part of the schema" for name in extra]


def validate(
    table: pa.Table, schema: pa.Schema, suite: str, docs_folder: Path | None = None
) -> ValidationReport:
    """Check a table against its schema and the suite of that name.

    Args:
        table: The rows to check.
        schema: Their Arrow schema.
        suite: Key into `SUITES`.
        docs_folder: Where the Data Docs site is written or extended; none if not given.

    Returns:
        The report. The suite is skipped when the schema is already broken.
    """
    failures = schema_failures(table, schema)
    if failures:
        return ValidationReport(rules=len(schema), failures=tuple(failures))
    results = _run_checkpoint(table, suite, docs_folder)
    broken = tuple(_describe(result, suite) for result in results if not result.success)
    return ValidationReport(rules=len(schema) + len(results), failures=broken)


def load_expectations() -> Any:
    """Return Great Expectations' module, which takes seconds to load the first time."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # no telemetry, no network
    import great_expectations

    return great_expectations


def _run_checkpoint(table: pa.Table, suite: str, docs_folder: Path | None) -> list[Any]:
    gx = load_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    expectations = context.suites.add(_build_suite(suite))
    data_source = context.data_sources.add_pandas("temper")
    asset = data_source.add_dataframe_asset(suite)
    batch = asset.add_batch_definition_whole_dataframe("all rows")
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=suite, data=batch, suite=expectations)
    )
    checkpoint = gx.Checkpoint(
        name=suite,
        validation_definitions=[definition],
        actions=_data_docs_actions(context, docs_folder),
        result_format={
            "result_format": "SUMMARY",
            "partial_unexpected_count": NAMED_ROWS,
            "unexpected_index_column_names": [ROW_ID[suite]],
        },
    )
    frame = escaped(_needed_columns(table, suite)).to_pandas()
    outcome = context.checkpoints.add(checkpoint).run({"dataframe": frame})
    return [result for run in outcome.run_results.values() for result in run.results]


def _needed_columns(table: pa.Table, suite: str) -> pa.Table:
    """Return what the suite asks about, and no more: texts can be larger than memory.

    Of a column that is asked for its lengths or ends only, these are taken.
    """
    needed, derived = {ROW_ID[suite]}, []
    for type_name, arguments in SUITES[suite]:
        if type_name in _DERIVED:
            derived.append((_DERIVED[type_name], arguments["column"]))
        else:
            needed |= {arguments.get("column", ROW_ID[suite]), *arguments.get("column_list", ())}
    selected = table.select([name for name in table.column_names if name in needed])
    for made, column in derived:
        selected = selected.append_column(made.of(column), made.make(table.column(column)))
    return selected


def _build_suite(name: str) -> Any:
    import great_expectations as gx

    built = gx.ExpectationSuite(name=name)
    for expectation in SUITES[name]:
        built.add_expectation(_build_expectation(expectation))
    return built


def _build_expectation(expectation: Expectation) -> Any:
    import great_expectations.expectations as gxe

    type_name, arguments = expectation
    if type_name in _DERIVED:
        made = _DERIVED[type_name]
        type_name = made.expectation
        arguments = arguments | {"column": made.of(arguments["column"])}
    return getattr(gxe, type_name)(**arguments)


def _data_docs_actions(context: "EphemeralDataContext", folder: Path | None) -> list[Any]:
    if folder is None:
        return []
    from great_expectations.checkpoint import UpdateDataDocsAction

    context.update_data_docs_site(  # the one site it has by default, in a temporary folder
        "local_site",
        {
            **_view("Site"),
            "site_index_builder": {
                "class_name": "DefaultSiteIndexBuilder",
                "view": _view("IndexPageView"),
            },
            "site_section_builders": {
                section: {"view": _view("PageView")} for section in ("expectations", "validations")
            },
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder),
            },
        },
    )
    return [UpdateDataDocsAction(name="data docs", site_names=["local_site"])]


def _view(name: str) -> dict[str, str]:
    return {"module_name": "data_contracts.data_docs_view", "class_name": name}


def _describe(result: Any, suite: str) -> str:
    """Say which rule was broken by how many rows, and name the first of them."""
    config = result.expectation_config
    rule = ", ".join(f"{k}={v!r}" for k, v in config.kwargs.items() if k != "batch_id")
    outcome = result.result
    raised = [
        problem["exception_message"]
        for problem in (result.exception_info or {}).values()
        if isinstance(problem, dict) and problem.get("raised_exception")
    ]
    if raised:
        return f"{config.type}({rule}): could not be evaluated: {raised[0]}"
    if "unexpected_count" not in outcome:
        return f"{config.type}({rule}): observed {outcome.get('observed_value')!r}"
    rows = [row.get(ROW_ID[suite]) for row in outcome.get("partial_unexpected_index_list") or []]
    named = ", ".join(unescaped(row) for row in rows)
    return (
        f"{config.type}({rule}): broken by {outcome['unexpected_count']} of "
        f"{outcome['element_count']} rows ({ROW_ID[suite]}: {named})"
    )
