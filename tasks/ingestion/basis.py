"""What the rows of every file depend on, beside the file itself."""

from data_contracts.base import digest
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.document import scrubber_of
from tasks.ingestion.parser import PARSERS, parser_for, parser_name

# Raise when parsing or cleaning gives other texts for the same bytes: cached ones are
# then not reused.
PARSING_VERSION = 4

# Options that say what is read and what becomes of all documents, not how one is parsed.
_NOT_FOR_PARSING = {
    "include",
    "exclude",
    "workers",
    "trust_file_times",
    "boilerplate_share",
    "boilerplate_min_documents",
    "languages",
}


def parsing_basis(config: IngestionConfig) -> str:
    """Return what the rows of every file depend on: options, libraries, programs."""
    options = config.model_dump(mode="json", exclude=_NOT_FOR_PARSING)
    parsers = [parser_for(known.media_types[0], config) for known in PARSERS]
    versions = {parser_name(parser): parser.versions() for parser in parsers}
    key = scrubber_of(config.scrubbing).key_name
    return digest([PARSING_VERSION, options, versions, key])
