"""The photos example as its own site.toml has it: an upload is published, and the worker makes its thumbnail."""

import re
import subprocess

import pytest

from site_under_test import MERIDIAN, PHOTOS, Site, check_photos_packages, curl, wait_until

pytestmark = [pytest.mark.covers("agent", "queue"), pytest.mark.slow]  # slow: needs the packages that only the whole run installs

# What examples/photos/site.toml says of queue and worker, at this site's own folder.
QUEUE = f"""
[queue]

[queue.topic.uploads]
partitions = 2

[queue.topic."uploads.thumbnail.retry.1"]
delay = "1s"

[queue.topic."uploads.thumbnail.retry.2"]
delay = "1s"

[worker.thumbnail]
command = ["node", "worker.js"]
directory = "{PHOTOS}"
topic = "uploads"
retries = 2
"""


@pytest.fixture(name="site")
def photos_site():
    check_photos_packages()
    with Site(extra=QUEUE, data_centers=("us-east",)) as up:
        yield up


def upload(site, path):
    code, headers, _ = curl(f"http://{site.addresses['us-east']}:8080/photos", "-F", "title=mine", "-F", f"photo=@{path}")
    assert code == 303
    return headers["location"].rsplit("/", 1)[1]


def gallery(site):
    return curl(f"http://{site.addresses['us-east']}:8080/")[2].decode()


def test_an_upload_gets_its_thumbnail_from_the_worker_and_the_gallery_shows_it(site):
    photo = upload(site, PHOTOS / "public/images/dunes.jpg")
    found = wait_until(lambda: re.search(rf'src="([^"]*/uploads/{photo}\.thumb\.jpg)"', gallery(site)), what="the gallery shows the thumbnail")
    code, headers, body = curl(f"http://{site.addresses['us-east']}:8080{found[1]}")
    assert (code, headers["content-type"]) == (200, "image/jpeg")
    assert 1000 < len(body) < (PHOTOS / "public/images/dunes.jpg").stat().st_size / 2


def test_a_photo_that_cannot_be_read_ends_among_the_dead_letters_and_others_pass_it(site, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    photo = upload(site, broken)
    good = upload(site, PHOTOS / "public/images/dunes.jpg")
    wait_until(lambda: f"{good}.thumb.jpg" in gallery(site), what="the other photo has its thumbnail")

    def letters():
        return site.run("queue", "dead-letter", "list", "thumbnail").stdout
    wait_until(lambda: photo in letters(), what="the broken one is a dead letter")
    assert f"/uploads/{photo}.jpg" in gallery(site), "the photo itself is shown"


def test_the_example_passes_meridian_check():
    done = subprocess.run([MERIDIAN, "check", str(PHOTOS / "site.toml")], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0 and "worker thumbnail" in done.stdout, done.stderr
