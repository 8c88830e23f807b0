"""The page that links what `temper up` started."""

import re

from flows.start_page import write_start_page


def test_it_links_both_servers_and_nothing_else(tmp_path):
    page = write_start_page(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2/<x>")
    links = re.findall(r'(?:href|src)="([^"]+)"', page.read_text())
    assert {link[:18] for link in links} == {"http://127.0.0.1:1", "http://127.0.0.1:2"}
    assert "<x>" not in page.read_text()
