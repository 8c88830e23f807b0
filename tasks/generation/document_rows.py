"""The rows of one document, made from what rules find and from the model's logged replies."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.generation.base import LLMGenerator, RowGenerator, RuleGenerator, Subject
from tasks.generation.config import GenerationConfig
from tasks.generation.conversation import Outcome, ask_about
from tasks.generation.documents import SourceChunk, SourceDocument
from tasks.generation.limit import take_turns
from tasks.generation.rows import RowMaker
from tasks.llm.logged import LoggedModel
from tasks.partitions import Partition

# For each generator, what it is asked about: the subject of each chunk, by `chunk_id`.
Asked = Mapping[str, Mapping[str, Subject]]


def rows_by_rules(sources: Sequence[SourceDocument], config: GenerationConfig) -> list[Partition]:
    """Return the rows of each document, where no generator needs a language model."""
    rows = DocumentRows(config, None)
    return [rows.make(source, {}) for source in sources]


class DocumentRows:
    """Makes the rows of documents; what rules give is worked out once.

    Args:
        config: Which rows to make.
        model: Asks the language model; None where no generator needs it.
    """

    def __init__(self, config: GenerationConfig, model: LoggedModel | None) -> None:
        self.config, self.model = config, model
        self._by_rules: dict[tuple[str, str], Outcome] = {}

    def make(self, source: SourceDocument, asked: Asked) -> Partition:
        """Make, check and limit the rows of one document."""
        maker = RowMaker(source, self.config)
        for chunk in source.chunks:
            for generator in self.config.generators:
                if isinstance(generator, RuleGenerator):
                    maker.add(generator, Subject(chunk.view), self._found(generator, chunk))
                elif isinstance(generator, LLMGenerator):
                    for subject, outcome in self._told(generator, chunk, asked):
                        maker.add(generator, subject, outcome)
        self._derive(source, maker)
        names = list(dict.fromkeys(generator.generator for generator in self.config.generators))
        limit = self.config.max_rows_per_document
        maker.drop_all_but(take_turns(maker.kept, names, limit, self.config.seed), limit)
        return Partition(
            pa.Table.from_pylist(maker.kept, EXAMPLE),
            pa.Table.from_pylist(maker.dropped, dropped_schema(EXAMPLE)),
        )

    def _found(self, generator: RuleGenerator, chunk: SourceChunk) -> Outcome:
        key = (generator.model_dump_json(), chunk.view.chunk_id)
        if key not in self._by_rules:
            self._by_rules[key] = Outcome(tuple(generator.generate(chunk.view)), "")
        return self._by_rules[key]

    def _told(
        self, generator: LLMGenerator, chunk: SourceChunk, asked: Asked
    ) -> Iterator[tuple[Subject, Outcome]]:
        subject = asked.get(generator.generator, {}).get(chunk.view.chunk_id)
        if subject is not None and self.model is not None:
            outcome = ask_about(generator, subject, self.model, self.config.llm.repairs)
            if outcome is not None:
                yield subject, outcome

    def _derive(self, source: SourceDocument, maker: RowMaker) -> None:
        views = [chunk.view for chunk in source.chunks]
        parents = maker.parents()
        for generator in self.config.generators:
            if isinstance(generator, RowGenerator):
                for subject, candidate, parent in generator.derive(views, parents):
                    maker.add(generator, subject, Outcome((candidate,), ""), parent)
