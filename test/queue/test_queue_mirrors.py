"""The queue in two data centers: mirrors, promotion, and what an old home does when it returns."""

import hashlib
import json
import re
import shutil
import subprocess

import pytest

from site_under_test import PYTHON_APP, Site, curl, wait_until

pytestmark = [pytest.mark.covers("queue", "store"), pytest.mark.long]


class QueueSite(Site):
    """Two data centers with a queue each."""

    def __init__(self, settings="", **options):
        super().__init__(app=PYTHON_APP, wan=True, extra=f"\n[queue]\n{settings}", **options)

    def kcat(self, at, *arguments, text=None, check=True):
        """kcat's standard output; `at`: the data center whose queue it asks first."""
        done = subprocess.run(["kcat", "-b", f"{self.addresses[at]}:9092", *arguments], input=text, capture_output=True, text=True, timeout=120,
                              check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"kcat {' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def publish(self, at, *values, topic="uploads"):
        self.kcat(at, "-P", "-t", topic, "-X", "acks=all", "-X", "message.timeout.ms=90000", text="\n".join(values) + "\n")

    def messages(self, at, topic="uploads"):
        return self.kcat(at, "-C", "-t", topic, "-o", "beginning", "-e", "-q").split()

    def mirrors(self, at):
        told = json.loads(self.run("queue", "mirrors", "--json").stdout)
        return next(each for each in told["datacenters"] if each["datacenter"] == at)

    def home(self, at, topic="uploads"):
        return next((each["home"] for each in self.mirrors(at).get("topics", []) if each["name"] == topic), None)

    def wait_until_mirrored(self, at):
        def mirrored():
            told = self.mirrors(at)
            return "problem" not in told and all(peer["connected"] and peer["follows"] and peer["behind_records"] == 0 for peer in told["peers"])
        wait_until(mirrored, what=f"{at} has all")

    def lag(self, at):
        """The lag that /metrics of a queue shows, by group, topic and partition."""
        text = curl(f"http://{self.addresses[at]}:19092/metrics")[2].decode()
        series = re.findall(r'^meridian_queue_group_lag_messages\{group="([^"]*)",topic="([^"]*)",partition="(\d+)"\} (\S+)$', text, re.M)
        return {(group, topic, int(partition)): float(lag) for group, topic, partition, lag in series}

    def segments(self, at):
        """The checksum of each segment file by its place."""
        folder = self.state / f"queue-{at}" / "topics"
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*/*/*.log")}

    def queue_detail(self, at):
        return next(tier.get("problem", "") for place in self.status()["datacenters"] if place["name"] == at for tier in place["tiers"] if tier["name"] == "queue")


def test_a_client_may_ask_anywhere_and_segments_are_equal_at_both_data_centers():
    with QueueSite("partitions = 3") as site:
        site.publish("us-west", *[f"photo-{i}" for i in range(300)])
        assert site.home("us-west") == "us-east"
        assert sorted(site.messages("us-east")) == sorted(site.messages("us-west")) == sorted(f"photo-{i}" for i in range(300))
        wait_until(lambda: site.segments("us-east") == site.segments("us-west") != {}, what="both have the same segment files")


def test_what_was_acknowledged_is_there_after_its_home_was_lost_and_consumers_go_on():
    with QueueSite() as site:
        site.publish("us-east", "a", "b", "c")
        group = ("-G", "thumbnails", "uploads", "-X", "auto.offset.reset=earliest", "-q")
        assert site.kcat("us-east", "-c", "2", *group).split() == ["a", "b"]
        site.wait_until_mirrored("us-west")
        site.run("dc", "kill", "us-east")
        site.run("queue", "promote", "--all", "--to", "us-west")
        site.publish("us-west", "d")
        assert site.messages("us-west") == ["a", "b", "c", "d"]
        assert site.kcat("us-west", "-c", "2", *group).split() == ["c", "d"]
        # The old home follows.
        site.run("dc", "start", "us-east")
        site.wait_for_state("us-east", "serving")
        site.wait_until_mirrored("us-east")
        assert site.home("us-east") == "us-west"
        assert site.messages("us-east") == ["a", "b", "c", "d"]
        # And back.
        site.run("queue", "promote", "--all", "--to", "us-east")
        site.publish("us-west", "e")
        assert site.messages("us-east") == ["a", "b", "c", "d", "e"]


def test_a_home_that_lost_its_disk_takes_all_from_the_others_and_is_followed_anew():
    with QueueSite() as site:
        site.publish("us-east", "a", "b")
        site.wait_until_mirrored("us-west")
        site.run("dc", "kill", "us-east")
        shutil.rmtree(site.state / "queue-us-east")
        site.run("queue", "promote", "--all", "--to", "us-west")
        site.run("dc", "start", "us-east")
        site.wait_for_state("us-east", "serving")
        wait_until(lambda: any(peer["other_journal"] for peer in site.mirrors("us-west")["peers"]), what="us-west refuses the new journal")
        wait_until(lambda: "another log" in site.queue_detail("us-west"), what="status says so")
        assert "follows us-east from the beginning" in site.run("queue", "follow-anew", "us-east").stdout
        site.wait_until_mirrored("us-west")
        site.wait_until_mirrored("us-east")
        assert "follows us-east already" in site.run("queue", "follow-anew", "us-east").stdout
        site.run("queue", "promote", "--all", "--to", "us-east")
        site.publish("us-west", "c")
        assert site.messages("us-east") == ["a", "b", "c"]


def test_a_home_without_a_mirror_goes_on_alone_and_says_so():
    with QueueSite() as site:
        site.publish("us-east", "a")
        site.wait_until_mirrored("us-west")
        site.run("dc", "kill", "us-west")
        site.publish("us-east", "b")
        wait_until(lambda: "acknowledged messages are in 0 other data centers" in site.queue_detail("us-east"), what="status says so")
        site.run("dc", "start", "us-west")
        site.wait_for_state("us-west", "serving")
        wait_until(lambda: site.queue_detail("us-east") == "", what="all is well again")
        assert site.messages("us-west") == ["a", "b"]


def test_a_cut_link_leaves_two_homes_and_the_old_one_sets_its_tail_aside():
    with QueueSite() as site:
        site.publish("us-east", "a")
        site.wait_until_mirrored("us-west")
        site.link("us-east", "us-west", "--cut")
        site.publish("us-east", "lost")
        site.run("queue", "promote", "--all", "--to", "us-west")
        site.publish("us-west", "b")
        site.link("us-east", "us-west", "--heal")
        wait_until(lambda: site.home("us-east") == "us-west", what="us-east knows the new home")
        assert site.messages("us-east") == ["a", "b"]
        files = list((site.state / "queue-us-east" / "set-aside").iterdir())
        assert len(files) == 1 and b"lost" in files[0].read_bytes()
        wait_until(lambda: str(files[0].parent) in site.queue_detail("us-east"), what="status says where they are")
        # An operator looks at what was set aside, and publishes it again, after all.
        shown = [json.loads(line) for line in site.run("queue", "recover", str(files[0]), "--json").stdout.splitlines()]
        assert [(each["topic"], each["partition"], each["offset"], each["value"]) for each in shown if each["offset"] == 1] == [("uploads", 0, 1, "lost")]
        assert "lost" in site.run("queue", "recover", str(files[0])).stdout
        count = len(shown)
        done = site.run("queue", "recover", str(files[0]), "--publish")
        assert f"{count} message{'' if count == 1 else 's'} published to uploads partition 0" in done.stdout
        assert site.messages("us-west") == ["a", "b"] + [each["value"] for each in shown]
        renamed = files[0].with_name("photos.batches")
        files[0].rename(renamed)
        refused = site.run("queue", "recover", str(renamed), check=False)
        assert refused.returncode == 2 and "is no file of messages that were set aside" in refused.stderr
        damaged = files[0]
        damaged.write_bytes(renamed.read_bytes()[:-1] + b"\x07")
        refused = site.run("queue", "recover", str(damaged), "--publish", check=False)
        assert refused.returncode == 1 and "is damaged" in refused.stderr and "nothing was published" in refused.stderr


def test_a_damaged_segment_file_is_named_and_repaired_from_the_other_data_center():
    with QueueSite() as site:
        site.publish("us-east", *[f"photo-{i}" for i in range(300)])
        wait_until(lambda: site.segments("us-east") == site.segments("us-west") != {}, what="both have the same segment files")
        whole = site.segments("us-east")
        # A stop of the queue leaves the segments in the journal; the file must be in a checkpoint to be missed.
        site.run("queue", "promote", "--all", "--to", "us-west")
        site.wait_until_mirrored("us-east")
        site.run("dc", "kill", "us-west")
        file = next((site.state / "queue-us-west" / "topics").glob("*/*/*.log"))
        file.write_bytes(file.read_bytes()[:100])
        site.run("dc", "start", "us-west")
        site.wait_for_state("us-west", "serving")
        wait_until(lambda: site.segments("us-west") == whole, what="the segment file is whole again")
        wait_until(lambda: "damaged" not in site.queue_detail("us-west"), what="status is well again")
        assert sorted(site.messages("us-east")) == sorted(f"photo-{i}" for i in range(300))


def test_a_topic_begins_at_the_home_of_site_toml_and_a_promotion_is_reported_and_not_undone():
    with QueueSite('[queue.topic.uploads]\nhome = "us-west"\ncopies = 1\n') as site:
        wait_until(lambda: site.home("us-east") == site.home("us-west") == "us-west", what="us-west has taken the topic over")
        site.publish("us-east", "a", "b", "c")
        assert site.messages("us-east") == ["a", "b", "c"]
        # us-east has the groups and not the messages: it knows how far the group is behind all the same.
        site.kcat("us-east", "-c", "1", "-G", "thumbnails", "uploads", "-X", "auto.offset.reset=earliest", "-q")
        wait_until(lambda: site.lag("us-east") == {("thumbnails", "uploads", 0): 2}, what="us-east shows the lag")
        assert site.lag("us-west") == {}

        site.run("queue", "promote", "uploads", "--to", "us-east")
        move = "meridian queue promote uploads --to us-west"
        told = f"topic uploads has its home here, and site.toml says us-west; to move it: {move}"
        wait_until(lambda: told in site.queue_detail("us-east"), what="status of the present home says so")
        wait_until(lambda: site.home("us-west") == "us-east", what="it stays where it was promoted to")
        site.run(*move.split()[1:])
        wait_until(lambda: site.queue_detail("us-east") == "", what="all is as the file says")
        assert site.messages("us-east") == ["a", "b", "c"]
