"""Renders the front, and what became of earlier document sets, each as one HTML page."""

from data_contracts.front import ContinualResult, Front
from tasks.report.front_chart import front_chart, told
from tasks.report.render import environment


def front_html(front: Front, title: str) -> str:
    """Return the front as one HTML document without scripts; all text is escaped."""
    chart = front_chart(front)
    template = environment().get_template("front.html.j2")
    return template.render(f=front, title=title, chart=chart, told=told)


def continual_html(found: ContinualResult, title: str) -> str:
    """Return a sequence of document sets as one HTML document; all text is escaped."""
    return environment().get_template("continual.html.j2").render(c=found, title=title, told=told)
