"""`meridian cdn report`: what visitors got, what that cost, and which headers waste, of a real site."""

import json
import os
import signal

import pytest
from site_under_test import Site, curl, wait_until

pytestmark = pytest.mark.covers("edge", "cli")

# Each path is a mistake in headers, or none.
APP = """
import http.server, os
IMAGE = {"Content-Type": "image/png", "ETag": '"one"'}
PAGE = {"Content-Type": "text/html"}
PATHS = {
    "/good.png": {**IMAGE, "Cache-Control": "public, max-age=86400"},
    "/plain": PAGE,
    "/no-freshness.png": IMAGE,
    "/never-fresh.png": {**IMAGE, "Cache-Control": "max-age=0"},
    "/no-store.png": {**IMAGE, "Cache-Control": "no-store"},
    "/private.png": {**IMAGE, "Cache-Control": "private, max-age=60"},
    "/authorization.png": {**IMAGE, "Cache-Control": "max-age=600"},
    "/set-cookie.png": {**IMAGE, "Cache-Control": "max-age=600", "Set-Cookie": "a=b"},
    "/vary.png": {**IMAGE, "Cache-Control": "max-age=600", "Vary": "*"},
    "/by-visitor": {**PAGE, "Cache-Control": "max-age=600", "Vary": "User-Agent"},
    "/no-validator.png": {"Content-Type": "image/png", "Cache-Control": "max-age=1"},
    "/ignores-validator.png": {**IMAGE, "Cache-Control": "max-age=1"},
    "/short-lived.png": {**IMAGE, "Cache-Control": "max-age=1"},
}
class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        confirmed = self.path == "/short-lived.png" and self.headers.get("If-None-Match")
        body = b"" if confirmed else b"x" * 20000
        self.send_response(304 if confirmed else 200)
        for name, value in PATHS.get(self.path, {"Cache-Control": "no-store"}).items():
            self.send_header(name, value)
        if not confirmed:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
"""

PRICES = """
[edge.cost]
currency = "EUR"
per_gb_to_visitors = 100
per_gb_from_origin = 200
per_gb_between = 400
per_million_requests = 1000
"""


class Visited:
    def __init__(self, site):
        self.site = site
        self.visits = 0

    def get(self, place, path, *options):
        status, headers, body = curl(f"http://{self.site.addresses[place]}:8080{path}", "-H", f"Host: {self.site.domain}", *options)
        assert status == 200 and len(body) == 20000, (path, status)
        self.visits += 1
        return headers["cache-status"]

    def report(self, status=0):
        """Of all visits, where every edge answers: a visitor has the answer before the edge has counted it."""
        def whole():
            return (told := self.told(status)) and (status != 0 or told["total"]["to_visitors"]["requests"] >= self.visits) and told
        return wait_until(whole, what=f"{self.visits} visits are counted")

    def told(self, status):
        done = self.site.run("cdn", "report", "--json", check=False)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)

    def type(self, name):
        return next((each for each in self.report()["types"] if each["type"] == name), None)

    def waste(self, path):
        url = f"http://{self.site.domain}{path}"
        return next((each for each in self.report()["wastes"] if each["url"] == url), None)


def started(extra, **keys):
    site = Site(app='command = ["/usr/bin/python3", "app.py"]\nhealth = "/healthz"', instances=1, extra=extra, **keys)
    (site.folder / "app.py").write_text(APP)
    return site


@pytest.fixture
def visited():
    with started(PRICES, edge_places=("london",)) as site:
        site.wait_for_answers()
        site.wait_for_journals()
        yield Visited(site)


def test_hits_and_what_they_saved_are_added_up_over_all_edges(visited):
    for place in visited.site.addresses:
        for _ in range(5):
            visited.get(place, "/good.png")
    # london has no balancer of its own; what it fetches, comes from another data center.
    report = visited.report()
    images = visited.type("image/png")
    assert images["to_visitors"]["requests"] == 15
    assert images["from_cache"]["requests"] == 12
    assert images["from_origin"]["requests"] == 2
    assert images["between"]["requests"] == 1
    assert report["hit_ratio"] == pytest.approx(0.8) and 0.79 < report["byte_hit_ratio"] < 0.81
    assert 15 * 20000 < images["to_visitors"]["bytes"] < 15 * 21000
    assert 20000 < images["between"]["bytes"] < 21000
    assert (report["saved_requests"], report["wastes"]) == (12, [])
    amount = {name: report["total"][name]["bytes"] / 1e9 for name in ("to_visitors", "from_origin", "between")}
    cost = amount["to_visitors"] * 100 + amount["from_origin"] * 200 + amount["between"] * 400 + 15 * 0.001
    assert report["currency"] == "EUR" and report["cost"] == pytest.approx(cost)
    assert 8 * 20000 * 200 + 4 * 20000 * 400 < report["saved"] * 1e9 < 8 * 21000 * 200 + 4 * 21000 * 400
    assert [(edge["name"], edge["answered"]) for edge in report["edges"]] == [("us-east", True), ("us-west", True), ("london", True)]

    lines = visited.site.run("cdn", "report").stdout.splitlines()
    assert any(line.startswith("hits") and "80.0% of requests" in line for line in lines), lines
    assert any(line.startswith("cost") and " EUR; without the cache " in line for line in lines), lines
    assert any(line.split()[:2] == ["image/png", "15"] for line in lines), lines


def test_hits_on_versions_are_hits(visited):
    url = json.loads(curl(f"http://{visited.site.addresses['us-east']}:8080/.meridian/version?path=/good.png",
                          "-H", f"Host: {visited.site.domain}")[2])["url"]
    before = visited.type("image/png")
    assert before is None or before["to_visitors"]["requests"] == 0, "the edge asked, not a visitor"
    for _ in range(4):
        visited.get("us-east", url)
    images = visited.type("image/png")
    assert images["to_visitors"]["requests"] == 4
    assert images["from_cache"]["requests"] == 3
    assert images["from_origin"]["requests"] == 1


# Each wasteful path is asked for three times: the first fetch is nobody's fault.
PAGE_MEND = "Cache-Control: public, max-age=60 (if all visitors may see it)"
IMAGE_MEND = "Cache-Control: public, max-age=86400"
IMAGE_ASKED = IMAGE_MEND + " (if all visitors may see it)"
WASTES = {
    "/plain": ("no-freshness", PAGE_MEND),
    "/no-freshness.png": ("no-freshness", IMAGE_MEND),
    "/never-fresh.png": ("never-fresh", IMAGE_MEND),
    "/no-store.png": ("no-store", IMAGE_ASKED),
    "/private.png": ("private", IMAGE_ASKED),
    "/authorization.png": ("authorization", IMAGE_ASKED),
    "/set-cookie.png": ("set-cookie", "no Set-Cookie here"),
    "/vary.png": ("vary", "Vary: Accept-Encoding"),
    "/by-visitor": ("vary-by-visitor", "Vary: Accept-Encoding"),
}
# These once they have expired, which takes a second.
EXPIRING = {
    "/no-validator.png": ("no-validator", 'ETag: "VERSION-OF-THE-CONTENT"'),
    "/ignores-validator.png": ("ignores-validator", "304 when If-None-Match has the ETag"),
    "/short-lived.png": ("short-lived", IMAGE_MEND),
}


def ask_thrice(visited, paths):
    for visitor in range(3):
        for path in paths:
            options = ["-A", f"visitor {visitor}"]
            if path == "/authorization.png":
                options += ["-H", "Authorization: Basic YTpi"]
            if path in EXPIRING:
                wait_until(lambda path=path: "fwd=" in (cache := visited.get("us-east", path)) and "collapsed" not in cache, what=f"{path} has expired")
            else:
                assert "fwd=" in visited.get("us-east", path, *options)


def test_each_waste_is_named_with_the_header_that_mends_it(visited):
    visited.get("us-east", "/good.png")
    expected = {**WASTES, **EXPIRING}
    ask_thrice(visited, expected)

    def by_path(wastes):
        return {each["url"].removeprefix(f"http://{visited.site.domain}"): each for each in wastes}

    visited.report()  # all are counted
    # The edge itself tells more of them than the ten that the command shows.
    told = by_path(json.loads(curl(f"http://{visited.site.addresses['us-east']}:18080/.meridian/cdn")[2])["wastes"])
    assert {path: (waste["kind"], waste["mend"]) for path, waste in told.items()} == expected
    for path, waste in told.items():
        assert waste["wasted"]["requests"] == 2, path
        assert path == "/short-lived.png" or 2 * 20000 < waste["wasted"]["bytes"] < 2 * 21000, path
    shown = by_path(visited.report()["wastes"])
    assert len(shown) == 10 and shown.items() <= told.items()
    assert "/short-lived.png" not in shown, "what costs a request and no body is the least of them"


def test_a_confirmation_wastes_a_request_and_no_body(visited):
    ask_thrice(visited, ["/short-lived.png"])
    waste = visited.waste("/short-lived.png")
    assert (waste["kind"], waste["mend"]) == EXPIRING["/short-lived.png"]
    assert waste["wasted"] == {"requests": 2, "bytes": 0}
    images = visited.type("image/png")
    assert images["from_origin"]["requests"] == 3
    assert images["from_origin"]["bytes"] < 21000
    text = visited.site.run("cdn", "report").stdout
    assert "2 requests and 0 B wasted: it expires soon" in text


def test_an_edge_that_does_not_answer_is_named_and_the_rest_is_shown(visited):
    for place in ("us-east", "us-west"):
        visited.get(place, "/good.png")
    site = visited.site
    site.run("dc", "kill", "us-west")
    done = site.run("cdn", "report", check=False)
    assert done.returncode == 1
    assert "us-west  is not in this: its agent does not answer" in done.stdout
    assert "us-west is not in this report" in done.stderr
    report = visited.report(status=1)
    assert report["total"]["to_visitors"]["requests"] == 1
    assert {edge["name"]: edge["answered"] for edge in report["edges"]} == {"us-east": True, "us-west": False, "london": True}

    # An agent whose edge hangs says so itself.
    edge = site.tier("us-east", "edge")["pid"]
    os.kill(edge, signal.SIGSTOP)
    try:
        done = site.run("cdn", "report", check=False)
    finally:
        os.kill(edge, signal.SIGCONT)
    assert done.returncode == 1
    assert "us-east  is not in this: its edge does not answer" in done.stdout


def test_without_prices_it_says_where_they_go(quiet_site):
    text = quiet_site.run("cdn", "report").stdout
    assert "There are no prices: give them in [edge.cost] of site.toml." in text
