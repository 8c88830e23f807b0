"""Runs a notebook of the documentation on what a run has left, in a kernel of its own."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from flows.pipeline import PipelineResult
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "notebooks"


def shown_by(name: str, run: PipelineResult, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what the cells of a notebook show; one that fails raises.

    Args:
        name: Of the notebook.
        run: What it looks at, a run of the profile `tiny`.
        folder: Where the kernel may leave files.
        monkeypatch: Sets the kernel's environment.
    """
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", run.tracking_uri)
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(folder))
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    (parameters,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    home = run.dataset_folder.parents[2]
    parameters.source = f"from pathlib import Path\nNAME, HOME = 'tiny', Path({str(home)!r})"
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(FOLDER))
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(each["data"]["text/plain"] for each in shown if "data" in each)
