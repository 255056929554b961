"""`meridian purge` and PURGE: every edge forgets, those that were cut off catch up, and nobody serves what was purged meanwhile."""

import json
import os
import re
import signal
import time

import pytest
from site_under_test import Site, curl, wait_until

pytestmark = pytest.mark.covers("edge")

APP = """
import http.server, os, pathlib
FOLDER = pathlib.Path("@")
class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/healthz":
            body, fields = b"well", {}
        else:
            body = (FOLDER / "content").read_bytes()
            fields = {"Cache-Control": "public, max-age=600, stale-if-error=600", "Surrogate-Key": "images all", "ETag": '"%s"' % body.decode()}
            if self.path.startswith("/vary"):
                fields["Vary"] = "Accept-Language"
            if (FOLDER / "broken").exists():
                body, fields = b"broken", None
        self.send_response(200 if fields is not None else 500)
        for name, value in (fields or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
"""


class Origin:
    """A site whose application answers every path with the text in one file."""

    def __init__(self, **keys):
        self.site = Site(app='command = ["/usr/bin/python3", "app.py"]\nhealth = "/healthz"', instances=1, wan=True, **keys)
        (self.site.folder / "app.py").write_text(APP.replace("@", str(self.site.folder)))
        self.says("one")

    def says(self, text):
        (self.site.folder / "content").write_text(text)

    def breaks(self, broken):
        (self.site.folder / "broken").write_text("") if broken else (self.site.folder / "broken").unlink()

    def at(self, place, path, *options):
        status, headers, body = curl(f"http://{self.site.addresses[place]}:8080{path}", "-H", f"Host: {self.site.domain}", *options)
        return status, body.decode(), headers.get("cache-status", "")

    def body(self, place, path, *options):
        return self.at(place, path, *options)[1]

    def fill(self, *paths):
        self.site.wait_for_journals()
        for place in self.site.addresses:
            for path in paths:
                self.wait_for_hit(place, path)

    def wait_for_hit(self, place, path, *options):
        """A body's last bytes may be on their way to the store when the visitor has them."""
        wait_until(lambda: "; hit" in self.at(place, path, *options)[2], what=f"{place} has {path} in its cache")

    def purge(self, *arguments, check=True):
        return self.site.run("purge", *arguments, check=check)

    def report(self, *arguments, check=True):
        """{edge: objects, or None where it has not answered}."""
        edges = json.loads(self.purge(*arguments, "--json", check=check).stdout)["edges"]
        return {edge["name"]: edge["objects"] if edge["answered"] else None for edge in edges}


@pytest.fixture(scope="module")
def shared():
    origin = Origin(edge_places=("london",), extra='\n[edge]\npurge_from = ["127.0.0.0/8"]\n')
    with origin.site as site:
        site.wait_for_answers()
        wait_until(lambda: origin.at("london", "/warm")[0] == 200, what="london can fill")
        yield origin


@pytest.fixture
def origin(shared):
    shared.purge("--prefix", "/")
    shared.says("one")
    return shared


EDGES = ("us-east", "us-west", "london")


def test_a_change_is_seen_at_every_edge_after_a_purge(origin):
    origin.fill("/images/a.jpg", "/images/b.jpg")
    origin.says("two")
    assert {place: origin.body(place, "/images/a.jpg") for place in EDGES} == dict.fromkeys(EDGES, "one")
    assert origin.report(f"http://{origin.site.domain}/images/a.jpg") == dict.fromkeys(EDGES, 1)
    assert {place: origin.body(place, "/images/a.jpg") for place in EDGES} == dict.fromkeys(EDGES, "two")
    assert {place: origin.body(place, "/images/b.jpg") for place in EDGES} == dict.fromkeys(EDGES, "one")


def test_the_command_says_how_many_went_where_and_after_how_long(origin):
    origin.fill("/a")
    lines = origin.purge("/a").stdout.splitlines()
    assert [re.fullmatch(r"(\S+) +1 object purged, after (\d+) ms", line).group(1) for line in lines] == list(EDGES)
    assert all("0 objects purged" in line for line in origin.purge("/a").stdout.splitlines())


def test_by_url_every_variant_goes(origin):
    for language in ("en", "de", "fr"):
        origin.wait_for_hit("us-east", "/vary", "-H", f"Accept-Language: {language}")
    assert origin.report("/vary")["us-east"] == 3


def test_by_prefix_and_by_tag(origin):
    origin.fill("/images/a", "/images/b", "/other")
    assert origin.report("--prefix", "/images/") == dict.fromkeys(EDGES, 2)
    origin.fill("/images/a")
    assert origin.report("--tag", "images") == dict.fromkeys(EDGES, 2)
    assert origin.report("--tag", "nothing") == dict.fromkeys(EDGES, 0)


def test_softly_it_is_asked_for_anew_and_stands_in_when_that_fails(origin):
    origin.fill("/a")
    origin.breaks(True)
    try:
        assert "made stale" in origin.purge("/a", "--soft").stdout
        status, body, cache = origin.at("us-east", "/a")
        assert (status, body) == (200, "one"), cache
    finally:
        origin.breaks(False)
    origin.says("two")
    assert origin.body("us-east", "/a") == "two"


def test_after_a_hard_purge_nothing_is_served_stale(origin):
    origin.fill("/a")
    origin.breaks(True)
    try:
        origin.purge("/a")
        assert origin.at("us-east", "/a")[0] == 500
    finally:
        origin.breaks(False)


def test_purge_is_a_method_for_those_who_may(origin):
    origin.fill("/a")
    status, body, _ = origin.at("us-west", "/a", "-X", "PURGE")
    assert status == 200
    assert {edge["name"]: edge["objects"] for edge in json.loads(body)["edges"]} == dict.fromkeys(EDGES, 1)


@pytest.mark.slow  # three seconds to connect, eight in all
def test_by_method_it_is_told_in_time_that_the_agent_does_not_answer():
    origin = Origin(data_centers=("us-east",), extra='\n[edge]\npurge_from = ["127.0.0.0/8"]\n')
    with origin.site as site:
        origin.fill("/a")
        _, agent = site.guard_and_agent("us-east")
        os.kill(agent, signal.SIGSTOP)
        try:
            began = time.monotonic()
            status, _, cache = origin.at("us-east", "/a", "-X", "PURGE")
            assert (status, cache) == (503, "meridian-edge") and time.monotonic() - began < 20
            assert "; hit" in origin.at("us-east", "/a")[2]
        finally:
            os.kill(agent, signal.SIGCONT)


def test_mistakes_are_named(origin):
    for arguments, needle in ((["images"], "/path"), ([], "--tag"), (["--tag", "two words"], "visible"), (["/a", "--wait", "2m"], "60s"),
                              (["/a", "--wait", "soon"], "--wait"), (["/a", "--dc", "nowhere"], "nowhere"), (["/a", "--tag", "b"], "tag")):
        done = origin.purge(*arguments, check=False)
        assert done.returncode != 0
        assert needle in done.stderr, done.stderr


def test_an_edge_that_is_cut_off_serves_on_is_named_and_catches_up():
    origin = Origin()
    with origin.site as site:
        site.wait_for_answers()
        origin.fill("/a")
        site.run("link", "us-east", "us-west", "--cut")
        origin.says("two")
        done = origin.purge("/a", "--dc", "us-east", "--wait", "5s", check=False)
        assert done.returncode == 1
        assert re.search(r"us-east +1 object purged", done.stdout)
        assert re.search(r"us-west +has not answered", done.stdout)
        assert origin.body("us-east", "/a") == "two"
        assert origin.body("us-west", "/a") == "one"
        site.run("link", "us-east", "us-west", "--heal")
        wait_until(lambda: origin.body("us-west", "/a") == "two", what="us-west has followed the purge")
        for place in site.addresses:
            origin.wait_for_hit(place, "/a")
        # Its other objects are still there: it only missed one order.
        assert origin.report("/a") == {"us-east": 1, "us-west": 1}


def test_the_loss_of_a_data_center_does_not_empty_the_caches_of_the_others():
    origin = Origin()
    with origin.site as site:
        site.wait_for_answers()
        origin.fill("/a")
        site.run("dc", "kill", "us-east")

        def heard(what):
            said = "".join(log.read_text() for log in (site.state / "logs/us-west").iterdir())
            return f'"event":"the journal of purges","of":"us-east","heard":{what}' in said

        wait_until(lambda: heard("false"), what="us-west misses the journal")
        assert "; hit" in origin.at("us-west", "/a")[2]
        site.run("dc", "start", "us-east")
        wait_until(lambda: heard("true"), what="us-west hears it again")
        assert "; hit" in origin.at("us-west", "/a")[2]


@pytest.mark.long
def test_isolated_it_may_ask_anew_instead():
    origin = Origin(extra='\n[edge]\nisolated = "revalidate"\n')
    with origin.site as site:
        site.wait_for_answers()
        origin.fill("/a")
        site.run("link", "us-east", "us-west", "--cut")
        origin.says("two")
        wait_until(lambda: origin.body("us-west", "/a") == "two", what="us-west asks anew")
        site.run("link", "us-east", "us-west", "--heal")
        wait_until(lambda: "; hit" in origin.at("us-west", "/a")[2], what="us-west goes by its cache again")


def test_a_journal_outlives_its_agent_and_an_agent_that_lost_it_empties_the_caches():
    origin = Origin()
    with origin.site as site:
        site.wait_for_answers()
        origin.fill("/a")
        origin.purge("/b", "--dc", "us-east")
        site.run("dc", "kill", "us-east")
        site.run("dc", "start", "us-east")
        wait_until(lambda: origin.at("us-east", "/a")[0] == 200, what="us-east serves")
        assert "; hit" in origin.at("us-west", "/a")[2]
        assert json.loads(origin.purge("/b", "--dc", "us-east", "--json").stdout)["number"] == 2
        site.run("dc", "kill", "us-east")
        (site.state / "purges-us-east").unlink()
        site.run("dc", "start", "us-east")
        wait_until(lambda: "; hit" not in origin.at("us-west", "/a")[2], what="us-west has dropped what it had")
