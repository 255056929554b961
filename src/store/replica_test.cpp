// A copy of another data center's log, applied: what comes back at a start, and what comes in while
// the source is followed.
#include "store/replica.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/hybrid_clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/scope.hpp"
#include "io/sim/world.hpp"
#include "io/wait_queue.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/store_fixture.hpp"

namespace meridian::store {
namespace {

constexpr uint64_t kLogId = 7;
const Endpoint kSourceAt{IpAddress::V4(10, 0, 0, 1), 26379};

// The bodies of all records, in order. "+" at the end of one: more of the same change follows. "!"
// begins one that is not accepted while `refuses` is set.
class Words final : public Applier {
 public:
  void BeginLoading() override { text = "["; }
  Result<void> LoadItem(Bytes item) override {
    text += AsText(item);
    return {};
  }
  void EndLoading() override {
    text += "] ";
    within_ = false;
  }
  Result<void> Apply(const Record& record) override {
    std::string_view word = AsText(record.body);
    if (refuses && word.starts_with("!")) return Fail(Errc::kInvalid, "a word begins with !");
    text += std::string(word) + " ";
    within_ = word.ends_with("+");
    return {};
  }
  bool at_boundary() const override { return !within_; }

  std::string text;
  bool refuses = true;

 private:
  bool within_ = false;
};

// --- A start -------------------------------------------------------------------------------------

class ReplicaTest : public StoreTest {
 protected:
  static Task<void> WriteCopy(Machine& machine, std::vector<std::string> words) {
    EXPECT_TRUE(co_await machine.disk.MakeFolder("copy"));
    auto log = co_await Log::Open(machine.loop, machine.disk,
                                  {.folder = "copy/log",
                                   .id = kLogId,
                                   .segment_bytes = kMinSegmentBytes,
                                   .headroom_bytes = 0});
    EXPECT_TRUE(log) << log.error().message;
    for (const std::string& word : words) {
      auto end = (*log)->Append({.body = AsBytes(word), .time = {1000}});
      EXPECT_TRUE(end && co_await (*log)->Durable(*end));
    }
    co_await (*log)->Close();
  }
  Task<Result<void>> Replay(Machine& machine, Replica::AppliedOffsets applied = {}) {
    auto replica = co_await Replica::Open(machine.loop, machine.disk,
                                          {.source = "us-west", .log = "words", .folder = "copy"});
    EXPECT_TRUE(replica) << replica.error().message;
    Result<void> replayed = co_await (*replica)->Replay(words_, applied);
    applied_ = (*replica)->applied();
    co_await (*replica)->Close();
    co_return replayed;
  }
  Result<void> ReplayOf(std::vector<std::string> words, Replica::AppliedOffsets applied = {}) {
    Result<void> replayed;
    Run([&](Machine& machine) -> Task<void> {
      co_await WriteCopy(machine, words);
      replayed = co_await Replay(machine, applied);
    });
    return replayed;
  }

  Words words_;
  uint64_t applied_ = 0;
};

TEST_F(ReplicaTest, CopyIsAppliedFromWhereItWas) {
  EXPECT_TRUE(ReplayOf({"a", "b", "c"}, {{kLogId, 1}}));
  EXPECT_EQ(words_.text, "b c ");
  EXPECT_EQ(applied_, 3U);
}

TEST_F(ReplicaTest, OffsetOfAnotherLogIsNotTakenForThisOne) {
  EXPECT_TRUE(ReplayOf({"a", "b", "c"}, {{kLogId + 1, 2}}));
  EXPECT_EQ(words_.text, "a b c ");
}

TEST_F(ReplicaTest, ChangeThatHasComeInPartIsAppliedAgainFromItsFirstRecord) {
  EXPECT_TRUE(ReplayOf({"whole", "begun+"}));
  EXPECT_EQ(words_.text, "whole begun+ ");
  EXPECT_EQ(applied_, 1U);
}

TEST_F(ReplicaTest, RecordThatIsNotAcceptedEndsTheReplay) {
  Result<void> replayed = ReplayOf({"a", "!", "b"});
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, Errc::kInvalid);
  EXPECT_EQ(words_.text, "a ");
  EXPECT_EQ(applied_, 1U);
}

TEST_F(ReplicaTest, MissingRecordsAreRefusedWithoutASnapshotOfThem) {
  Run([this](Machine& machine) -> Task<void> {
    co_await WriteCopy(machine, std::vector<std::string>(300, "word"));
    auto log =
        co_await Log::Open(machine.loop, machine.disk, {.folder = "copy/log", .headroom_bytes = 0});
    EXPECT_TRUE(log);
    (*log)->SetRetention({.released_before = 250});
    EXPECT_TRUE(co_await (*log)->ApplyRetention());
    uint64_t begin = (*log)->begin_offset();
    EXPECT_GT(begin, 0U);
    co_await (*log)->Close();
    Result<void> early = co_await Replay(machine, {{kLogId, begin - 1}});
    EXPECT_FALSE(early);
    if (!early) EXPECT_EQ(early.error().code, Errc::kIo);
    EXPECT_EQ(words_.text, "");
    EXPECT_TRUE(co_await Replay(machine, {{kLogId, begin}})) << "where it begins";
    EXPECT_EQ(applied_, 300U);
  });
}

// --- While the source is followed ----------------------------------------------------------------

class FollowingReplicaTest : public testing::Test {
 protected:
  Task<void> RunSource(Machine& machine) {
    HybridClock clock(machine.loop.driver(), kMaxClockSkew);
    auto log = co_await Log::Open(
        machine.loop, machine.disk,
        {.folder = "log", .id = log_id_, .segment_bytes = kMinSegmentBytes, .headroom_bytes = 0});
    auto snapshots = co_await Snapshots::Open(machine.disk, "snapshots");
    CHECK(log && snapshots);
    MirrorServer server(
        machine.loop,
        {.identity = {"photos", "us-west"}, .clock = clock, .find = [&](std::string_view name) {
           return MirroredLog{name == "words" ? log->get() : nullptr, snapshots->get()};
         }});
    source_ = log->get();
    source_snapshots_ = snapshots->get();
    if (before_serving_) co_await before_serving_();
    auto listener = machine.network.Listen(kSourceAt, {});
    CHECK(listener);
    io::Scope scope(machine.loop);
    for (;;) {
      auto stream = co_await (*listener)->Accept();
      if (!stream) break;
      scope.Spawn(server.Serve(std::move(*stream), [](std::string_view) { return true; }));
    }
    scope.Cancel();
    co_await scope.Join();
    source_ = nullptr;
    co_await (*log)->Close();
  }

  Task<void> RunReplica(Machine& machine) {
    HybridClock clock(machine.loop.driver(), kMaxClockSkew);
    auto replica = co_await Replica::Open(machine.loop, machine.disk,
                                          {.source = "us-west",
                                           .log = "words",
                                           .folder = "copy",
                                           .segment_bytes = kMinSegmentBytes,
                                           .headroom_bytes = 0});
    CHECK(replica);
    CHECK(co_await (*replica)->Replay(words_, applied_offsets_));
    (*replica)->Start(
        {.identity = {"photos", "us-east"}, .source = {}, .log = {}, .clock = clock},
        [&machine](TimePoint deadline) {
          return machine.network.Connect(kSourceAt, {.deadline = deadline});
        },
        words_);
    replica_ = replica->get();
    io::Scope scope(machine.loop);
    scope.Spawn(UntilTheEnd());
    calls_ = &scope;
    co_await scope.Join();
    replica_ = nullptr;
    calls_ = nullptr;
    co_await (*replica)->Close();
  }
  static Task<void> UntilTheEnd() {
    while (co_await io::Sleep(seconds{3600})) {
    }
  }

  void Start() {
    source_process_ = &world_.AddProcess({.name = "source", .address = kSourceAt.address},
                                         [this](Machine& machine) { return RunSource(machine); });
    replica_process_ =
        &world_.AddProcess({.name = "replica", .address = IpAddress::V4(10, 0, 0, 2)},
                           [this](Machine& machine) { return RunReplica(machine); });
    world_.RunFor(seconds{2});
  }
  void Append(std::string_view word) {
    EXPECT_TRUE(source_->Append({.body = AsBytes(word), .time = {1000}}));
    world_.RunFor(seconds{2});
  }
  // The source has `count` records, keeps few of them, and a snapshot of the others.
  Task<void> Compact(int count) {
    for (int i = 0; i < count; ++i) {
      CHECK(source_->Append({.body = AsBytes("word"), .time = {1000}}));
      if (i % 10 == 9) CHECK(co_await source_->Durable(source_->end_offset()));
    }
    uint64_t end = source_->durable_end_offset();
    auto writer = co_await source_snapshots_->Begin({.log_id = kLogId, .end_offset = end});
    CHECK(writer && co_await (*writer)->Add(AsBytes("all")) && co_await (*writer)->Commit());
    source_->SetRetention({.released_before = end});
    CHECK(co_await source_->ApplyRetention());
  }
  void TearDown() override { world_.End(); }

  // The source loses its disk, and begins another log.
  void ReplaceSource() {
    source_process_->Crash(CrashKind::kMachine);
    source_process_->disk().Replace();
    log_id_ = kLogId + 1;
    source_process_->Restart();
    world_.RunFor(seconds{10});
  }
  Result<void> RemoveCopy() {
    Result<void> removed = Fail(Errc::kTimeout, "it has not ended");
    auto remove = [&]() -> Task<void> {
      co_await replica_->Pause();
      removed = co_await replica_->RemoveCopy();
      replica_->Resume();
    };
    calls_->Spawn(remove());
    world_.RunFor(seconds{10});
    return removed;
  }

  uint64_t log_id_ = kLogId;
  io::Scope* calls_ = nullptr;  // of the replica's process
  Replica::AppliedOffsets applied_offsets_;
  Words words_;
  std::function<Task<void>()> before_serving_;
  Log* source_ = nullptr;
  Snapshots* source_snapshots_ = nullptr;
  Replica* replica_ = nullptr;
  io::sim::World world_{1};
  io::sim::SimProcess* source_process_ = nullptr;
  io::sim::SimProcess* replica_process_ = nullptr;
};

TEST_F(FollowingReplicaTest, RecordsAreAppliedAsTheyCome) {
  Start();
  EXPECT_EQ(replica_->log_id(), kLogId) << "the copy takes the id of the log that it follows";
  Append("a");
  EXPECT_EQ(words_.text, "a ");
  Append("b");
  EXPECT_EQ(words_.text, "a b ");
  EXPECT_EQ(replica_->applied(), 2U);
  EXPECT_TRUE(replica_->mirror()->connected());
}

TEST_F(FollowingReplicaTest, RestartAppliesTheCopyAgainAndGoesOn) {
  Start();
  Append("a");
  replica_process_->Crash(CrashKind::kProcess);
  words_ = {};
  Append("b");
  replica_process_->Restart();
  world_.RunFor(seconds{5});
  EXPECT_EQ(words_.text, "a b ");
}

TEST_F(FollowingReplicaTest, RecordThatIsNotAcceptedIsTriedAgainAndTheOthersWaitBehindIt) {
  Start();
  Append("a");
  Append("!");
  Append("b");
  EXPECT_EQ(words_.text, "a ");
  EXPECT_EQ(replica_->applied(), 1U);
  EXPECT_EQ(replica_->mirror()->lag_records(), 0U) << "the copy goes on";
  words_.refuses = false;
  world_.RunFor(2 * kApplyRetry);
  EXPECT_EQ(words_.text, "a ! b ");
}

TEST_F(FollowingReplicaTest, SnapshotIsLoadedWhereTheSourceNoLongerHasTheRecords) {
  Start();
  Append("a");
  source_process_->Crash(CrashKind::kProcess);
  before_serving_ = [this] { return Compact(300); };
  source_process_->Restart();
  world_.RunFor(seconds{10});
  EXPECT_EQ(words_.text, "[all] ");
  EXPECT_EQ(replica_->applied(), 301U);
  Append("b");
  EXPECT_EQ(words_.text, "[all] b ");
}

TEST_F(FollowingReplicaTest, AnotherLogIsFollowedOnceTheCopyOfTheOldOneIsRemoved) {
  before_serving_ = [this] { return Compact(300); };
  Start();
  Append("old");
  EXPECT_EQ(words_.text, "[all] old ");
  before_serving_ = {};
  ReplaceSource();
  Append("new");
  EXPECT_EQ(words_.text, "[all] old ") << "it is refused";
  Result<void> removed = RemoveCopy();
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(replica_->log_id(), kLogId + 1);
  EXPECT_EQ(words_.text, "[all] old new ");
  EXPECT_EQ(replica_->applied(), 1U);
  Append("next");
  replica_process_->Crash(CrashKind::kMachine);
  words_ = {};
  replica_process_->Restart();
  world_.RunFor(seconds{5});
  EXPECT_EQ(words_.text, "new next ") << "nothing of the old log is left";
}

TEST_F(FollowingReplicaTest, CrashWhileTheCopyIsRemovedLeavesTheEndOfTheOldLogOrNothing) {
  Start();
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(source_->Append({.body = AsBytes("word")}));
  world_.RunFor(seconds{2});
  auto remove = [this]() -> Task<void> {
    co_await replica_->Pause();
    (void)co_await replica_->RemoveCopy();
    replica_->Resume();
  };
  for (int crash_after = 0; crash_after < 12; ++crash_after) {
    applied_offsets_ = {{kLogId, replica_->applied()}};
    calls_->Spawn(remove());
    world_.RunFor(std::chrono::microseconds{200} * crash_after);
    replica_process_->Crash(CrashKind::kMachine);
    replica_process_->disk().LoseUnsynced();
    replica_process_->Restart();
    world_.RunFor(seconds{10});
    ASSERT_NE(replica_, nullptr) << "crashed after step " << crash_after;
    EXPECT_EQ(replica_->applied(), 300U);
    EXPECT_TRUE(replica_->mirror()->connected());
  }
}

}  // namespace
}  // namespace meridian::store
