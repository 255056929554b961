#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "queue/partition/partition_fixture.hpp"
#include "queue/partition/partition_log.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::queue {
namespace {

// The offsets of the records of each key, in order.
using OffsetsByKey = std::map<std::string, std::vector<int64_t>>;

class PartitionCompactTest : public PartitionTest {
 protected:
  static constexpr CompactionRequest kAll = {.limit_offset = INT64_MAX,
                                             .times = {.now_ms = 1000, .delete_retention_ms = 10}};

  // One record each, with keys in a cycle of seven.
  static Task<bool> AppendKeys(PartitionLog& log, SegmentFiles& files, int64_t end) {
    while (log.end_offset() < end) {
      int64_t offset = log.end_offset();
      auto appended = co_await Append(
          log, files, {{.offset = offset, .key = "k" + std::to_string(offset % 7)}});
      if (!appended) co_return false;
    }
    co_return true;
  }
  // What readers see, by small reads; empty after an error.
  static Task<OffsetsByKey> Read(PartitionLog& log) {
    OffsetsByKey offsets;
    int64_t from = log.log_start_offset();
    while (from < log.end_offset()) {
      auto range =
          co_await log.Read({.offset = from, .max_bytes = 200, .limit_offset = log.end_offset()});
      if (!range) co_return OffsetsByKey{};
      if (range->bytes == 0) break;
      std::vector<uint8_t> bytes(range->bytes);
      if (!co_await range->file->ReadAt(range->position, bytes)) co_return OffsetsByKey{};
      for (Bytes rest = bytes; !rest.empty();) {
        auto header = wire::kafka::ReadBatchHeader(rest).value();
        auto reader = wire::kafka::RecordReader::Open(rest.first(header.bytes));
        wire::kafka::Record record;
        while (reader->Next(&record)) {
          offsets[std::string(*record.key)].push_back(record.offset);
        }
        rest = rest.subspan(header.bytes);
      }
      from = range->next_offset;
    }
    co_return offsets;
  }
  // Each key's last record is there, and below `compacted` no other.
  static void ExpectCompacted(const OffsetsByKey& offsets, int64_t end, int64_t compacted) {
    for (int64_t last = end - 7; last < end; ++last) {
      auto found = offsets.find("k" + std::to_string(last % 7));
      ASSERT_NE(found, offsets.end());
      EXPECT_EQ(found->second.back(), last);
      EXPECT_LE(std::ranges::count_if(found->second, [&](int64_t o) { return o < compacted; }), 1);
    }
  }
};

TEST_F(PartitionCompactTest, LastRecordOfEachKeyStaysBelowTheLastSegment) {
  OffsetsByKey seen;
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendKeys(log, files, 100);
    co_await Sync(log, files);
    int64_t sealed = log.segments().back().base_offset;
    auto report = co_await log.Compact(kAll);
    EXPECT_GT(report->read_bytes, report->written_bytes);
    EXPECT_GT(report->written_bytes, 0U);
    seen = co_await Read(log);
    ExpectCompacted(seen, 100, sealed);
    EXPECT_EQ(log.segments().size(), 2U);
    // Any offset leads to the next batch that is there.
    for (int64_t offset = 0; offset < 100; ++offset) {
      auto range = co_await log.Read({.offset = offset, .max_bytes = 1, .limit_offset = 100});
      EXPECT_GE(range->begin_offset, offset);
      EXPECT_GT(range->bytes, 0U);
    }
    EXPECT_EQ((co_await log.Compact(kAll)).error().code, Errc::kUnavailable);
    position_ = log.position();
    EXPECT_TRUE(co_await log.RemoveReplaced());
    report = co_await log.Compact(kAll);
    EXPECT_EQ(report->read_bytes, 0U);  // nothing was sealed since
    EXPECT_EQ(co_await Read(log), seen);
  });
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_TRUE(log.damaged().empty());
    EXPECT_EQ(co_await Read(log), seen);
    co_await AppendKeys(log, files, 200);
    co_await Sync(log, files);
    int64_t sealed = log.segments().back().base_offset;
    EXPECT_TRUE(co_await log.Compact(kAll));
    ExpectCompacted(co_await Read(log), 200, sealed);
    position_ = log.position();
  });
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_TRUE(log.damaged().empty());
    ExpectCompacted(co_await Read(log), 200, 0);
  });
}

TEST_F(PartitionCompactTest, StartAtAnOlderCheckpointFindsTheOldSegments) {
  OffsetsByKey before;
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendKeys(log, files, 100);
    co_await Sync(log, files);
    before = co_await Read(log);
    EXPECT_TRUE(co_await log.Compact(kAll));
  });
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_TRUE(log.damaged().empty());
    EXPECT_EQ(co_await Read(log), before);
    size_t segment_files = 0;
    for (const std::string& name : (co_await files.disk().List("p")).value()) {
      segment_files += name.ends_with(".log") ? 1 : 0;
    }
    EXPECT_EQ(segment_files, log.segments().size());
  });
}

TEST_F(PartitionCompactTest, WhatIsNotSyncedOrBeyondTheLimitIsLeftAlone) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendKeys(log, files, 100);
    OffsetsByKey before = co_await Read(log);
    EXPECT_TRUE(co_await log.Compact(kAll));
    EXPECT_EQ(co_await Read(log), before);
    co_await Sync(log, files);
    EXPECT_TRUE(co_await log.Compact({.limit_offset = 5}));
    EXPECT_EQ(co_await Read(log), before);
  });
}

TEST_F(PartitionCompactTest, ReadersAndRetentionGoOnMeanwhile) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendKeys(log, files, 200);
    co_await Sync(log, files);
    int64_t start = log.segments()[1].base_offset;
    io::Scope scope((co_await io::ThisFiber{}).loop());
    bool compacted = false;
    auto compact = [&]() -> Task<void> {
      auto report = co_await log.Compact(kAll);
      EXPECT_TRUE(report) << report.error().message;
      EXPECT_TRUE(co_await log.RemoveReplaced());
      compacted = true;
    };
    auto drop = [&]() -> Task<void> {
      (void)co_await io::Sleep(std::chrono::milliseconds{5});
      EXPECT_TRUE(co_await log.DropBefore(start));
      EXPECT_TRUE(co_await AppendKeys(log, files, 210));
    };
    scope.Spawn(compact());
    scope.Spawn(drop());
    while (!compacted) {
      OffsetsByKey seen = co_await Read(log);
      for (int64_t last = 193; last < 200; ++last) {
        EXPECT_FALSE(seen["k" + std::to_string(last % 7)].empty());
      }
    }
    co_await scope.Join();
    EXPECT_EQ(log.log_start_offset(), start);
    ExpectCompacted(co_await Read(log), 210, 0);
  });
}

TEST_F(PartitionCompactTest, FullDiskEndsACompactionWithoutLoss) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendKeys(log, files, 100);
    co_await Sync(log, files);
    disk().faults.capacity_bytes = disk().used_bytes();
    EXPECT_EQ((co_await log.Compact(kAll)).error().code, Errc::kUnavailable);
    ExpectCompacted(co_await Read(log), 100, 0);
    disk().faults.capacity_bytes = UINT64_MAX;
    EXPECT_TRUE(co_await log.RemoveReplaced());
    EXPECT_EQ((co_await files.disk().ListSizes("p"))->size(), log.segments().size());
    EXPECT_TRUE(co_await log.Compact(kAll));
    ExpectCompacted(co_await Read(log), 100, log.segments().back().base_offset);
  });
}

TEST_F(PartitionCompactTest, PowerFailureLosesNoKey) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    io::sim::World world(seed);
    PartitionPosition checkpoint;
    auto live = [&](Machine& machine) -> Task<void> {
      SegmentFiles files(machine.disk, {.max_open = 3});
      auto opened = co_await PartitionLog::Open(files, options_, checkpoint);
      if (!opened) co_return;
      PartitionLog* log = opened->get();
      EXPECT_TRUE(log->damaged().empty());
      OffsetsByKey seen = co_await Read(*log);
      if ((co_await io::ThisFiber{}).cancelled()) co_return;
      if (log->end_offset() >= 7) ExpectCompacted(seen, log->end_offset(), 0);
      for (;;) {
        if (!co_await AppendKeys(*log, files, log->end_offset() + 25)) co_return;
        PartitionLog* logs[] = {log};
        if (!co_await SyncLogs(files, logs)) co_return;
        checkpoint = log->position();
        if (!co_await log->Compact(kAll)) co_return;
        checkpoint = log->position();
        if (!co_await log->RemoveReplaced()) co_return;
      }
    };
    auto& process = world.AddProcess({.name = "q", .address = IpAddress::V4(10, 0, 0, 1)}, live);
    for (uint64_t life = 1; life <= 5; ++life) {
      world.RunFor(std::chrono::milliseconds{60 + seed * life % 17});
      process.Crash(CrashKind::kMachine);
      process.Restart();
    }
    world.RunFor(std::chrono::milliseconds{60});
    EXPECT_GT(checkpoint.end_offset, 50);
    EXPECT_EQ(world.failure(), std::nullopt);
    world.End();
  }
}

}  // namespace
}  // namespace meridian::queue
