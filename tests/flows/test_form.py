"""A person in a browser: the forms of Prefect's UI, a run started there, and where its links lead.

The services are those of a real `temper up`, apart from test_services.py's: one run at a time is
served, and this one shall not wait for theirs.
"""

import json
import re
import urllib.request

import pytest

from tests import browser
from tests.flows.test_services import get, post, services  # noqa: F401 - a fixture
from tests.tiny_profile import copy_few, write_tiny_profile

pytestmark = pytest.mark.timeout(1500)

ENDED = re.compile(r"^(Completed|Failed|Crashed|Cancelled|TimedOut)$")
NAME = "started-by-hand"


@pytest.fixture(scope="module")
def page():
    if reason := browser.missing():
        pytest.skip(reason)
    with browser.open_page() as opened:
        yield opened


@pytest.fixture(scope="module")
def place(page, services):  # noqa: F811 - after `page`: without a browser nothing is started
    return services[1]["prefect"]["url"], services[1]["mlflow"]["url"]


def field(page, name):
    """Return the part of the form that asks for a parameter."""
    label = page.get_by_text(re.compile(rf"^{name}( \(Optional\))?$"))
    return page.locator(".schema-form-property").filter(has=label).first


def test_every_form_asks_for_each_parameter_and_can_be_sent(page, place):
    api = f"{place[0]}/api"
    forms = [item for item in post(f"{api}/deployments/filter", {}) if item["name"] == "by-hand"]
    assert len(forms) >= 8
    for form in forms:
        page.goto(f"{place[0]}/deployments/deployment/{form['id']}/run")
        page.get_by_role("button", name="Submit").wait_for()
        for name, schema in form["parameter_openapi_schema"]["properties"].items():
            drawn = field(page, name)
            drawn.wait_for()
            assert schema["description"].replace("`", "") in drawn.inner_text()
            assert drawn.locator("textarea, input, button, [role=textbox]").count()


def test_a_run_is_started_in_the_form_and_its_links_lead_to_mlflow_and_the_report(
    page, place, tmp_path
):
    prefect, mlflow = place
    documents = copy_few(tmp_path / "documents")
    profile = write_tiny_profile(tmp_path, tmp_path / "elsewhere")  # the form says where they are
    page.goto(f"{prefect}/deployments")
    row = page.get_by_role("row").filter(has_text="pipeline")
    row.get_by_role("link", name="by-hand").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run").click()
    page.locator(".flow-run-name-input input").fill(NAME)
    field(page, "profile").locator("textarea").fill(str(profile))
    field(page, "documents").get_by_text("str", exact=True).click()
    field(page, "documents").locator("textarea").fill(str(documents))
    field(page, "settings").get_by_role("button", name="Add item").click()
    field(page, "settings").locator("textarea").fill("registry.model_name=from-the-form")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("link", name=NAME).first.click()
    page.wait_for_url("**/runs/flow-run/**")
    of_the_run = page.url
    page.get_by_text("Subflow Runs", exact=True).wait_for()  # the page before is gone
    end = page.get_by_text(ENDED).first
    end.wait_for(timeout=1_200_000)
    assert end.inner_text() == "Completed"
    page.get_by_text("registry: from-the-form version 1").wait_for()  # what stages say is shown
    page.get_by_text("Artifacts", exact=True).click()
    for key in ("funnel", "verdict", "loss", "mlflow-run", "report"):
        artifact(page, key).wait_for()
    shown = opened(page, of_the_run, "report", mlflow)
    inside = shown.frame_locator("iframe")
    inside.get_by_text("Temper run report").wait_for()
    inside.get_by_text(str(profile)).first.wait_for()
    shown.close()
    opened(page, of_the_run, "mlflow-run", mlflow).get_by_text("tiny pipeline").first.wait_for()
    started = post(f"{prefect}/api/flow_runs/filter", {"flow_runs": {"name": {"any_": [NAME]}}})
    assert [run["parameters"] for run in started] == [
        {
            "profile": str(profile),
            "documents": str(documents),
            "settings": ["registry.model_name=from-the-form"],
        }
    ]
    api = f"{mlflow}/api/2.0/mlflow/registered-models/get?name=from-the-form"
    with urllib.request.urlopen(api, timeout=60) as answer:
        assert json.loads(answer.read())["registered_model"]["aliases"]


def artifact(page, key):
    return page.get_by_role("link").filter(has=page.get_by_text(key, exact=True))


def opened(page, of_the_run, key, mlflow):
    """Follow a run's artifact and the link in it; return the page of MLflow that it opens."""
    page.goto(of_the_run)
    page.get_by_text("Artifacts", exact=True).click()
    artifact(page, key).first.click()
    link = page.locator(f"a[href^='{mlflow}']").first
    with page.expect_popup() as popup:
        link.click()
    return popup.value
