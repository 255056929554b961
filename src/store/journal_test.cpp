// The journal on a simulated disk, which loses what was not synced when the process ends.
#include "store/journal.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/sim/world.hpp"
#include "io/wait_queue.hpp"
#include "store/limits.hpp"
#include "store/log/record.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/store_fixture.hpp"

namespace meridian::store {
namespace {

// The bodies of all records, in order; "!" begins one that it does not accept.
class Words final : public JournaledState {
 public:
  void BeginLoading() override { words_ = "["; }
  Result<void> LoadItem(Bytes item) override {
    words_ += AsText(item);
    return {};
  }
  void EndLoading() override { words_ += "] "; }
  Result<void> Apply(const Record& record) override {
    if (AsText(record.body).starts_with("!")) return Fail(Errc::kInvalid, "a word begins with !");
    words_ += std::string(AsText(record.body)) + " ";
    return {};
  }
  bool at_boundary() const override { return true; }
  uint64_t memory_bytes() const override { return memory_bytes_; }
  uint64_t BeginSnapshot(uint64_t durable_end_offset) override {
    begun_at_ = durable_end_offset;
    return durable_end_offset - held_back_;
  }
  Task<Result<void>> WriteItems(SnapshotWriter& writer) override {
    co_return co_await writer.Add(AsBytes("all"));
  }
  void EndSnapshot(bool written) override { ++(written ? written_ : failed_); }

  std::string words_;
  uint64_t memory_bytes_ = 0;
  uint64_t begun_at_ = 0;
  uint64_t held_back_ = 0;
  int written_ = 0;
  int failed_ = 0;
};

struct Life {
  explicit Life(Machine& on) : machine(on), clock(on.loop.driver(), seconds{5}) {}

  uint64_t Append(std::string_view word) {
    CHECK(clock.Now());
    return journal->Append({.body = AsBytes(word), .time = clock.last()});
  }
  Task<void> AppendMany(int count, std::string_view word) {
    for (int i = 0; i < count; ++i) {
      uint64_t end = Append(word);
      if (i % 20 == 19 || i == count - 1) EXPECT_TRUE(co_await journal->AwaitDurable(end));
    }
  }

  Machine& machine;
  HybridClock clock;
  Words words;
  std::unique_ptr<Journal> journal;
  Result<void> recovered;
};

class JournalTest : public StoreTest {
 protected:
  void Live(std::function<Task<void>(Life&)> use) {
    Run([this, use](Machine& machine) -> Task<void> {
      Life life(machine);
      auto journal = co_await Journal::Open(machine.loop, machine.disk, life.clock, options_);
      EXPECT_TRUE(journal) << journal.error().message;
      if (!journal) co_return;
      life.journal = std::move(*journal);
      life.recovered = co_await life.journal->Recover(life.words);
      co_await use(life);
      co_await life.journal->Close();
    });
  }
  // A snapshot is due after four segments, which hold some hundred words.
  void UseSmallSegments() {
    options_.segment_bytes = kMinSegmentBytes;
    options_.snapshot_log_bytes = 4 * kMinSegmentBytes;
    options_.snapshot_memory_factor = 0;
  }
  void FillDisk() { disk().faults.capacity_bytes = disk().used_bytes(); }
  void MakeRoom() { disk().faults.capacity_bytes = UINT64_MAX; }

  JournalOptions options_{.folder = "words", .name = "words", .log_id = 7, .headroom_bytes = 0};
};

TEST_F(JournalTest, RecordsThatWereDurableAreRecoveredInOrder) {
  Live([](Life& life) -> Task<void> {
    life.Append("a");
    uint64_t end = life.Append("b");
    EXPECT_EQ(end, 2U);
    EXPECT_TRUE(co_await life.journal->AwaitDurable(end));
    EXPECT_TRUE(co_await life.journal->AwaitDurable(0)) << "nothing to wait for";
    EXPECT_EQ(life.journal->durable_end_offset(), 2U);
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.words.words_, "a b ");
    EXPECT_EQ(life.journal->end_offset(), 2U);
    co_return;
  });
}

TEST_F(JournalTest, ClockStartsAboveTheStampsOfTheLastProcess) {
  HybridTime last;
  Live([&last](Life& life) -> Task<void> {
    EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Append("a")));
    last = life.clock.last();
  });
  Live([&last](Life& life) -> Task<void> {
    EXPECT_GT(life.clock.Now().value(), last);
    co_return;
  });
}

TEST_F(JournalTest, RecordOfManyOffsetsCountsForAllOfThem) {
  Live([](Life& life) -> Task<void> {
    uint64_t end = life.journal->Append({.body = AsBytes("batch"), .time = {1000}, .span = 5});
    EXPECT_EQ(end, 5U);
    EXPECT_TRUE(co_await life.journal->AwaitDurable(end));
    EXPECT_EQ(life.journal->durable_end_offset(), 5U);
  });
}

TEST_F(JournalTest, RecordThatTheStateDoesNotAcceptEndsTheRecovery) {
  Live([](Life& life) -> Task<void> {
    life.Append("a");
    life.Append("!");
    EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Append("b")));
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_FALSE(life.recovered);
    if (!life.recovered) EXPECT_EQ(life.recovered.error().code, Errc::kInvalid);
    EXPECT_EQ(life.words.words_, "a ");
    co_return;
  });
}

TEST_F(JournalTest, RecordsOfAFullDiskWaitInOrderAndAreWrittenWhenThereIsRoom) {
  Live([this](Life& life) -> Task<void> {
    EXPECT_TRUE(life.journal->Writable());
    FillDisk();
    life.Append("a");
    (void)co_await io::Sleep(seconds{1});
    Result<void> writable = life.journal->Writable();
    EXPECT_FALSE(writable);
    if (!writable) EXPECT_EQ(writable.error().code, Errc::kUnavailable);
    uint64_t end = life.journal->Append({.body = AsBytes("b"), .time = life.clock.last()});
    EXPECT_LT(life.journal->durable_end_offset(), end);
    EXPECT_EQ(life.journal->end_offset(), end);
    MakeRoom();
    EXPECT_TRUE(co_await life.journal->AwaitDurable(end));
    (void)co_await io::Sleep(2 * kUpkeepInterval);
    EXPECT_TRUE(life.journal->Writable());
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.words.words_, "a b ");
    co_return;
  });
}

TEST_F(JournalTest, WaitForAFullDiskEndsAfterItsTimeout) {
  Live([this](Life& life) -> Task<void> {
    FillDisk();
    uint64_t end = life.Append("x");
    TimePoint begin = life.machine.loop.Now();
    Result<void> durable = co_await life.journal->AwaitDurable(end);
    EXPECT_FALSE(durable);
    if (!durable) EXPECT_EQ(durable.error().code, Errc::kUnavailable);
    Duration waited = life.machine.loop.Now() - begin;
    EXPECT_GE(waited, kFullDiskTimeout);
    EXPECT_LT(waited, kFullDiskTimeout + seconds{2});
    MakeRoom();
  });
}

TEST_F(JournalTest, RecordsThatWaitForAFullDiskAreBounded) {
  Live([this](Life& life) -> Task<void> {
    FillDisk();
    life.Append("x");
    (void)co_await io::Sleep(seconds{1});
    std::string because_full = life.journal->Writable().error().message;
    constexpr size_t kRecord = size_t{1} << 20;
    std::string record(kRecord, 'x');
    // With the record that waits already this is the limit and one byte more.
    for (size_t bytes = 0; bytes + kRecord <= kMaxWaitingBytes; bytes += kRecord) {
      EXPECT_EQ(life.journal->Writable().error().message, because_full);
      life.journal->Append({.body = AsBytes(record), .time = life.clock.last()});
    }
    life.journal->Append({.body = AsBytes("x"), .time = life.clock.last()});
    EXPECT_EQ(life.journal->Writable().error().message, "too much is waiting for the disk");
    MakeRoom();
  });
}

TEST_F(JournalTest, SnapshotReplacesTheLogBelowIt) {
  UseSmallSegments();
  Live([](Life& life) -> Task<void> {
    life.journal->StartSnapshots(life.words);
    co_await life.AppendMany(500, "word");
    while (life.words.written_ == 0 && co_await io::Sleep(seconds{1})) {
    }
    (void)co_await io::Sleep(2 * kUpkeepInterval);
    EXPECT_GT(life.journal->log().begin_offset(), 0U);
    EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Append("after")));
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.words.words_, "[all] after ");
    co_return;
  });
}

TEST_F(JournalTest, ALogWithoutItsBeginningAndWithoutASnapshotIsNotRecoveredInPart) {
  UseSmallSegments();
  Live([](Life& life) -> Task<void> {
    life.journal->StartSnapshots(life.words);
    co_await life.AppendMany(500, "word");
    while (life.journal->log().begin_offset() == 0 && co_await io::Sleep(seconds{1})) {
    }
  });
  disk().MoveFolder("words/snapshots", "elsewhere");
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.recovered.error().code, Errc::kIo);
    EXPECT_EQ(life.words.words_, "");
    co_return;
  });
}

TEST_F(JournalTest, LargeStateIsWrittenLessOften) {
  options_.segment_bytes = kMinSegmentBytes;
  options_.snapshot_log_bytes = kMinSegmentBytes;
  options_.snapshot_memory_factor = 2;
  Live([](Life& life) -> Task<void> {
    life.words.memory_bytes_ = uint64_t{1} << 20;
    life.journal->StartSnapshots(life.words);
    co_await life.AppendMany(500, "word");
    (void)co_await io::Sleep(3 * kSnapshotCheckPause);
    EXPECT_EQ(life.words.written_, 0);
    life.words.memory_bytes_ = 1000;
    (void)co_await io::Sleep(3 * kSnapshotCheckPause);
    EXPECT_GT(life.words.written_, 0);
  });
}

TEST_F(JournalTest, ChangeOfSeveralRecordsIsNotSplitByASnapshot) {
  Live([](Life& life) -> Task<void> {
    life.journal->StartSnapshots(life.words);
    co_await life.AppendMany(10, "word");
    life.journal->log().RaiseEpoch(3);
    co_await life.AppendMany(2, "part");
    life.words.held_back_ = 2;
    EXPECT_TRUE(co_await life.journal->WriteSnapshotNow());
    EXPECT_EQ(life.words.begun_at_, 12U);
    EXPECT_EQ(life.journal->snapshots().newest()->end_offset, 10U);
    EXPECT_EQ(life.journal->snapshots().newest()->epoch, 0U) << "of the last record below";
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.words.words_, "[all] part part ");
    co_return;
  });
}

TEST_F(JournalTest, SnapshotFailsWhileTheDiskIsFullAndIsWrittenWhenThereIsRoom) {
  Live([this](Life& life) -> Task<void> {
    life.journal->StartSnapshots(life.words);
    co_await life.AppendMany(10, "word");
    FillDisk();
    io::Scope scope(life.machine.loop);
    Result<void> written = Fail(Errc::kTimeout, "not yet");
    auto write = [&]() -> Task<void> { written = co_await life.journal->WriteSnapshotNow(); };
    scope.Spawn(write());
    (void)co_await io::Sleep(3 * kSnapshotCheckPause);
    EXPECT_GT(life.words.failed_, 0);
    EXPECT_FALSE(written);
    MakeRoom();
    co_await scope.Join();
    EXPECT_TRUE(written);
    EXPECT_EQ(life.words.written_, 1);
  });
}

TEST_F(JournalTest, SnapshotThatFailsIsTriedLessAndLessOftenAndSaysWhy) {
  Live([this](Life& life) -> Task<void> {
    life.journal->StartSnapshots(life.words);
    co_await life.AppendMany(10, "word");
    FillDisk();
    uint64_t used = disk().used_bytes();
    io::Scope scope(life.machine.loop);
    auto write = [&]() -> Task<void> { (void)co_await life.journal->WriteSnapshotNow(); };
    scope.Spawn(write());
    (void)co_await io::Sleep(seconds{60});
    EXPECT_LE(life.words.failed_, 8);
    EXPECT_EQ(disk().used_bytes(), used);
    EXPECT_NE(life.journal->snapshot_problem(), "");
    MakeRoom();
    co_await scope.Join();
    EXPECT_EQ(life.words.written_, 1);
    EXPECT_EQ(life.journal->snapshot_problem(), "");
    EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Append("after")));
  });
}

}  // namespace
}  // namespace meridian::store
