#include "queue/partition/partition_log.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "queue/partition/partition_fixture.hpp"

namespace meridian::queue {
namespace {

class PartitionLogTest : public PartitionTest {
 protected:
  static ReadRequest From(int64_t offset) {
    return {.offset = offset, .max_bytes = 1 << 20, .limit_offset = INT64_MAX};
  }
  Task<std::vector<std::string>> Files(SegmentFiles& files) {
    auto names = co_await files.disk().List(options_.folder);
    co_return names ? *names : std::vector<std::string>{};
  }
};

TEST_F(PartitionLogTest, BatchesAreReadInOrderOverSegments) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 60);
    EXPECT_GT(log.segments().size(), 2U);
    for (size_t max_bytes : {1U, 150U, 400U, 1U << 20}) {
      EXPECT_EQ(co_await AllOffsets(log, 0, max_bytes), Evens(0, 60));
    }
    std::vector<std::string> names = co_await Files(files);
    EXPECT_EQ(names.front(), "00000000000000000000.log");
    EXPECT_EQ(names.size(), log.segments().size());
  });
}

TEST_F(PartitionLogTest, SegmentFilesHoldTheBatchesAndNothingElse) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 60);
    for (const SegmentPosition& segment : log.segments()) {
      auto range = co_await log.Read(From(segment.base_offset));
      EXPECT_EQ(range->position, 0U);
      EXPECT_EQ(range->bytes, segment.bytes);
      EXPECT_EQ(range->next_offset, segment.end_offset);
      EXPECT_EQ((co_await range->file->Size()).value(), segment.bytes);
      EXPECT_LE(segment.bytes, options_.segment_bytes);
    }
  });
}

TEST_F(PartitionLogTest, ReadBeginsWithTheBatchThatHasTheOffset) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 8);
    EXPECT_EQ(co_await Offsets(log, From(3)), "2 4 6");
    EXPECT_EQ((co_await log.Read(From(3)))->begin_offset, 2);
    EXPECT_EQ(co_await Offsets(log, {.offset = 5, .max_bytes = 1, .limit_offset = 8}), "4");
  });
}

TEST_F(PartitionLogTest, NothingAtOrBeyondTheLimitIsRead) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 8);
    for (size_t max_bytes : {1U << 10, 1U << 20}) {
      ReadRequest request = {.offset = 0, .max_bytes = max_bytes, .limit_offset = 6};
      EXPECT_EQ(co_await Offsets(log, request), "0 2 4");
      request.limit_offset = 5;  // within a batch
      EXPECT_EQ(co_await Offsets(log, request), "0 2");
      request.limit_offset = 1;
      EXPECT_EQ(co_await Offsets(log, request), "");
      request.offset = 4;
      EXPECT_EQ(co_await Offsets(log, request), "");
    }
  });
}

TEST_F(PartitionLogTest, OffsetsOutsideTheLogAreNotFound) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_EQ(co_await Offsets(log, From(0)), "");
    EXPECT_EQ(co_await Offsets(log, From(1)), "not found");
    co_await AppendUpTo(log, files, 8);
    EXPECT_EQ(co_await Offsets(log, From(8)), "");
    EXPECT_EQ(co_await Offsets(log, From(9)), "not found");
    EXPECT_TRUE(co_await log.DropBefore(4));
    EXPECT_EQ(co_await Offsets(log, From(3)), "not found");
    EXPECT_EQ(co_await Offsets(log, From(4)), "4 6");
  });
}

TEST_F(PartitionLogTest, OnlyWhatWasFinishedIsRead) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 4);
    std::vector<uint8_t> abandoned = MakeBatch({.offset = 4, .records = 5});
    std::vector<io::FileWrite> writes;
    EXPECT_TRUE(co_await log.Prepare(std::vector{Bytes(abandoned)}, writes));
    EXPECT_EQ(writes.size(), 1U);
    EXPECT_TRUE(co_await files.disk().WriteFiles(writes));
    EXPECT_EQ(co_await Offsets(log, From(0)), "0 2");
    log.Abandon();
    co_await AppendUpTo(log, files, 8);
    EXPECT_EQ(co_await Offsets(log, From(0)), "0 2 4 6");
  });
}

TEST_F(PartitionLogTest, BatchesThatCannotFollowAreRefused) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 4);
    std::vector<TestBatch> late = {{.offset = 4}, {.offset = 4}};
    EXPECT_EQ((co_await Append(log, files, late)).error().code, Errc::kInvalid);
    std::vector<uint8_t> batch = MakeBatch({.offset = 4});
    std::vector<io::FileWrite> writes;
    for (Bytes wrong : {Bytes(batch).first(batch.size() - 1), Bytes(batch).first(10)}) {
      auto prepared = co_await log.Prepare(std::vector{wrong}, writes);
      EXPECT_EQ(prepared.error().code, Errc::kInvalid);
    }
    EXPECT_TRUE(writes.empty());
    co_await AppendUpTo(log, files, 8);
    EXPECT_EQ(co_await Offsets(log, From(0)), "0 2 4 6");
  });
}

TEST_F(PartitionLogTest, SegmentsAreSealedByTheTimestampsOfTheirBatches) {
  options_.segment_ms = 100;
  options_.min_aged_bytes = 0;
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    std::vector<TestBatch> batches;
    for (int64_t i = 0; i < 4; ++i) batches.push_back({.offset = i, .timestamp_ms = i * 60});
    EXPECT_TRUE(co_await Append(log, files, batches));
    EXPECT_EQ(log.segments().size(), 2U);
    EXPECT_EQ(log.segments()[1].base_offset, 2);
    log.Configure(1, 1 << 20);
    EXPECT_TRUE(co_await Append(log, files, {{.offset = 4}, {.offset = 5}}));
    EXPECT_EQ(log.segments().size(), 4U);
  });
}

// Producers choose the timestamps, and each segment that is not synced has an open file.
TEST_F(PartitionLogTest, SmallSegmentIsNotSealedForItsAge) {
  options_.segment_bytes = kDefaultSegmentBytes;
  options_.segment_ms = 100;
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    std::vector<TestBatch> batches;
    for (int64_t i = 0; i < 1000; ++i) batches.push_back({.offset = i, .timestamp_ms = i * 200});
    EXPECT_TRUE(co_await Append(log, files, batches));
    EXPECT_EQ(log.segments().size(), 1U);
  });
}

TEST_F(PartitionLogTest, StartCutsOffWhatIsBeyondThePosition) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 30);
    co_await Sync(log, files);
    EXPECT_EQ(position_.end_offset, 30);
    EXPECT_EQ(position_.segments, log.segments());
    co_await AppendUpTo(log, files, 80);
    EXPECT_EQ(log.position(), position_);
  });
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_EQ(log.end_offset(), 30);
    EXPECT_TRUE(log.damaged().empty());
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 30));
    EXPECT_EQ((co_await Files(files)).size(), position_.segments.size());
    co_await AppendUpTo(log, files, 50);
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 50));
  });
}

TEST_F(PartitionLogTest, PowerFailureKeepsWhatWasSynced) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    io::sim::World world(seed);
    int64_t synced = 0;
    PartitionPosition position;
    auto live = [&](Machine& machine) -> Task<void> {
      SegmentFiles files(machine.disk, {.max_open = 2});
      auto opened = co_await PartitionLog::Open(files, options_, position);
      if (!opened) co_return;
      PartitionLog* log = opened->get();
      EXPECT_EQ(log->end_offset(), synced);
      EXPECT_TRUE(log->damaged().empty());
      std::string offsets = co_await AllOffsets(*log, 0, 1 << 20);
      if ((co_await io::ThisFiber{}).cancelled()) co_return;
      EXPECT_EQ(offsets, Evens(0, synced));
      for (;;) {
        int64_t end = log->end_offset() + 2 + static_cast<int64_t>(seed % 7) * 2;
        while (log->end_offset() < end) {
          auto appended =
              co_await Append(*log, files, {{.offset = log->end_offset(), .records = 2}});
          if (!appended) co_return;
        }
        PartitionLog* logs[] = {log};
        if (!co_await SyncLogs(files, logs)) co_return;
        position = log->position();
        synced = position.end_offset;
      }
    };
    auto& process = world.AddProcess({.name = "q", .address = IpAddress::V4(10, 0, 0, 1)}, live);
    for (int life = 1; life <= 4; ++life) {
      world.RunFor(std::chrono::milliseconds{80 + seed % 5});
      process.Crash(CrashKind::kMachine);
      process.Restart();
    }
    world.RunFor(std::chrono::milliseconds{80});
    EXPECT_GT(synced, 0);
    EXPECT_EQ(world.failure(), std::nullopt);
    world.End();
  }
}

TEST_F(PartitionLogTest, DamagedSegmentIsReportedAndTheOthersAreRead) {
  for (bool missing : {false, true}) {
    position_ = {};
    options_.folder = missing ? "missing" : "short";
    int64_t second = 0;
    int64_t third = 0;
    RunMachine([&](Machine& machine) -> Task<void> {
      SegmentFiles files(machine.disk);
      auto log = (co_await PartitionLog::Open(files, options_, position_)).value();
      co_await AppendUpTo(*log, files, 60);
      co_await Sync(*log, files);
      second = log->segments()[1].base_offset;
      third = log->segments()[2].base_offset;
      std::string path = options_.folder + "/" + SegmentFileName(second);
      auto file = (co_await machine.disk.Open(path, io::OpenMode::kWrite)).value();
      EXPECT_TRUE(co_await file->Truncate(300));
      if (missing) {
        EXPECT_TRUE(co_await machine.disk.Remove(path));
      }

      log = (co_await PartitionLog::Open(files, options_, position_)).value();
      EXPECT_EQ(log->damaged().size(), 1U);
      EXPECT_EQ(log->damaged()[0].path, path);
      EXPECT_EQ(log->damaged()[0].base_offset, second);
      EXPECT_EQ(log->damaged()[0].end_offset, third);
      EXPECT_EQ(log->damaged()[0].file_bytes, missing ? 0U : 300U);
      EXPECT_EQ(co_await Offsets(*log, From(0)), Evens(0, second));
      EXPECT_EQ(co_await Offsets(*log, From(second)),
                missing ? "i/o error" : Evens(second, second + 6));
      EXPECT_EQ(co_await Offsets(*log, From(third - 2)), "i/o error");
      EXPECT_EQ(co_await AllOffsets(*log, third), Evens(third, 60));
      co_await AppendUpTo(*log, files, 70);
      EXPECT_EQ(co_await AllOffsets(*log, third), Evens(third, 70));
      EXPECT_TRUE(co_await log->DropBefore(third));
      EXPECT_TRUE(log->damaged().empty());
    });
  }
}

TEST_F(PartitionLogTest, LastSegmentThatLostItsEndIsFollowedByAnother) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 8);
    co_await Sync(log, files);
    auto file =
        (co_await files.disk().Open("p/" + SegmentFileName(0), io::OpenMode::kWrite)).value();
    EXPECT_TRUE(co_await file->Truncate(250));
  });
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_EQ(log.damaged().size(), 1U);
    co_await AppendUpTo(log, files, 12);
    EXPECT_EQ(co_await Offsets(log, From(8)), "8 10");
    EXPECT_EQ(co_await Offsets(log, From(6)), "i/o error");
    EXPECT_EQ(co_await Offsets(log, From(0)), "0 2");
  });
}

TEST_F(PartitionLogTest, NoFileStaysOpenOfPartitionsThatNobodyUses) {
  max_open_ = 2;
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 80);
    EXPECT_GT(files.open(), 2U);  // what is not synced
    co_await Sync(log, files);
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 80));
    EXPECT_EQ(files.open(), 2U);
  });
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_EQ(files.open(), 0U);
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 80));
    EXPECT_EQ(files.open(), 2U);
  });
}

TEST_F(PartitionLogTest, OneSyncCoversSeveralLogs) {
  RunMachine([&](Machine& machine) -> Task<void> {
    SegmentFiles files(machine.disk);
    auto a = (co_await PartitionLog::Open(files, {.folder = "a"}, {})).value();
    auto b = (co_await PartitionLog::Open(files, {.folder = "b"}, {})).value();
    co_await AppendUpTo(*a, files, 10);
    co_await AppendUpTo(*b, files, 20);
    PartitionLog* logs[] = {a.get(), b.get()};
    EXPECT_TRUE(co_await SyncLogs(files, logs));
    EXPECT_EQ(a->position().end_offset, 10);
    EXPECT_EQ(b->position().end_offset, 20);
    EXPECT_TRUE(co_await SyncLogs(files, logs));  // with nothing to sync
    machine.process.disk().faults.sync_failures = 1;
    co_await AppendUpTo(*b, files, 22);
    EXPECT_EQ((co_await SyncLogs(files, logs)).error().code, Errc::kIo);
    EXPECT_EQ(b->position().end_offset, 20);
  });
}

TEST_F(PartitionLogTest, FullDiskRefusesAppendsAndKeepsReading) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 10);
    disk().faults.capacity_bytes = disk().used_bytes() + 10;
    auto appended = co_await Append(log, files, {{.offset = 10, .records = 2}});
    EXPECT_EQ(appended.error().code, Errc::kUnavailable);
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 10));
    EXPECT_TRUE(co_await log.DropBefore(4));
    disk().faults.capacity_bytes = UINT64_MAX;
    co_await AppendUpTo(log, files, 20);
    EXPECT_EQ(co_await AllOffsets(log, 4), Evens(4, 20));
  });
}

}  // namespace
}  // namespace meridian::queue
