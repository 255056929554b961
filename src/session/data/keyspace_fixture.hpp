// For tests: keyspaces of several data centers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/merge.hpp"

namespace meridian::session {

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

inline std::map<std::string, KeyState> StatesOf(const Keyspace& keyspace) {
  std::map<std::string, KeyState> states;
  keyspace.ForEach([&](const Entry& entry) { states[std::string(entry.key())] = entry.State(); });
  return states;
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

inline void SweepAll(Replica& replica) {
  replica.Advance(std::chrono::seconds{3});
  while (!replica.keyspace->Sweep()) {
  }
}

}  // namespace meridian::session
