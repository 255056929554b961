// For tests: a machine whose disk loses and tears what was not synced, and a partition log on it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/file/disk.hpp"
#include "io/sim/world.hpp"
#include "queue/partition/partition_log.hpp"
#include "wire/kafka/batch_writer.hpp"

namespace meridian::queue {

using io::Task;
using io::sim::CrashKind;
using io::sim::Machine;

struct TestBatch {
  int64_t offset = 0;
  int32_t records = 1;
  int64_t timestamp_ms = 0;  // of the first record; each further one is 1 ms later
  size_t value_bytes = 10;
  std::string key = "k";
};

inline std::vector<uint8_t> MakeBatch(const TestBatch& made) {
  wire::kafka::BatchWriter writer({.base_offset = made.offset, .leader_epoch = 3});
  std::string value(made.value_bytes, 'v');
  for (int32_t i = 0; i < made.records; ++i) {
    writer.Add({.offset = made.offset + i,
                .timestamp_ms = made.timestamp_ms + i,
                .key = made.key,
                .value = value});
  }
  return writer.Finish().value();
}

// Each Run is one life of a program on the same machine.
class PartitionTest : public testing::Test {
 protected:
  using Use = std::function<Task<void>(PartitionLog&, SegmentFiles&)>;

  void RunMachine(std::function<Task<void>(Machine&)> use) {
    use_ = std::move(use);
    if (process_ == nullptr) {
      process_ = &world_.AddProcess(
          {.name = "queue", .address = IpAddress::V4(10, 0, 0, 1), .must_end = true},
          [this](Machine& machine) { return use_(machine); });
    } else {
      process_->Restart();
    }
    world_.RunToEnd(world_.now() + std::chrono::minutes{10});
    ASSERT_EQ(world_.failure(), std::nullopt);
  }
  // With a log that is opened at `position_`.
  void Run(const Use& use) {
    RunMachine([this, use](Machine& machine) -> Task<void> {
      SegmentFiles files(machine.disk, {.max_open = max_open_});
      auto log = co_await PartitionLog::Open(files, options_, position_);
      EXPECT_TRUE(log) << log.error().message;
      if (log) co_await use(**log, files);
    });
  }
  io::sim::DiskImage& disk() { return process_->disk(); }

  static Task<Result<void>> Append(PartitionLog& log, SegmentFiles& files,
                                   std::vector<TestBatch> batches) {
    std::vector<std::vector<uint8_t>> encoded;
    for (const TestBatch& batch : batches) encoded.push_back(MakeBatch(batch));
    std::vector<Bytes> views(encoded.begin(), encoded.end());
    std::vector<io::FileWrite> writes;
    if (auto prepared = co_await log.Prepare(views, writes); !prepared) co_return prepared;
    auto written = co_await files.disk().WriteFiles(writes);
    written ? log.Finish() : log.Abandon();
    co_return written;
  }
  // Appends batches of two records until the log ends at `end`.
  static Task<void> AppendUpTo(PartitionLog& log, SegmentFiles& files, int64_t end) {
    while (log.end_offset() < end) {
      int64_t offset = log.end_offset();
      EXPECT_TRUE(co_await Append(log, files,
                                  {{.offset = offset, .records = 2, .timestamp_ms = offset * 10}}));
    }
  }
  Task<void> Sync(PartitionLog& log, SegmentFiles& files) {
    PartitionLog* logs[] = {&log};
    EXPECT_TRUE(co_await SyncLogs(files, logs));
    position_ = log.position();
  }
  // The base offsets of the batches in the range, or the error's name.
  static Task<std::string> Offsets(PartitionLog& log, ReadRequest request) {
    auto range = co_await log.Read(request);
    if (!range) co_return std::string(ErrcName(range.error().code));
    std::string text;
    if (range->bytes == 0) co_return text;
    std::vector<uint8_t> bytes(range->bytes);
    auto got = co_await range->file->ReadAt(range->position, bytes);
    EXPECT_EQ(got.value(), bytes.size());
    int64_t next = 0;
    for (Bytes rest = bytes; !rest.empty();) {
      auto batch = wire::kafka::ReadBatchHeader(rest);
      EXPECT_TRUE(batch && wire::kafka::CheckStoredBatch(rest.first(batch->bytes)));
      if (!batch) break;
      text += (text.empty() ? "" : " ") + std::to_string(batch->base_offset);
      next = batch->next_offset();
      rest = rest.subspan(batch->bytes);
    }
    EXPECT_EQ(range->next_offset, next);
    co_return text;
  }
  // All of the log from `from` on, read in pieces of at most `max_bytes`.
  static Task<std::string> AllOffsets(PartitionLog& log, int64_t from, size_t max_bytes = 400) {
    std::string text;
    while (from < log.end_offset()) {
      ReadRequest request = {
          .offset = from, .max_bytes = max_bytes, .limit_offset = log.end_offset()};
      text += (text.empty() ? "" : " ") + co_await Offsets(log, request);
      auto range = co_await log.Read(request);
      if (!range || range->bytes == 0) break;
      from = range->next_offset;
    }
    co_return text;
  }
  static std::string Evens(int64_t from, int64_t to) {
    std::string text;
    for (int64_t i = from; i < to; i += 2) text += (i == from ? "" : " ") + std::to_string(i);
    return text;
  }

  std::function<Task<void>(Machine&)> use_;
  io::sim::World world_{1};
  io::sim::SimProcess* process_ = nullptr;
  size_t max_open_ = kMaxOpenSegments;
  PartitionOptions options_ = {.folder = "p", .segment_bytes = 1000};
  PartitionPosition position_;
};

}  // namespace meridian::queue
