#include "session/data/keyspace.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "session/data/change.hpp"
#include "session/data/merge.hpp"
#include "session/limits.hpp"
#include "session/replication/matrix_clock.hpp"

namespace meridian::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One data center's keyspace with a clock of its own.
struct Replica {
  explicit Replica(uint8_t replica_id, Keyspace::Options options = {}) : replica_id_(replica_id) {
    options.replica_id = replica_id;
    options.seed = replica_id + 1U;
    options.journaled = true;
    keyspace = std::make_unique<Keyspace>(options, clock);
    keyspace->SetNow(wall.Wall());
  }

  void Advance(Duration by) {
    wall.Advance(by);
    keyspace->SetNow(wall.Wall());
  }
  int64_t AfterMs(int64_t ms) const { return keyspace->now_ms() + ms; }
  void Begin() { ASSERT_TRUE(keyspace->BeginWrite()); }
  void Set(std::string_view key, std::string_view value, int64_t end_ms = 0) {
    Begin();
    auto kind = end_ms == 0 ? ExpiryChange::Kind::kClear : ExpiryChange::Kind::kAt;
    keyspace->SetText(key, value, {kind, end_ms});
  }
  std::string Get(std::string_view key) {
    Entry* entry = keyspace->Find(key);
    if (entry == nullptr) return "(none)";
    if (TypeOf(*entry) != ValueType::kString) return "(no string)";
    return std::string(keyspace->TextOf(*entry));
  }
  void HashSet(std::string_view key, std::string_view name, std::string_view value) {
    Begin();
    Keyspace::Edit(*keyspace, key).SetField(name, value);
  }
  int64_t Add(std::string_view key, int64_t delta) {
    Begin();
    int64_t result = 0;
    EXPECT_EQ(keyspace->Add(key, delta, &result), IncrementResult::kDone);
    return result;
  }
  std::string Take() { return std::string(AsText(keyspace->change().Take())); }
  void Hear(const std::string& record, HybridTime at) {
    ASSERT_TRUE(clock.Observe(at));
    ASSERT_TRUE(keyspace->Apply(AsBytes(record)));
  }

  ManualClock wall;
  HybridClock clock{wall, std::chrono::hours{1}};
  uint8_t replica_id_;
  std::unique_ptr<Keyspace> keyspace;
};

std::map<std::string, KeyState> StatesOf(const Keyspace& keyspace) {
  std::map<std::string, KeyState> states;
  keyspace.ForEach([&](const Entry& entry) { states[std::string(entry.key())] = entry.State(); });
  return states;
}

TEST(Keyspace, TextIsOverwrittenInPlaceAndElsewhere) {
  Replica replica(0);
  for (size_t size : {300UL, 301UL, 299UL, 0UL, 5UL, 100000UL, 7UL}) {
    replica.Set("k", std::string(size, 'x'));
    EXPECT_EQ(replica.Get("k"), std::string(size, 'x'));
  }
  EXPECT_EQ(replica.keyspace->size(), 1);
}

TEST(Keyspace, KeyIsGoneAtItsEnd) {
  Replica replica(0);
  replica.Set("k", "v", replica.AfterMs(1000));
  replica.Advance(milliseconds{999});
  EXPECT_EQ(replica.Get("k"), "v");
  replica.Advance(milliseconds{1});
  EXPECT_EQ(replica.Get("k"), "(none)");
  EXPECT_EQ(replica.keyspace->size(), 0);
}

// INFO said that there were none.
TEST(Keyspace, KeysThatWillEndAreCounted) {
  Replica replica(0);
  replica.Set("lasting", "v");
  replica.Set("ending", "v", replica.AfterMs(1000));
  replica.HashSet("hash", "f", "v");
  EXPECT_EQ(replica.keyspace->expiring(), 1);
  replica.Begin();
  replica.keyspace->SetExpiry(*replica.keyspace->Find("hash"), replica.AfterMs(500));
  EXPECT_EQ(replica.keyspace->expiring(), 2);
  replica.Begin();
  replica.keyspace->SetExpiry(*replica.keyspace->Find("ending"), 0);
  EXPECT_EQ(replica.keyspace->expiring(), 1);
  replica.Advance(milliseconds{500});
  EXPECT_EQ(replica.Get("hash"), "(none)");
  EXPECT_EQ(replica.keyspace->expiring(), 0);
  replica.Set("ending", std::string(1000, 'x'), replica.AfterMs(1000));
  replica.Begin();
  replica.keyspace->Erase("ending");
  EXPECT_EQ(replica.keyspace->expiring(), 0);
  replica.Set("ending", "v", replica.AfterMs(1000));
  replica.Begin();
  replica.keyspace->Flush();
  EXPECT_EQ(replica.keyspace->expiring(), 0);
  EXPECT_EQ(replica.keyspace->size(), 0);
}

// It was a key again until the sweep looked at it, and ended twice.
TEST(Keyspace, ExpiredKeyExpiresOnceWhateverArrivesLater) {
  Replica west(1);
  west.HashSet("k", "f", "older");
  std::string older = west.Take();
  HybridTime at = west.clock.last();
  Replica east(0);
  east.keyspace->set_stability_horizon({});
  east.Advance(milliseconds{5});
  east.Set("k", "v", east.AfterMs(1000));
  east.Advance(seconds{2});
  while (!east.keyspace->Sweep()) {
  }
  EXPECT_EQ(east.keyspace->expired(), 1);
  east.Hear(older, at);
  EXPECT_EQ(east.keyspace->size(), 0);
  east.Advance(milliseconds{kTombstoneRecheckMs});
  while (!east.keyspace->Sweep()) {
  }
  EXPECT_EQ(east.keyspace->expired(), 1);
  EXPECT_EQ(east.keyspace->tombstones(), 1);
}

// Whatever of it arrives late: a touch that gave it another end, which has passed as well, or a
// newer life.
TEST(Keyspace, ExpiredKeyExpiresOnceWhateverExpiryArrivesLater) {
  for (bool touched : {true, false}) {
    Replica east(0);
    Replica west(1);
    east.keyspace->set_stability_horizon({});
    int64_t end = east.AfterMs(1000);
    east.Set("k", "v", end);
    west.Hear(east.Take(), east.clock.last());
    west.Advance(milliseconds{500});
    if (touched) {
      west.Begin();
      west.keyspace->SetExpiry(*west.keyspace->Find("k"), end + 100);
    } else {
      west.Set("k", "w", end + 100);
    }
    east.Advance(seconds{2});
    while (!east.keyspace->Sweep()) {
    }
    EXPECT_EQ(east.keyspace->expired(), 1);
    east.Hear(west.Take(), west.clock.last());
    east.Advance(milliseconds{kTombstoneRecheckMs});
    while (!east.keyspace->Sweep()) {
    }
    EXPECT_EQ(east.keyspace->expired(), 1) << touched;
    EXPECT_EQ(east.keyspace->size(), 0);
  }
}

TEST(Keyspace, SweepRemovesExpiredKeysThatNoCommandReads) {
  Replica replica(0);
  for (int i = 0; i < 5000; ++i) {
    replica.Set("k" + std::to_string(i), "v", replica.AfterMs(i % 2 == 0 ? 1000 : 5000));
  }
  replica.Advance(seconds{2});
  while (!replica.keyspace->Sweep()) {
  }
  EXPECT_EQ(replica.keyspace->size(), 2500);
  EXPECT_EQ(replica.keyspace->expired(), 2500);
  replica.Advance(seconds{4});
  while (!replica.keyspace->Sweep()) {
  }
  EXPECT_EQ(replica.keyspace->size(), 0);
}

TEST(Keyspace, SweepOfManyKeysTakesSeveralIterations) {
  Replica replica(0);
  for (int i = 0; i < 20000; ++i) replica.Set("k" + std::to_string(i), "v", replica.AfterMs(1000));
  replica.Advance(seconds{2});
  EXPECT_FALSE(replica.keyspace->Sweep());
  EXPECT_GT(replica.keyspace->size(), 10000);
  while (!replica.keyspace->Sweep()) {
  }
  EXPECT_EQ(replica.keyspace->size(), 0);
}

TEST(Keyspace, SnapshotHasAllKeys) {
  Replica replica(0, {.cache_prefix = "k1"});
  for (int i = 0; i < 3000; ++i)
    replica.Set("k" + std::to_string(i), "v", replica.AfterMs(1000 + i));
  for (int i = 0; i < 5000; ++i) replica.HashSet("hash", std::to_string(i), std::string(50, 'x'));
  replica.Add("n", 5);
  std::vector<std::string> items;
  SnapshotWalk walk;
  while (!walk.done()) replica.keyspace->Snapshot(&walk, 100, &items);
  Replica again(1);
  for (const std::string& item : items) {
    EXPECT_LT(item.size(), 2 * kSnapshotItemBytes);
    again.Hear(item, replica.clock.last());
  }
  std::map<std::string, KeyState> before = StatesOf(*replica.keyspace);
  std::map<std::string, KeyState> after = StatesOf(*again.keyspace);
  EXPECT_EQ(before.size(), after.size());
  for (const auto& [key, state] : before) EXPECT_EQ(state, after[key]) << key;
}

TEST(Keyspace, UsedBytesReturnToNothing) {
  Replica replica(0);
  size_t empty = replica.keyspace->used_bytes();
  for (int i = 0; i < 300; ++i) {
    replica.Set("text" + std::to_string(i), std::string(static_cast<size_t>(i), 'x'));
    replica.HashSet("hash" + std::to_string(i % 7), std::to_string(i), std::string(40, 'y'));
    replica.Add("count" + std::to_string(i % 5), i);
  }
  EXPECT_GT(replica.keyspace->used_bytes(), empty + 300 * 150);
  replica.Begin();
  for (int i = 0; i < 300; ++i) replica.keyspace->Erase("text" + std::to_string(i));
  for (int i = 0; i < 7; ++i) replica.keyspace->Erase("hash" + std::to_string(i));
  for (int i = 0; i < 5; ++i) replica.keyspace->Erase("count" + std::to_string(i));
  EXPECT_LE(replica.keyspace->used_bytes(), empty + 8 * 512);  // a grown table
}

TEST(Keyspace, SessionTakesLittleMoreThanItsBytes) {
  Replica replica(0);
  constexpr size_t kSessions = 20000;
  for (size_t i = 0; i < kSessions; ++i) {
    std::string key = "sess:" + std::string(27, 'k') + std::to_string(10000 + i);
    replica.Set(key, std::string(300, 'v'), replica.AfterMs(100000));
  }
  size_t each = replica.keyspace->used_bytes() / kSessions;
  EXPECT_LT(each, 37 + 300 + 75);
}

TEST(Keyspace, CacheIsEvictedAndSessionsAreNot) {
  Replica replica(0, {.cache_prefix = "cache:"});
  for (int i = 0; i < 100; ++i) replica.Set("sess:" + std::to_string(i), std::string(1000, 'x'));
  size_t sessions = replica.keyspace->used_bytes();
  EXPECT_TRUE(replica.keyspace->TakeMustSync());
  for (int i = 0; i < 50; ++i) replica.Set("cache:" + std::to_string(i), std::string(1000, 'x'));
  EXPECT_FALSE(replica.keyspace->TakeMustSync());
  EXPECT_TRUE(replica.keyspace->EvictTo(sessions + 30000));
  EXPECT_GT(replica.keyspace->evicted(), 15);
  EXPECT_FALSE(replica.keyspace->EvictTo(1000));
  EXPECT_EQ(replica.keyspace->size(), 100);
}

// With another data center away nothing of them could be evicted, and sessions were refused.
TEST(Keyspace, TombstonesOfTheCacheFilledTheMemoryWhileADataCenterWasAway) {
  Replica replica(0, {.cache_prefix = "cache:"});
  replica.keyspace->set_stability_horizon({});
  size_t empty = replica.keyspace->used_bytes();
  for (int i = 0; i < 50; ++i) {
    replica.Set("cache:" + std::to_string(i), std::string(1000, 'x'), replica.AfterMs(1000));
  }
  replica.Advance(seconds{2});
  while (!replica.keyspace->Sweep()) {
  }
  EXPECT_EQ(replica.keyspace->size(), 0);
  EXPECT_TRUE(replica.keyspace->EvictTo(empty + 10000));
  EXPECT_EQ(replica.keyspace->evicted(), 0) << "they were gone";
}

TEST(Keyspace, ScanVisitsBothTables) {
  Replica replica(0, {.cache_prefix = "cache:"});
  for (int i = 0; i < 1000; ++i) {
    replica.Set((i % 2 == 0 ? "cache:" : "sess:") + std::to_string(i), "x");
  }
  size_t seen = 0;
  uint64_t cursor = 0;
  do {
    cursor = replica.keyspace->Scan(cursor, 10, [&](const Entry&) { ++seen; });
  } while (cursor != 0);
  EXPECT_EQ(seen, 1000);
}

TEST(Keyspace, RecordThatIsCutChangesNothing) {
  Replica east(0);
  east.Set("k", "value");
  east.HashSet("h", "f", "v");
  std::string record = east.Take();
  for (size_t size = 0; size < record.size(); ++size) {
    Replica west(1);
    bool applied = west.keyspace->Apply(AsBytes(record.substr(0, size))).has_value();
    EXPECT_FALSE(applied) << size;
    EXPECT_EQ(west.keyspace->size(), 0);
  }
}

TEST(Keyspace, CountersOfTwoReplicasAddUp) {
  Replica east(0);
  Replica west(1);
  east.Add("n", 3);
  west.Add("n", 4);
  std::string from_east = east.Take();
  std::string from_west = west.Take();
  HybridTime now = std::max(east.clock.last(), west.clock.last());
  for (int times = 0; times < 2; ++times) {
    west.Hear(from_east, now);
    east.Hear(from_west, now);
  }
  EXPECT_EQ(east.Get("n"), "7");
  EXPECT_EQ(west.Get("n"), "7");
  EXPECT_EQ(west.Add("n", -10), -3);
}

// Two replicas that keep tombstones, as with other data centers.
struct Pair {
  Pair() {
    east.keyspace->set_stability_horizon({});
    west.keyspace->set_stability_horizon({});
  }
  // What `from` has journaled since the last time.
  void Deliver(Replica& from, Replica& to) { to.Hear(from.Take(), from.clock.last()); }
  void EverybodyKnows() {
    HybridTime stability_horizon = std::max(east.clock.last(), west.clock.last());
    for (Replica* replica : {&east, &west})
      replica->keyspace->set_stability_horizon(stability_horizon);
  }

  Replica east{0};
  Replica west{1};
};

void SweepAll(Replica& replica) {
  replica.Advance(seconds{3});
  while (!replica.keyspace->Sweep()) {
  }
}

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

// Random commands in three replicas whose changes arrive in any order, some twice: in the end all
// hold the same.
class Convergence {
 public:
  explicit Convergence(uint64_t seed) : random_(seed) {
    for (auto& replica : replicas_) replica->keyspace->set_stability_horizon({});
  }

  void Run() {
    for (int step = 0; step < 120; ++step) {
      Replica& replica = *replicas_[random_.Below(3)];
      if (random_.Chance(0.3)) replica.Advance(milliseconds{random_.Below(3)});
      replica.Begin();
      Command(*replica.keyspace);
      std::string record = replica.Take();
      if (!record.empty()) records_.push_back({record, replica.clock.last()});
      if (random_.Chance(0.5)) Deliver(*replicas_[random_.Below(3)]);
    }
    for (auto& replica : replicas_) {
      Shuffle();
      for (const auto& [record, at] : records_) replica->Hear(record, at);
      while (!replica->keyspace->Sweep()) {
      }
      ExpectCounted(*replica->keyspace);
    }
  }

  static void ExpectCounted(Keyspace& keyspace) {
    size_t living = 0;
    size_t expiring = 0;
    keyspace.Scan(0, 100, [&](const Entry& entry) {
      ++living;
      if (entry.expire_at_ms() != 0) ++expiring;
    });
    EXPECT_EQ(keyspace.size(), living);
    EXPECT_EQ(keyspace.expiring(), expiring);
  }

  void ExpectSame(uint64_t seed) {
    for (auto& replica : replicas_) {
      replica->keyspace->SetNow(WallTime{});
      EXPECT_EQ(Visible(*replica), Visible(*replicas_[0])) << "seed " << seed;
    }
  }

 private:
  void Shuffle() {
    for (size_t i = records_.size(); i > 1; --i) {
      std::swap(records_[i - 1], records_[random_.Below(i)]);
    }
  }

  std::map<std::string, KeyState> Visible(Replica& replica) {
    // As seen at one time everywhere.
    int64_t latest = 0;
    for (auto& other : replicas_) latest = std::max(latest, other->keyspace->now_ms());
    replica.keyspace->SetNow(WallTime{milliseconds{latest}});
    return StatesOf(*replica.keyspace);
  }

  void Deliver(Replica& replica) {
    if (records_.empty()) return;
    const auto& [record, at] = records_[random_.Below(records_.size())];
    replica.Hear(record, at);
  }

  void Command(Keyspace& keyspace) {
    std::string key(1, "ab"[random_.Below(2)]);
    std::string name(1, "xyz"[random_.Below(3)]);
    Entry* entry = keyspace.Find(key);
    ValueType type = entry == nullptr ? ValueType::kNone : TypeOf(*entry);
    auto free_for = [&](ValueType wanted) { return type == ValueType::kNone || type == wanted; };
    int64_t result = 0;
    switch (random_.Below(9)) {
      case 0:
        keyspace.SetText(key, name, {});
        break;
      case 1:
        keyspace.SetText(key, "5", {ExpiryChange::Kind::kAt, keyspace.now_ms() + 5});
        break;
      case 2:
        (void)keyspace.Add(key, 1, &result);
        break;
      case 3:
        keyspace.Erase(key);
        break;
      case 4:
        if (free_for(ValueType::kHash)) Keyspace::Edit(keyspace, key).SetField(name, key);
        break;
      case 5:
        if (type == ValueType::kHash) Keyspace::Edit(keyspace, key).RemoveField(name);
        break;
      case 6:
        if (free_for(ValueType::kSet)) Keyspace::Edit(keyspace, key).AddMember(name);
        break;
      case 7:
        if (type == ValueType::kSet) Keyspace::Edit(keyspace, key).RemoveMember(name);
        break;
      default:
        if (entry != nullptr) keyspace.SetExpiry(*entry, keyspace.now_ms() + 4);
        if (random_.Chance(0.1)) keyspace.Flush();
    }
  }

  Random random_;
  std::array<std::unique_ptr<Replica>, 3> replicas_ = {
      std::make_unique<Replica>(0), std::make_unique<Replica>(1), std::make_unique<Replica>(2)};
  std::vector<std::pair<std::string, HybridTime>> records_;
};

TEST(Keyspace, ReplicasConvergeWhateverTheOrderOfChanges) {
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    Convergence run(seed);
    run.Run();
    run.ExpectSame(seed);
    if (HasFailure()) return;
  }
}

// The journal of a replica restores its keyspace.
TEST(Keyspace, ReplayRestoresAllKeys) {
  Replica replica(0);
  std::vector<std::string> records;
  Random random(4);
  for (int i = 0; i < 2000; ++i) {
    std::string key = "k" + std::to_string(random.Below(30));
    replica.Begin();
    Entry* entry = replica.keyspace->Find(key);
    ValueType type = entry == nullptr ? ValueType::kNone : TypeOf(*entry);
    uint64_t what = random.Below(6);
    int64_t result = 0;
    if (what == 0) replica.keyspace->SetText(key, std::to_string(i), {});
    if (what == 1) replica.keyspace->Erase(key);
    if (what == 2) (void)replica.keyspace->Add(key, 1, &result);
    if (what == 3 && type != ValueType::kSet && type != ValueType::kString) {
      Keyspace::Edit(*replica.keyspace, key).SetField("f" + std::to_string(i % 5), key);
    }
    if (what == 4 && type == ValueType::kHash) {
      Keyspace::Edit(*replica.keyspace, key).RemoveField("f" + std::to_string(i % 5));
    }
    if (what == 5 && entry != nullptr)
      replica.keyspace->SetExpiry(*entry, replica.AfterMs(1000000));
    records.push_back(replica.Take());
  }
  Replica again(0);
  for (const std::string& record : records) {
    if (!record.empty()) again.Hear(record, replica.clock.last());
  }
  auto visible = [](Replica& of) {
    std::map<std::string, std::string> text;
    of.keyspace->ForEach([&](const Entry& entry) {
      std::string value;
      if (TypeOf(entry) == ValueType::kString) value = of.keyspace->TextOf(entry);
      for (const auto& [name, field] : entry.State().fields)
        value += name + "=" + field.value + ",";
      text[std::string(entry.key())] = value + "@" + std::to_string(entry.expire_at_ms());
    });
    return text;
  };
  EXPECT_EQ(visible(replica), visible(again));
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
