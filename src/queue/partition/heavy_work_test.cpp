#include "queue/partition/heavy_work.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "base/scratch_dir.hpp"
#include "io/blocking.hpp"
#include "io/epoll.hpp"
#include "io/file/system_disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/partition/partition_fixture.hpp"
#include "queue/partition/partition_log.hpp"

namespace meridian::queue {
namespace {

// A partition log on the machine's disk, beside a pool for heavy work whose only thread is held.
class HeavyWorkTest : public testing::Test {
 protected:
  void Hold() {
    heavy_pool_.Submit([gate = gate_.get_future().share()] { gate.wait(); });
  }
  void Release() { gate_.set_value(); }
  // Other fibers run until `condition` holds.
  template <class Condition>
  static Task<void> Await(Condition condition) {
    while (!condition()) (void)co_await io::Sleep(std::chrono::milliseconds{1});
  }

  std::string Folder() const { return scratch_.path() / "p"; }

  ScratchDir scratch_;
  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::BlockingPool pool_;
  io::BlockingPool heavy_pool_{1};
  io::SystemDisk disk_{pool_};
  std::promise<void> gate_;
};

TEST_F(HeavyWorkTest, LoopGoesOnWhileABatchIsSearched) {
  loop_.RunToEnd([this]() -> Task<void> {
    SegmentFiles files(disk_, {.heavy_pool = &heavy_pool_});
    auto log = (co_await PartitionLog::Open(files, {.folder = Folder()}, {})).value();
    std::vector<uint8_t> batch = MakeBatch({.records = 3, .timestamp_ms = 100});
    std::vector<io::FileWrite> writes;
    EXPECT_TRUE(co_await log->Prepare(std::vector{Bytes(batch)}, writes));
    EXPECT_TRUE(co_await disk_.WriteFiles(writes));
    log->Finish();

    Hold();
    Result<std::optional<TimedOffset>> found;
    bool done = false;
    io::Scope scope(loop_);
    auto search = [&]() -> Task<void> {
      found = co_await log->OffsetAtTime(101);
      done = true;
    };
    scope.Spawn(search());
    co_await Await([&] { return files.heavy_work().runs() > 0; });
    EXPECT_FALSE(done);
    Release();
    co_await scope.Join();
    EXPECT_EQ((*found)->offset, 1);
  }());
}

TEST_F(HeavyWorkTest, LoopGoesOnWhileBatchesAreCompacted) {
  loop_.RunToEnd([this]() -> Task<void> {
    SegmentFiles files(disk_, {.heavy_pool = &heavy_pool_});
    PartitionOptions options{.folder = Folder(), .segment_bytes = 300};
    auto log = (co_await PartitionLog::Open(files, options, {})).value();
    for (int64_t offset = 0; offset < 10; ++offset) {
      std::vector<uint8_t> batch = MakeBatch({.offset = offset});
      std::vector<io::FileWrite> writes;
      EXPECT_TRUE(co_await log->Prepare(std::vector{Bytes(batch)}, writes));
      EXPECT_TRUE(co_await disk_.WriteFiles(writes));
      log->Finish();
    }
    PartitionLog* logs[] = {log.get()};
    EXPECT_TRUE(co_await SyncLogs(files, logs));

    Hold();
    Result<CompactionReport> report;
    bool done = false;
    io::Scope scope(loop_);
    auto compact = [&]() -> Task<void> {
      report = co_await log->Compact({.limit_offset = 10});
      done = true;
    };
    scope.Spawn(compact());
    co_await Await([&] { return files.heavy_work().runs() > 0; });
    EXPECT_FALSE(done);
    Release();
    co_await scope.Join();
    EXPECT_TRUE(report);
    EXPECT_LT(report->written_bytes, report->read_bytes);
  }());
}

}  // namespace
}  // namespace meridian::queue
