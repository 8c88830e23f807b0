"""The notebooks of the documentation as they are kept; test_pipeline.py runs them."""

import nbformat
import pytest

from tests.notebook import FOLDER

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_committed_and_the_documentation_leads_to_it(path, repository):
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code
    assert [cell for cell in code if cell.outputs or cell.execution_count is not None] == []
    for page in ("mkdocs.yml", "docs/index.md"):
        assert f"notebooks/{path.stem}.md" in (repository / page).read_text()


def test_every_notebook_is_run_by_a_test(repository):
    tests = (repository / "tests" / "flows" / "test_pipeline.py").read_text()
    assert NOTEBOOKS
    assert [path.stem for path in NOTEBOOKS if f'shown_by("{path.stem}"' not in tests] == []
