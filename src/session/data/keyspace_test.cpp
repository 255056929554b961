#include "session/data/keyspace.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
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
#include "session/data/entry.hpp"
#include "session/data/keyspace_fixture.hpp"
#include "session/data/merge.hpp"
#include "session/data/snapshot_walk.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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

}  // namespace
}  // namespace meridian::session
