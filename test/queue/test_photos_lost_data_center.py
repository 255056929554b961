"""An upload outlives its data center: us-east is lost before the thumbnail is made, and us-west makes it from the mirrored message."""

import json
import os
import re
import signal

import pytest

from site_under_test import PHOTOS, Site, check_photos_packages, curl, wait_until

pytestmark = [pytest.mark.covers("agent", "queue", "session"), pytest.mark.slow]  # slow: needs the packages that only the whole run installs

DUNES = PHOTOS / "public/images/dunes.jpg"
QUEUE = f"""
[queue]

[worker.thumbnail]
command = ["node", "worker.js"]
directory = "{PHOTOS}"
topic = "uploads"
retries = 2
"""


@pytest.fixture(name="site")
def photos_site():
    check_photos_packages()
    with Site(extra=QUEUE, wan=True) as up:
        up.wait_for_journals()
        yield up


def worker(site, data_center):
    return wait_until(lambda: next((each["pid"] for each in site.data_center(data_center)["workers"] if each["state"] == "running"), 0),
                      what=f"the worker of {data_center} runs")


def gallery(site, at):
    code, _, body = curl(f"http://{site.addresses[at]}:8080/")
    assert code == 200
    return body.decode()


def follow_each_other(site):
    """Whether each data center's queue has all that the other has, the topics of site.toml too."""
    told = json.loads(site.run("queue", "mirrors", "--json").stdout)["datacenters"]
    peers = [peer for each in told for peer in each.get("peers", [])]
    known = all("uploads" in [topic["name"] for topic in each.get("topics", [])] for each in told)
    return known and len(peers) == 2 and all(peer["connected"] and peer["follows"] and peer["behind_records"] == 0 for peer in peers)


def test_the_thumbnail_of_an_upload_appears_at_us_west_though_us_east_was_lost_before_it_was_made(site):
    wait_until(lambda: follow_each_other(site), what="the queues follow each other")
    # No thumbnail is made before us-east is lost: whichever of the workers has the partition stands still.
    workers = {name: worker(site, name) for name in site.addresses}
    for pid in workers.values():
        os.kill(pid, signal.SIGSTOP)
    code, headers, _ = curl(f"http://{site.addresses['us-east']}:8080/photos", "-F", "title=mine", "-F", f"photo=@{DUNES}")
    assert code == 303
    photo = headers["location"].rsplit("/", 1)[1]
    assert f"/uploads/{photo}.jpg" in gallery(site, "us-west"), "the upload was answered when us-west had it"
    assert f"{photo}.thumb.jpg" not in gallery(site, "us-east") + gallery(site, "us-west")

    site.run("dc", "kill", "us-east")
    site.run("queue", "promote", "--all", "--to", "us-west")
    os.kill(workers["us-west"], signal.SIGCONT)

    found = wait_until(lambda: re.search(rf'src="([^"]*/uploads/{photo}\.thumb\.jpg)"', gallery(site, "us-west")), what="us-west shows the thumbnail")
    code, headers, thumbnail = curl(f"http://{site.addresses['us-west']}:8080{found[1]}")
    assert (code, headers["content-type"]) == (200, "image/jpeg")
    assert thumbnail.startswith(b"\xff\xd8\xff") and 1000 < len(thumbnail) < DUNES.stat().st_size / 2
    code, _, original = curl(f"http://{site.addresses['us-west']}:8080/uploads/{photo}.jpg")
    assert code == 200 and original == DUNES.read_bytes()
