#include "store/log/log.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/file/forwarding_disk.hpp"
#include "store/store_fixture.hpp"

namespace meridian::store {
namespace {

class LogTest : public StoreTest {};

TEST_F(LogTest, RecordsAreReadInOrderAcrossSegmentsAndLives) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_EQ(log.id(), 7U);
    EXPECT_EQ(log.end_offset(), 0U);
    co_await AppendMany(log, 300);
    EXPECT_EQ(co_await Bodies(log), Numbers(0, 300));
    EXPECT_EQ(co_await Bodies(log, 137), Numbers(137, 300));
    EXPECT_EQ(co_await Bodies(log, 300), "");
  });
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_GT(log.recovery().segments, 2U);
    EXPECT_EQ(log.recovery().records, 300U);
    EXPECT_EQ(log.recovery().cut_bytes, 0U);
    co_await AppendMany(log, 10);
    EXPECT_EQ(co_await Bodies(log, 250), Numbers(250, 310));
    EXPECT_EQ(log.durable_time().bits, 1309U);
  });
}

TEST_F(LogTest, RecordIsNotReadBeforeItIsDurable) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_TRUE(log.Append({.body = AsBytes("0")}));
    EXPECT_EQ(log.end_offset(), 1U);
    EXPECT_EQ(log.durable_end_offset(), 0U);
    EXPECT_EQ(co_await Bodies(log), "");
    EXPECT_TRUE(co_await log.Durable(1));
    EXPECT_EQ(co_await Bodies(log), "0 ");
  });
}

TEST_F(LogTest, FiveHundredWaitingFibersCostOneWriteAndOneSync) {
  DiskCounts counts;
  Run([&](Machine& machine) -> Task<void> {
    CountingDisk disk(machine.disk, counts);
    auto log = co_await Log::Open(machine.loop, disk, Small());
    EXPECT_TRUE(log);
    counts = {};
    io::Scope writers(machine.loop);
    size_t durable = 0;
    auto write = [&]() -> Task<void> {
      auto end = (*log)->Append({.body = AsBytes("body")});
      if (end && co_await (*log)->Durable(*end)) ++durable;
    };
    for (int i = 0; i < 500; ++i) writers.Spawn(write());
    co_await writers.Join();
    EXPECT_EQ(durable, 500U);
    EXPECT_EQ(counts.writes, 1U);
    EXPECT_EQ(counts.syncs, 1U);
    co_await (*log)->Close();
  });
}

TEST_F(LogTest, AppendsOfReadyFibersJoinTheGroup) {
  DiskCounts counts;
  Run([&](Machine& machine) -> Task<void> {
    CountingDisk disk(machine.disk, counts);
    auto log = co_await Log::Open(machine.loop, disk, Small());
    EXPECT_TRUE(log);
    counts = {};
    io::Scope writers(machine.loop);
    auto write = [&](int waits) -> Task<void> {
      for (int i = 0; i < waits; ++i) co_await io::AfterOthers{};
      auto end = (*log)->Append({.body = AsBytes("body")});
      EXPECT_TRUE(end && co_await (*log)->Durable(*end));
    };
    writers.Spawn(write(0));
    writers.Spawn(write(2));  // in the next loop iteration
    co_await writers.Join();
    EXPECT_EQ(counts.writes, 1U);
    co_await (*log)->Close();
  });
}

TEST_F(LogTest, CloseMakesDurableWhatWasAppended) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_TRUE(log.Append({.body = AsBytes("0")}));
    co_return;
  });
  process_->Crash(CrashKind::kMachine);
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> { EXPECT_EQ(co_await Bodies(log), "0 "); });
}

TEST_F(LogTest, ClosedLogRefusesAppendsAndEndsWaits) {
  RunLog(Small(), [](Log& log, Machine& machine) -> Task<void> {
    io::Scope scope(machine.loop);
    std::optional<Errc> ended;
    auto wait = [&]() -> Task<void> { ended = (co_await log.Durable(100)).error().code; };
    scope.Spawn(wait());
    (void)co_await io::Sleep(milliseconds{1});
    co_await log.Close();
    co_await scope.Join();
    EXPECT_EQ(ended, Errc::kClosed);
    EXPECT_EQ(log.Append({.body = AsBytes("0")}).error().code, Errc::kClosed);
  });
}

TEST_F(LogTest, ClosingOnAFullDiskEndsWaits) {
  RunLog(Small(), [this](Log& log, Machine& machine) -> Task<void> {
    disk().faults.capacity_bytes = disk().used_bytes() + 10;
    EXPECT_TRUE(log.Append({.body = AsBytes("0")}));
    io::Scope scope(machine.loop);
    std::optional<Errc> ended;
    auto wait = [&]() -> Task<void> { ended = (co_await log.Durable(1)).error().code; };
    scope.Spawn(wait());
    co_await log.Close();
    co_await scope.Join();
    EXPECT_EQ(ended, Errc::kClosed);
  });
}

TEST_F(LogTest, LargestRecordIsTakenAndOneByteMoreIsRefused) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    std::string body(kMaxRecordBytes + 1, 'x');
    EXPECT_EQ(log.Append({.body = AsBytes(body)}).error().code, Errc::kTooLarge);
    EXPECT_TRUE(log.Append({.body = AsBytes(body).first(kMaxRecordBytes), .span = kMaxRecordSpan}));
    EXPECT_EQ(log.Append({.span = kMaxRecordSpan + 1}).error().code, Errc::kTooLarge);
    EXPECT_EQ(log.Append({.span = 0}).error().code, Errc::kTooLarge);
    EXPECT_TRUE(co_await log.Durable(kMaxRecordSpan));
    auto batch = co_await log.Read(500, 1);
    EXPECT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(batch->encoded().size(), kMaxRecordBytes + kRecordHeaderBytes) << "at least one";
    EXPECT_EQ(batch->end_offset(), kMaxRecordSpan);
  });
}

TEST_F(LogTest, MoreThanMayWaitForTheDiskIsRefused) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    std::string body(kMaxPendingBytes / 4 - kRecordHeaderBytes, 'x');
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(log.Append({.body = AsBytes(body)}));
    EXPECT_EQ(log.Append({}).error().code, Errc::kUnavailable);
    EXPECT_TRUE(co_await log.Durable(4));
    EXPECT_TRUE(log.Append({}));
  });
}

TEST_F(LogTest, FullDiskRefusesWritesAndKeepsReadingUntilThereIsRoom) {
  RunLog(Small(), [this](Log& log, Machine&) -> Task<void> {
    co_await AppendMany(log, 10);
    disk().faults.capacity_bytes = disk().used_bytes() + 10;
    EXPECT_TRUE(log.Append({.body = AsBytes("10")}));
    EXPECT_EQ((co_await log.Durable(11)).error().code, Errc::kUnavailable);
    EXPECT_EQ(log.Append({}).error().code, Errc::kUnavailable);
    EXPECT_EQ(co_await Bodies(log), Numbers(0, 10));
    disk().faults.capacity_bytes = UINT64_MAX;
    (void)co_await io::Sleep(seconds{1});
    EXPECT_TRUE(co_await log.Durable(11));
    co_await AppendMany(log, 1);
    EXPECT_EQ(co_await Bodies(log), Numbers(0, 12));
  });
}

TEST_F(LogTest, HeadroomIsKept) {
  LogOptions options = Small();
  options.headroom_bytes = 1000;
  RunLog(options, [this](Log& log, Machine&) -> Task<void> {
    disk().faults.capacity_bytes = disk().used_bytes() + 1000;
    (void)co_await io::Sleep(2 * kUpkeepInterval);
    EXPECT_TRUE(log.Writable()) << "just enough";
    disk().faults.capacity_bytes -= 1;
    (void)co_await io::Sleep(2 * kUpkeepInterval);
    EXPECT_EQ(log.Append({}).error().code, Errc::kUnavailable);
    disk().faults.capacity_bytes += 1;
    (void)co_await io::Sleep(2 * kUpkeepInterval);
    EXPECT_TRUE(log.Writable());
  });
}

// The first removal takes longer than all others.
class SlowRemovals final : public io::ForwardingDisk {
 public:
  SlowRemovals(io::Disk& disk, std::vector<std::string>& removed)
      : ForwardingDisk(disk), removed_(removed) {}
  Task<Result<void>> Remove(std::string path) override {
    if (begun_++ == 0) (void)co_await io::Sleep(milliseconds{50});
    auto removed = co_await ForwardingDisk::Remove(path);
    removed_.push_back(path);
    co_return removed;
  }

 private:
  int begun_ = 0;
  std::vector<std::string>& removed_;
};

// Two calls removed a segment each at once; a crash in between left a gap, which is damage.
TEST_F(LogTest, SegmentsAreRemovedInOrderByCallsThatRunAtOnce) {
  std::vector<std::string> removed;
  Run([&](Machine& machine) -> Task<void> {
    SlowRemovals disk(machine.disk, removed);
    auto log = co_await Log::Open(machine.loop, disk, Small());
    co_await AppendMany(**log, 1000);
    (*log)->SetRetention({.released_before = 900});
    auto apply = [&]() -> Task<void> { EXPECT_TRUE(co_await (*log)->ApplyRetention()); };
    io::Scope scope(machine.loop);
    scope.Spawn(apply());
    scope.Spawn(apply());
    co_await scope.Join();
    co_await (*log)->Close();
  });
  EXPECT_GT(removed.size(), 2U);
  EXPECT_TRUE(std::ranges::is_sorted(removed));
}

// The free space was read once a second, and appends in between used up the headroom.
TEST_F(LogTest, AppendsBetweenTwoReadingsOfTheFreeSpaceLeaveTheHeadroom) {
  LogOptions options = Small();
  options.headroom_bytes = 100'000;
  RunLog(options, [this](Log& log, Machine&) -> Task<void> {
    disk().faults.capacity_bytes = disk().used_bytes() + 200'000;
    (void)co_await io::Sleep(2 * kUpkeepInterval);
    std::string body(1000, 'x');
    uint64_t end = 0;
    for (int i = 0; i < 300; ++i) {
      auto appended = log.Append({.body = AsBytes(body)});
      if (!appended) {
        EXPECT_EQ(appended.error().code, Errc::kUnavailable);
        break;
      }
      end = *appended;
      EXPECT_TRUE(co_await log.Durable(end));
    }
    EXPECT_GT(end, 90U);
    uint64_t free = disk().faults.capacity_bytes - disk().used_bytes();
    EXPECT_GE(free, 100'000 - 2 * body.size()) << "the last record may reach into it";
    disk().faults.capacity_bytes = UINT64_MAX;
    (void)co_await io::Sleep(2 * kUpkeepInterval);
    EXPECT_TRUE(log.Writable());
  });
}

TEST_F(LogTest, FailedSyncEndsTheProcess) {
  std::optional<Error> failure;
  LogOptions options = Small();
  options.on_disk_failure = [&](const Error& error) { failure = error; };
  RunLog(options, [&](Log& log, Machine&) -> Task<void> {
    co_await AppendMany(log, 3);
    disk().faults.sync_failures = 1;
    EXPECT_TRUE(log.Append({.body = AsBytes("3")}));
    EXPECT_EQ((co_await log.Durable(4)).error().code, Errc::kIo);
    EXPECT_TRUE(failure);
    EXPECT_EQ(log.Append({}).error().code, Errc::kIo);
    disk().faults.sync_failures = 0;
    EXPECT_EQ((co_await log.Durable(4)).error().code, Errc::kIo) << "it is never tried again";
  });
}

TEST_F(LogTest, OffsetOfATimeIsFoundAcrossSegments) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    co_await AppendMany(log, 300);
    for (uint64_t offset : {0U, 1U, 99U, 150U, 299U}) {
      EXPECT_EQ(co_await log.OffsetAt({1000 + offset}), offset);
    }
    EXPECT_EQ(co_await log.OffsetAt({}), 0U);
    EXPECT_EQ(co_await log.OffsetAt({1300}), 300U);
  });
}

TEST_F(LogTest, RetentionRemovesTheOldestSegmentsAndReadsOfThemFail) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    co_await AppendMany(log, 300);
    log.SetRetention({.released_before = 150});
    EXPECT_TRUE(co_await log.ApplyRetention());
    EXPECT_GT(log.begin_offset(), 0U);
    EXPECT_LE(log.begin_offset(), 150U);
    EXPECT_EQ((co_await log.Read(0, 1)).error().code, Errc::kNotFound);
    EXPECT_EQ(co_await Bodies(log, 150), Numbers(150, 300));
  });
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_GT(log.begin_offset(), 0U);
    EXPECT_TRUE(log.recovery().damaged.empty());
    EXPECT_EQ(co_await Bodies(log, 150), Numbers(150, 300));
  });
}

TEST_F(LogTest, RetentionAppliedTwiceAtOnceRemovesNoRecordThatIsNeeded) {
  RunLog(Small(), [](Log& log, Machine& machine) -> Task<void> {
    co_await AppendMany(log, 1500);
    log.SetRetention({.released_before = 1000});
    io::Scope fibers(machine.loop);
    auto apply = [&]() -> Task<void> { EXPECT_TRUE(co_await log.ApplyRetention()); };
    fibers.Spawn(apply());
    fibers.Spawn(apply());
    co_await fibers.Join();
    EXPECT_GT(log.begin_offset(), 0U);
    EXPECT_LE(log.begin_offset(), 1000U);
    EXPECT_EQ(co_await Bodies(log, 1000), Numbers(1000, 1500));
  });
}

TEST_F(LogTest, EpochIsWrittenWithEachRecordAndOutlivesARestart) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    log.RaiseEpoch(3);
    co_await AppendMany(log, 1);
    EXPECT_EQ((co_await log.Read(0, 1))->epoch(), 3U);
  });
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_EQ(log.epoch(), 3U);
    EXPECT_EQ(log.newest_epoch(), 3U);
    co_return;
  });
}

TEST_F(LogTest, CopyTakesOnlyTheRecordThatComesNextAndNoOlderEpoch) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_TRUE(log.AppendCopy({.offset = 0, .time = {5}, .epoch = 2, .span = 3}));
    EXPECT_EQ(log.AppendCopy({.offset = 4, .epoch = 2}).error().code, Errc::kInvalid);
    EXPECT_EQ(log.AppendCopy({.offset = 0, .epoch = 2}).error().code, Errc::kInvalid);
    EXPECT_EQ(log.AppendCopy({.offset = 3, .epoch = 1}).error().code, Errc::kInvalid);
    EXPECT_TRUE(log.AppendCopy({.offset = 3, .epoch = 2}));
    EXPECT_TRUE(co_await log.Durable(4));
    EXPECT_EQ((co_await log.Read(0, 1000))->records(), 2U);
  });
}

TEST_F(LogTest, LogThatStartsOverGoesOnBehindTheSnapshotAlsoAfterARestart) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    co_await AppendMany(log, 300);
    EXPECT_EQ((co_await log.StartOver(299, 8)).error().code, Errc::kInvalid);
    EXPECT_TRUE(co_await log.StartOver(1000, 8));
    EXPECT_EQ(log.begin_offset(), 1000U);
    co_await AppendMany(log, 3);
  });
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_EQ(log.id(), 8U);
    EXPECT_EQ(co_await Bodies(log, 1000), Numbers(1000, 1003));
    EXPECT_TRUE(log.recovery().damaged.empty());
  });
}

TEST_F(LogTest, StartingOverWaitsForWritesInsteadOfAborting) {
  RunLog(Small(), [this](Log& log, Machine&) -> Task<void> {
    EXPECT_TRUE(log.Append({.body = AsBytes("0")}));
    EXPECT_TRUE(co_await log.StartOver(10, 8));
    disk().faults.capacity_bytes = disk().used_bytes() + 10;
    EXPECT_TRUE(log.Append({.body = AsBytes("10")}));
    EXPECT_EQ((co_await log.StartOver(20, 8)).error().code, Errc::kUnavailable);
    disk().faults.capacity_bytes = UINT64_MAX;
    (void)co_await io::Sleep(2 * kFullDiskRetry);
    EXPECT_TRUE(co_await log.Durable(11));
    EXPECT_EQ(co_await Bodies(log, 10), "10 ");
  });
}

TEST_F(LogTest, EmptyLogTakesAnotherIdentity) {
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_TRUE(co_await log.StartOver(0, 9));
    EXPECT_EQ(log.id(), 9U);
    co_await AppendMany(log, 3);
  });
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_EQ(log.id(), 9U);
    EXPECT_EQ(co_await Bodies(log), Numbers(0, 3));
  });
}

}  // namespace
}  // namespace meridian::store
