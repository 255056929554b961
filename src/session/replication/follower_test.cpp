// A copy of another data center's log, applied: what comes back, and what is refused.
#include "session/replication/follower.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "io/sim/world.hpp"
#include "io/wait_queue.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/record.hpp"
#include "session/replication/log_entry.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/store_fixture.hpp"

namespace meridian::session {
namespace {

using io::Task;
using io::sim::Machine;
using std::chrono::seconds;

constexpr HybridTime kEarly{1000};

std::string EntryOf(EntryKind kind, std::string_view body) {
  return std::string(1, static_cast<char>(kind)) + std::string(body);
}
std::string RecordOf(std::string_view key) {
  RecordWriter writer;
  writer.Begin(key);
  writer.Cleared({kEarly, 1});
  writer.Text("v", {kEarly, 1});
  return std::string(AsText(writer.Take()));
}

class FollowerTest : public store::StoreTest {
 protected:
  // The copy has these entries; what applying it from `applied` on gives.
  Result<void> Replay(std::vector<std::string> entries, uint64_t applied = 0) {
    Result<void> replayed;
    Run([&](Machine& machine) -> Task<void> {
      EXPECT_TRUE(co_await machine.disk.MakeFolder("copy"));
      auto log = co_await store::Log::Open(machine.loop, machine.disk,
                                           {.folder = "copy/log", .id = 7, .headroom_bytes = 0});
      EXPECT_TRUE(log) << log.error().message;
      for (const std::string& entry : entries) {
        auto offset = (*log)->Append({.body = AsBytes(entry), .time = kEarly});
        EXPECT_TRUE(offset && co_await (*log)->Durable(*offset));
      }
      co_await (*log)->Close();
      replayed = co_await Follow(machine, applied);
    });
    return replayed;
  }

  Task<Result<void>> Follow(Machine& machine, uint64_t applied) {
    HybridClock clock(machine.loop.driver(), seconds{5});
    Keyspace keyspace({.seed = 7}, clock);
    auto follower = co_await Follower::Open(machine.loop, machine.disk,
                                            {.source = "us-west", .folder = "copy"});
    EXPECT_TRUE(follower) << follower.error().message;
    auto on_beat = [this](Bytes beat) { beats_ += std::string(AsText(beat)) + " "; };
    Result<void> replayed = co_await (*follower)->Replay(keyspace, applied, on_beat);
    keyspace.ForEach([&](const Entry& entry) { keys_ += std::string(entry.key()) + " "; });
    applied_ = (*follower)->applied();
    co_await (*follower)->Close();
    co_return replayed;
  }

  std::string keys_;
  std::string beats_;
  uint64_t applied_ = 0;
};

TEST_F(FollowerTest, CopyIsAppliedFromWhereItWas) {
  EXPECT_TRUE(
      Replay({EntryOf(EntryKind::kRecord, RecordOf("before")),
              EntryOf(EntryKind::kRecord, RecordOf("after")), EntryOf(EntryKind::kBeat, "beat")},
             1));
  EXPECT_EQ(keys_, "after ");
  EXPECT_EQ(beats_, "beat ");
  EXPECT_EQ(applied_, 3);
}

TEST_F(FollowerTest, RecordThatHasBegunIsNotAppliedYet) {
  EXPECT_TRUE(Replay(
      {EntryOf(EntryKind::kRecord, RecordOf("whole")), EntryOf(EntryKind::kMoreParts, "begun")}));
  EXPECT_EQ(keys_, "whole ");
  EXPECT_EQ(applied_, 1) << "it begins again there";
}

TEST_F(FollowerTest, AbandonedRecordIsPassed) {
  EXPECT_TRUE(Replay({EntryOf(EntryKind::kMoreParts, "begun"), EntryOf(EntryKind::kAbandoned, ""),
                      EntryOf(EntryKind::kRecord, RecordOf("k"))}));
  EXPECT_EQ(keys_, "k ");
  EXPECT_EQ(applied_, 3);
}

TEST_F(FollowerTest, CopyThatBeginsLaterThanWhatWasAppliedIsRefusedWithoutASnapshot) {
  Run([this](Machine& machine) -> Task<void> {
    EXPECT_TRUE(co_await machine.disk.MakeFolder("copy"));
    auto log = co_await store::Log::Open(machine.loop, machine.disk,
                                         {.folder = "copy/log",
                                          .id = 7,
                                          .segment_bytes = store::kMinSegmentBytes,
                                          .headroom_bytes = 0});
    EXPECT_TRUE(log) << log.error().message;
    for (int i = 0; i < 200; ++i) {
      std::string entry = EntryOf(EntryKind::kRecord, RecordOf("k" + std::to_string(i)));
      auto offset = (*log)->Append({.body = AsBytes(entry), .time = kEarly});
      EXPECT_TRUE(offset && co_await (*log)->Durable(*offset));
    }
    (*log)->SetRetention({.released_before = 150});
    while ((*log)->begin_offset() == 0 && co_await io::Sleep(store::kUpkeepInterval)) {
    }
    uint64_t begin = (*log)->begin_offset();
    co_await (*log)->Close();
    Result<void> early = co_await Follow(machine, begin - 1);
    EXPECT_FALSE(early);
    if (!early) EXPECT_EQ(early.error().code, Errc::kIo);
    EXPECT_EQ(keys_, "");
    EXPECT_TRUE(co_await Follow(machine, begin)) << "where it begins";
    EXPECT_EQ(applied_, 200);
  });
}

// One that is wrong, between two that are not: all behind it waits, and nothing looks whole.
class WrongEntry : public FollowerTest, public testing::WithParamInterface<std::string> {};

TEST_P(WrongEntry, IsRefusedWhereItStands) {
  Result<void> replayed = Replay({EntryOf(EntryKind::kRecord, RecordOf("before")), GetParam(),
                                  EntryOf(EntryKind::kRecord, RecordOf("behind"))});
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, Errc::kInvalid);
  EXPECT_EQ(keys_, "before ");
  EXPECT_EQ(applied_, 1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, WrongEntry,
                         testing::Values("\x09 unknown", "",
                                         EntryOf(EntryKind::kRecord, "\xff\xff\xff")));

}  // namespace
}  // namespace meridian::session
