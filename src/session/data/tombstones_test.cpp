#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/keyspace_fixture.hpp"
#include "session/data/snapshot_walk.hpp"
#include "session/limits.hpp"
#include "session/replication/matrix_clock.hpp"

namespace meridian::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// It had never been used, and so went first when the cache was full.
TEST(Tombstones, KeyOfAnotherDataCenterWasUsedWhenItWasWritten) {
  Pair pair;
  pair.east.Set("k", "v");
  pair.Deliver(pair.east, pair.west);
  int64_t used_s = pair.west.keyspace->Peek("k")->accessed_s();
  EXPECT_EQ(used_s, pair.east.clock.last().milliseconds() / 1000);
}

TEST(Tombstones, KeepADeletionUntilEveryReplicaHasAppliedIt) {
  Pair pair;
  pair.east.Set("k", "v");
  std::string old = pair.east.Take();
  HybridTime at = pair.east.clock.last();
  pair.west.Hear(old, at);
  pair.west.Begin();
  EXPECT_TRUE(pair.west.keyspace->Erase("k"));
  size_t with_trace = pair.west.keyspace->used_bytes();
  SweepAll(pair.west);
  pair.west.Hear(old, at);
  EXPECT_EQ(pair.west.Get("k"), "(none)");
  EXPECT_EQ(pair.west.keyspace->size(), 0);
  pair.EverybodyKnows();
  SweepAll(pair.west);
  EXPECT_LT(pair.west.keyspace->used_bytes(), with_trace);
}

TEST(Tombstones, OldSnapshotBringsNoKeyBackWhoseTombstoneWasDropped) {
  Pair pair;
  pair.east.Set("k", "v", pair.east.AfterMs(1'000'000));
  pair.east.HashSet("h", "f", "v");
  pair.east.Add("n", 1);
  std::vector<std::string> snapshot;
  SnapshotWalk walk;
  while (!walk.done()) pair.east.keyspace->Snapshot(&walk, 100, &snapshot);
  pair.Deliver(pair.east, pair.west);
  for (std::string_view key : {"k", "h", "n"}) {
    pair.west.Begin();
    EXPECT_TRUE(pair.west.keyspace->Erase(key));
  }
  pair.EverybodyKnows();
  SweepAll(pair.west);
  for (const std::string& item : snapshot) pair.west.Hear(item, pair.east.clock.last());
  EXPECT_EQ(pair.west.keyspace->size(), 0);
}

TEST(Tombstones, OfFieldsAndMembersAreCollectedInAKeyThatLivesOn) {
  Pair pair;
  Replica& east = pair.east;
  east.Begin();
  {
    Keyspace::Edit hash(*east.keyspace, "h");
    for (int i = 0; i < 100; ++i) hash.SetField(std::to_string(i), "v");
    Keyspace::Edit set(*east.keyspace, "s");
    for (int i = 0; i < 100; ++i) set.AddMember(std::to_string(i));
  }
  east.Begin();
  {
    Keyspace::Edit hash(*east.keyspace, "h");
    Keyspace::Edit set(*east.keyspace, "s");
    for (int i = 1; i < 100; ++i) {
      hash.RemoveField(std::to_string(i));
      set.RemoveMember(std::to_string(i));
    }
  }
  SweepAll(east);
  EXPECT_EQ(FieldsOf(east.keyspace->Find("h"))->tombstones(), 99);
  EXPECT_EQ(MembersOf(east.keyspace->Find("s"))->tombstones(), 99);
  east.Begin();
  pair.EverybodyKnows();
  SweepAll(east);
  EXPECT_EQ(FieldsOf(east.keyspace->Find("h"))->tombstones(), 0);
  EXPECT_EQ(MembersOf(east.keyspace->Find("s"))->tombstones(), 0);
  EXPECT_EQ(east.keyspace->size(), 2);
}

// east has dropped the tombstone of an expired key, west not yet: a new key of that name is not
// lost.
TEST(Tombstones, KeyThatIsMadeAgainAfterItsTombstoneWasDroppedLivesEverywhere) {
  Pair pair;
  pair.east.HashSet("h", "old", "v");
  pair.east.Begin();
  pair.east.keyspace->SetExpiry(*pair.east.keyspace->Find("h"), pair.east.AfterMs(1000));
  pair.Deliver(pair.east, pair.west);
  pair.east.Advance(seconds{2});
  pair.west.Advance(seconds{2});
  pair.east.Begin();
  pair.east.keyspace->set_stability_horizon(pair.east.clock.last());
  SweepAll(pair.east);
  pair.east.HashSet("h", "new", "v");
  pair.Deliver(pair.east, pair.west);
  for (Replica* replica : {&pair.east, &pair.west}) {
    const Fields* fields = FieldsOf(replica->keyspace->Find("h"));
    ASSERT_NE(fields, nullptr);
    EXPECT_NE(fields->Find("new"), nullptr);
    EXPECT_EQ(fields->Find("old"), nullptr);
  }
}

TEST(Tombstones, DeletedAndExpiredKeysAreNotCounted) {
  Pair pair;
  pair.east.Set("deleted", "v");
  pair.east.Set("ended", "v", pair.east.AfterMs(1000));
  pair.east.Set("stays", "v");
  EXPECT_EQ(pair.east.keyspace->size(), 3);
  pair.east.Begin();
  pair.east.keyspace->Erase("deleted");
  EXPECT_EQ(pair.east.keyspace->size(), 2);
  SweepAll(pair.east);
  EXPECT_EQ(pair.east.keyspace->size(), 1);
  pair.east.Set("deleted", "again");
  pair.east.Set("ended", "again");
  EXPECT_EQ(pair.east.keyspace->size(), 3);
}

// us-east and us-west are cut off from each other; eu-west hears both.
struct CutBetweenTwoOfThree {
  CutBetweenTwoOfThree() {
    for (Replica* each : {&east, &west, &europe}) each->keyspace->set_stability_horizon({});
  }
  // What `from` has just written, to all of `to`.
  static std::string Send(Replica& from, const std::vector<Replica*>& to) {
    std::string record = from.Take();
    for (Replica* each : to) each->Hear(record, from.clock.last());
    return record;
  }
  void Advance(Duration duration) {
    for (Replica* each : {&east, &west, &europe}) each->Advance(duration);
  }
  // eu-west gets the heartbeats of both, which have heard each other up to `cut`, and sweeps.
  void BeatAndSweep(HybridTime cut) {
    HybridTime east_now = *east.clock.Now();
    HybridTime west_now = *west.clock.Now();
    const std::vector<std::string> names = {"us-east", "us-west", "eu-west"};
    MatrixClock seen_by_europe(names, 2);
    ASSERT_TRUE(seen_by_europe.Observe(
        0, {.time = east_now, .data_centers = names, .applied = {east_now, cut, east_now}}));
    ASSERT_TRUE(seen_by_europe.Observe(
        1, {.time = west_now, .data_centers = names, .applied = {cut, west_now, west_now}}));
    EXPECT_EQ(seen_by_europe.stability_horizon(), cut);
    europe.keyspace->set_stability_horizon(seen_by_europe.stability_horizon());
    europe.Advance(milliseconds{kTombstoneRecheckMs});
    while (!europe.keyspace->Sweep()) {
    }
  }

  Replica east{0};
  Replica west{1};
  Replica europe{2};
};

TEST(Tombstones, ACounterThatADataCenterAddsToBeforeItHearsOfItsDeletionDivergesNowhere) {
  CutBetweenTwoOfThree site;
  site.east.Add("n", 1);
  site.Send(site.east, {&site.west, &site.europe});
  HybridTime cut = site.east.clock.last();
  site.Advance(milliseconds{10});
  site.west.Begin();
  EXPECT_TRUE(site.west.keyspace->Erase("n"));
  std::string deletion = site.Send(site.west, {&site.europe});
  HybridTime deleted = site.west.clock.last();
  site.Advance(milliseconds{10});
  site.BeatAndSweep(cut);

  site.Advance(milliseconds{10});
  site.east.Add("n", 1);
  site.Send(site.east, {&site.west, &site.europe});
  site.east.Hear(deletion, deleted);  // the cut has healed
  for (Replica* each : {&site.east, &site.west, &site.europe}) EXPECT_EQ(each->Get("n"), "(none)");
}

TEST(Tombstones, AnExpiryThatADataCenterSetsBeforeItHearsOfAShorterOneDivergesNowhere) {
  CutBetweenTwoOfThree site;
  site.east.Set("k", "v", site.east.AfterMs(1000000));
  site.Send(site.east, {&site.west, &site.europe});
  HybridTime cut = site.east.clock.last();
  site.Advance(milliseconds{10});
  site.west.Begin();
  site.west.keyspace->SetExpiry(*site.west.keyspace->Find("k"), site.west.AfterMs(1000));
  std::string shortened = site.Send(site.west, {&site.europe});
  HybridTime shortened_at = site.west.clock.last();
  site.Advance(seconds{3});
  site.BeatAndSweep(cut);

  site.Advance(milliseconds{10});
  site.east.Begin();
  site.east.keyspace->SetExpiry(*site.east.keyspace->Find("k"), site.east.AfterMs(1000000));
  site.Send(site.east, {&site.west, &site.europe});
  site.east.Hear(shortened, shortened_at);
  EXPECT_EQ(site.east.Get("k"), site.west.Get("k"));
  EXPECT_EQ(site.east.Get("k"), site.europe.Get("k"));
}

}  // namespace
}  // namespace meridian::session
