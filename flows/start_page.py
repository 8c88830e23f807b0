"""The one page that links what `temper up` started: a file in the home folder."""

from html import escape
from pathlib import Path

PAGE = "services.html"

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;"
    "color-scheme:light dark}dt{margin-top:1rem}dd{margin:0}"
)


def write_start_page(home: Path, prefect: str, mlflow: str) -> Path:
    """Write the page and return its path.

    Args:
        home: The home folder.
        prefect: Address of Prefect's server.
        mlflow: Address of MLflow's server.
    """
    links = {
        "Start a run": (f"{prefect}/deployments", "pipeline / by-hand, then Run"),
        "See how runs went": (f"{prefect}/runs", "verdict, funnel and loss under Artifacts"),
        "Compare runs, read reports": (f"{mlflow}/#/experiments", "report.html under Artifacts"),
        "See the champion": (f"{mlflow}/#/models", "the alias champion"),
        "Promote a model": (f"{prefect}/deployments", "promote / by-hand, then Run"),
    }
    items = "".join(
        f'<dt><a href="{escape(address)}">{escape(what)}</a></dt><dd>{escape(how)}</dd>'
        for what, (address, how) in links.items()
    )
    page = home / PAGE
    page.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Temper</title>'
        f"<style>{_STYLE}</style><h1>Temper on this machine</h1><dl>{items}</dl>"
        "<p>All of it answers on this machine alone. <code>temper down</code> ends it.</p>"
        "</html>\n",
        encoding="utf-8",
    )
    return page
