// What comes back at a start of what other data centers had written.
#include "session/replication/replication.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "session/data/change.hpp"
#include "session/data/keyspace.hpp"
#include "session/limits.hpp"
#include "session/replication/disk_journal.hpp"
#include "session/replication/log_record.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "store/log/log.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/store_fixture.hpp"

namespace meridian::session {
namespace {

using io::Task;
using io::sim::Machine;
using std::chrono::seconds;

constexpr uint64_t kOwnLog = 7;
constexpr uint64_t kTheirLog = 8;

std::string LogRecordOf(ChangeWriter& writer) {
  return std::string(1, static_cast<char>(LogRecordKind::kChange)) +
         std::string(AsText(writer.Take()));
}
std::string SetOf(std::string_view key, uint64_t time) {
  ChangeWriter writer;
  writer.Begin(key);
  writer.Deleted({{time}, 1});
  writer.Text("v", {{time}, 1});
  return LogRecordOf(writer);
}
std::string DeletionOf(std::string_view key, uint64_t time) {
  ChangeWriter writer;
  writer.Begin(key);
  writer.Deleted({{time}, 0});
  return LogRecordOf(writer);
}

class ReplicationTest : public store::StoreTest {
 protected:
  static Task<void> WriteLog(Machine& machine, std::string folder, uint64_t id,
                             std::vector<std::string> entries) {
    auto log = co_await store::Log::Open(
        machine.loop, machine.disk, {.folder = folder + "/log", .id = id, .headroom_bytes = 0});
    EXPECT_TRUE(log) << log.error().message;
    for (const std::string& entry : entries) {
      auto end = (*log)->Append({.body = AsBytes(entry), .time = {1000}});
      EXPECT_TRUE(end && co_await (*log)->Durable(*end));
    }
    co_await (*log)->Close();
  }

  static Task<std::unique_ptr<DiskJournal>> OpenJournal(Machine& machine, HybridClock& clock) {
    auto journal =
        co_await DiskJournal::Open(machine.loop, machine.disk, clock,
                                   {.folder = "session", .log_id = kOwnLog, .headroom_bytes = 0});
    CHECK(journal);
    co_return std::move(*journal);
  }

  // us-east's own log and its copies by folder; the keys after a start of a site with these.
  void Start(std::vector<std::string> data_centers) {
    Run([this, data_centers](Machine& machine) -> Task<void> {
      HybridClock clock(machine.loop.driver(), seconds{5});
      Keyspace keyspace({.seed = 7, .journaled = true}, clock);
      auto journal = co_await OpenJournal(machine, clock);
      auto replication = co_await Replication::Open(
          {machine.loop, machine.disk, clock, *journal, keyspace},
          {.site = "photos", .data_centers = data_centers, .folder = "session"});
      EXPECT_TRUE(replication) << replication.error().message;
      Result<void> replayed = co_await (*replication)->Replay();
      EXPECT_TRUE(replayed) << replayed.error().message;
      keys_.clear();
      keyspace.ForEach([&](const Entry& entry) { keys_ += std::string(entry.key()) + " "; });
      co_await (*replication)->Close();
      co_await journal->Close();
    });
  }
  void Write(std::string folder, uint64_t id, std::vector<std::string> entries) {
    Run([=](Machine& machine) -> Task<void> {
      EXPECT_TRUE(co_await machine.disk.MakeFolder("session"));
      EXPECT_TRUE(co_await machine.disk.MakeFolder(folder));
      co_await WriteLog(machine, folder, id, entries);
    });
  }
  // A snapshot of us-east that stands for so much of their log, whose content is in it.
  void Snapshot(uint64_t offset) {
    Run([offset](Machine& machine) -> Task<void> {
      auto snapshots = co_await store::Snapshots::Open(machine.disk, "session/snapshots");
      EXPECT_TRUE(snapshots);
      auto writer = co_await (*snapshots)->Begin({.log_id = kOwnLog});
      EXPECT_TRUE(writer);
      std::string metadata = EncodeSnapshotMetadata({.applied = {{kTheirLog, offset}}});
      EXPECT_TRUE(co_await (*writer)->Add(AsBytes(metadata)));
      EXPECT_TRUE(co_await (*writer)->Commit());
    });
  }

  // How long us-east waits for the others, which cannot be reached, with that limit.
  Duration Wait(Duration wanted = seconds{60},
                std::vector<std::string> data_centers = {"us-east", "us-west"}) {
    Duration waited{};
    Run([&waited, wanted, data_centers](Machine& machine) -> Task<void> {
      HybridClock clock(machine.loop.driver(), seconds{5});
      Keyspace keyspace({.seed = 7, .journaled = true}, clock);
      auto journal = co_await OpenJournal(machine, clock);
      auto replication =
          co_await Replication::Open({machine.loop, machine.disk, clock, *journal, keyspace},
                                     {.site = "photos",
                                      .data_centers = data_centers,
                                      .folder = "session",
                                      .dial = [](const std::string&) { return Unreachable; }});
      EXPECT_TRUE(replication) << replication.error().message;
      EXPECT_TRUE(co_await (*replication)->Replay());
      (*replication)->Start(nullptr);
      TimePoint start = machine.loop.Now();
      co_await (*replication)->AwaitContact([&] { return machine.loop.Now() >= start + wanted; });
      waited = machine.loop.Now() - start;
      co_await (*replication)->Close();
      co_await journal->Close();
    });
    return waited;
  }
  static Task<Result<std::unique_ptr<io::Stream>>> Unreachable(TimePoint /*deadline*/) {
    co_return Fail(Errc::kUnavailable, "it is cut off");
  }

  std::string keys_;
};

TEST_F(ReplicationTest, NewDiskWaitsOnceForTheOthersAsLongAsClocksMayDiffer) {
  Duration waited = Wait();
  EXPECT_GE(waited, kMaxPeerClockSkew);
  EXPECT_LT(waited, kMaxPeerClockSkew + seconds{1});
  EXPECT_LT(Wait(), seconds{1});
}

TEST_F(ReplicationTest, NewDiskDoesNotWaitWithCopiesOfAllOthers) {
  Write("session/from-us-west", kTheirLog, {SetOf("theirs", 1)});
  EXPECT_LT(Wait(), seconds{1});
}

// It went on from the part of a counter that one of them knew, and another knew more.
TEST_F(ReplicationTest, NewDiskWithOneCopyWaitsForTheOthers) {
  Write("session/from-us-west", kTheirLog, {SetOf("theirs", 1)});
  EXPECT_GE(Wait(seconds{60}, {"us-east", "us-west", "london"}), kMaxPeerClockSkew);
}

// It had written heartbeats by then, and did not wait when it was started again.
TEST_F(ReplicationTest, WaitThatIsStoppedEndsAtOnceAndIsRepeatedAtTheNextStart) {
  EXPECT_LT(Wait(seconds{2}), seconds{3});
  EXPECT_GE(Wait(), kMaxPeerClockSkew);
}

// Folders were looked for among files.
TEST_F(ReplicationTest, WritesOfARemovedDataCenterWereLost) {
  Write("session/from-us-west", kTheirLog, {SetOf("theirs", 1)});
  Start({"us-east", "us-west"});
  EXPECT_EQ(keys_, "theirs ");
  Start({"us-east"});
  EXPECT_EQ(keys_, "theirs ");
}

TEST_F(ReplicationTest, DeletedKeyCameBackFromTheCopyOfARemovedDataCenter) {
  Write("session", kOwnLog, {DeletionOf("deleted", 2)});
  Write("session/from-us-west", kTheirLog, {SetOf("deleted", 1), SetOf("kept", 1)});
  Start({"us-east"});
  EXPECT_EQ(keys_, "kept ");
}

// It was not found there, and what had come from the second life was lost.
TEST_F(ReplicationTest, CopyThatWasMovedIntoAnotherOneIsFound) {
  Write("session/from-us-west.lost", kTheirLog, {SetOf("first", 1)});
  Write("session/from-us-west.lost/from-us-west", kTheirLog + 1, {SetOf("second", 2)});
  Run([](Machine& machine) -> Task<void> {
    HybridClock clock(machine.loop.driver(), seconds{5});
    Keyspace keyspace({.seed = 7, .journaled = true}, clock);
    auto journal = co_await OpenJournal(machine, clock);
    auto replication = co_await Replication::Open(
        {machine.loop, machine.disk, clock, *journal, keyspace},
        {.site = "photos", .data_centers = {"us-east"}, .folder = "session"});
    EXPECT_FALSE(replication);
    EXPECT_EQ(
        replication.error().message,
        "session/from-us-west.lost has another copy in it, from-us-west: move that copy beside it");
    co_await journal->Close();
  });
}

// How far their old log was applied was taken for their new one's.
TEST_F(ReplicationTest, BeginningOfTheNewLogWasSkippedAfterADiskWasReplaced) {
  Write("session/from-us-west.lost", kTheirLog, {SetOf("in-snapshot", 1), SetOf("old", 2)});
  Write("session/from-us-west", kTheirLog + 1, {SetOf("new", 3)});
  Snapshot(1);
  Start({"us-east", "us-west"});
  EXPECT_TRUE(keys_ == "old new " || keys_ == "new old ") << keys_;
}

}  // namespace
}  // namespace meridian::session
