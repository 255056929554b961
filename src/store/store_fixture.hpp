// For tests: a machine whose disk loses and tears what was not synced, and a log on it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "io/file/disk.hpp"
#include "io/file/forwarding_disk.hpp"
#include "io/sim/world.hpp"
#include "io/wait_queue.hpp"
#include "store/log/log.hpp"

namespace meridian::store {

using io::Task;
using io::sim::CrashKind;
using io::sim::Machine;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What a disk was asked to do.
struct DiskCounts {
  size_t writes = 0;
  size_t syncs = 0;
};

// A disk that counts.
class CountingDisk final : public io::ForwardingDisk {
 public:
  CountingDisk(io::Disk& disk, DiskCounts& counts) : ForwardingDisk(disk), counts_(counts) {}

  Task<Result<std::unique_ptr<io::File>>> Open(std::string path, io::OpenMode mode) override {
    auto file = co_await ForwardingDisk::Open(std::move(path), mode);
    if (!file) co_return Fail(file.error());
    co_return std::make_unique<CountingFile>(std::move(*file), counts_);
  }

 private:
  class CountingFile final : public io::File {
   public:
    CountingFile(std::unique_ptr<io::File> file, DiskCounts& counts)
        : file_(std::move(file)), counts_(counts) {}
    Task<Result<size_t>> ReadAt(uint64_t offset, MutableBytes into) override {
      return file_->ReadAt(offset, into);
    }
    Task<Result<void>> WriteAt(uint64_t offset, Bytes data) override {
      ++counts_.writes;
      return file_->WriteAt(offset, data);
    }
    Task<Result<void>> Truncate(uint64_t bytes) override { return file_->Truncate(bytes); }
    Task<Result<void>> Sync() override {
      ++counts_.syncs;
      return file_->Sync();
    }
    Task<Result<uint64_t>> Size() override { return file_->Size(); }

   private:
    std::unique_ptr<io::File> file_;
    DiskCounts& counts_;
  };

  DiskCounts& counts_;
};

// Each Run is one life of a program on the same machine.
class StoreTest : public testing::Test {
 protected:
  using Use = std::function<Task<void>(Machine&)>;

  // To its end; what it had not synced stays with the kernel.
  void Run(Use use) {
    use_ = std::move(use);
    if (process_ == nullptr) {
      process_ = &world_.AddProcess(
          {.name = "store", .address = IpAddress::V4(10, 0, 0, 1), .must_end = true},
          [this](Machine& machine) { return use_(machine); });
    } else {
      process_->Restart();
    }
    world_.RunToEnd(world_.now() + std::chrono::minutes{10});
    ASSERT_EQ(world_.failure(), std::nullopt);
  }
  // A Run with a log that is opened before and closed after.
  void RunLog(LogOptions options, std::function<Task<void>(Log&, Machine&)> use) {
    Run([options, use](Machine& machine) -> Task<void> {
      auto log = co_await Log::Open(machine.loop, machine.disk, options);
      EXPECT_TRUE(log) << log.error().message;
      if (!log) co_return;
      co_await use(**log, machine);
      co_await (*log)->Close();
    });
  }
  io::sim::DiskImage& disk() { return process_->disk(); }

  static LogOptions Small() {
    return {.folder = "log", .id = 7, .segment_bytes = kMinSegmentBytes, .headroom_bytes = 0};
  }
  // Appends records "0", "1", ... and waits until the last one is durable.
  static Task<void> AppendMany(Log& log, int count) {
    uint64_t last = 0;
    for (int i = 0; i < count; ++i) {
      std::string body = std::to_string(log.end_offset());
      auto end = log.Append({.body = AsBytes(body), .time = {1000 + log.end_offset()}});
      EXPECT_TRUE(end) << end.error().message;
      if (!end) co_return;
      last = *end;
      // Groups of several records, and many groups.
      if (i % 5 == 4) EXPECT_TRUE(co_await log.Durable(last));
    }
    EXPECT_TRUE(co_await log.Durable(last));
  }
  // The bodies from `from` to the end, with spaces between; and the error's name, if there was one.
  static Task<std::string> Bodies(Log& log, uint64_t from = 0) {
    std::string text;
    for (;;) {
      auto batch = co_await log.Read(from, 300);
      if (!batch) co_return text + std::string(ErrcName(batch.error().code));
      if (batch->empty()) co_return text;
      EXPECT_EQ(batch->begin_offset(), from);
      batch->ForEach([&](const Record& record) { text += std::string(AsText(record.body)) + " "; });
      from = batch->end_offset();
    }
  }
  static std::string Numbers(int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) text += std::to_string(i) + " ";
    return text;
  }

  Use use_;
  io::sim::World world_{1};
  io::sim::SimProcess* process_ = nullptr;
};

}  // namespace meridian::store
