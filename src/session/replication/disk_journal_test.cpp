// The journal on a simulated disk, which loses what was not synced when the process ends.
#include "session/replication/disk_journal.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/hybrid_clock.hpp"
#include "io/sim/world.hpp"
#include "io/wait_queue.hpp"
#include "session/data/keyspace.hpp"
#include "session/limits.hpp"
#include "session/replication/log_record.hpp"
#include "session/replication/snapshot_item.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "store/journal.hpp"
#include "store/limits.hpp"
#include "store/snapshot/snapshot_format.hpp"
#include "store/store_fixture.hpp"

namespace meridian::session {
namespace {

using io::Task;
using io::sim::CrashKind;
using io::sim::Machine;
using std::chrono::seconds;

// A journal, and the keyspace that it keeps.
struct Life {
  explicit Life(Machine& on)
      : machine(on),
        clock(on.loop.driver(), seconds{5}),
        keyspace({.seed = 7, .journaled = true}, clock) {}

  // As a SET of this key would; the offset behind it.
  uint64_t Set(std::string_view key, std::string_view value) {
    keyspace.SetNow(machine.loop.Wall());
    EXPECT_TRUE(keyspace.BeginWrite());
    keyspace.SetText(key, value, {});
    return journal->Append(keyspace.change().Take());
  }
  size_t SizeOf(std::string_view key) {
    Entry* entry = keyspace.Find(key);
    return entry == nullptr ? 0 : keyspace.TextOf(*entry).size();
  }

  Machine& machine;
  HybridClock clock;
  Keyspace keyspace;
  std::unique_ptr<DiskJournal> journal;
};

class DiskJournalTest : public store::StoreTest {
 protected:
  using Use = std::function<Task<void>(Life&)>;

  void Live(Use use) {
    Run([this, use](Machine& machine) -> Task<void> {
      Life life(machine);
      auto journal = co_await DiskJournal::Open(machine.loop, machine.disk, life.clock, options_);
      EXPECT_TRUE(journal) << journal.error().message;
      if (!journal) co_return;
      life.journal = std::move(*journal);
      auto metadata = co_await life.journal->Replay(life.keyspace);
      EXPECT_TRUE(metadata) << metadata.error().message;
      co_await use(life);
      co_await life.journal->Close();
    });
  }
  void FillDisk() { disk().faults.capacity_bytes = disk().used_bytes(); }
  void MakeRoom() { disk().faults.capacity_bytes = UINT64_MAX; }

  store::JournalOptions options_{.folder = "session", .log_id = 7, .headroom_bytes = 0};
};

TEST_F(DiskJournalTest, DurableChangesAreRecovered) {
  Live([](Life& life) -> Task<void> {
    EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Set("a", "1")));
    EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Set("b", "22")));
    EXPECT_TRUE(co_await life.journal->AwaitDurable(0)) << "nothing to wait for";
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.keyspace.size(), 2);
    EXPECT_EQ(life.SizeOf("b"), 2);
    co_return;
  });
}

TEST_F(DiskJournalTest, ChangeOfARecordsSizeIsOneRecordAndOneByteMoreTakesTwo) {
  constexpr size_t kMax = store::kMaxRecordBytes - 1;
  Live([](Life& life) -> Task<void> {
    std::string record(kMax + 1, 'x');
    uint64_t begin = life.journal->log().end_offset();
    EXPECT_EQ(life.journal->Append(AsBytes(record).first(kMax)), begin + 1);
    EXPECT_EQ(life.journal->Append(AsBytes(record)), begin + 3);
    EXPECT_TRUE(co_await life.journal->AwaitDurable(begin + 3));
    LogRecordReader reader;
    auto batch = co_await life.journal->log().Read(begin + 1, 1);
    EXPECT_TRUE(batch);
    batch->ForEach([&](const store::Record& each) { EXPECT_TRUE(reader.Take(each.body)); });
    EXPECT_TRUE(reader.within_change());
  });
}

TEST_F(DiskJournalTest, LongChangeIsRecovered) {
  static constexpr size_t kLong = 3 * store::kMaxRecordBytes;
  Live([](Life& life) -> Task<void> {
    EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Set("k", std::string(kLong, 'x'))));
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.SizeOf("k"), kLong);
    co_return;
  });
}

TEST_F(DiskJournalTest, IncompleteChangeIsAbandonedAndTheNextOneIsNotTakenForItsRest) {
  Live([](Life& life) -> Task<void> {
    std::string part(1, static_cast<char>(LogRecordKind::kMoreParts));
    auto end = life.journal->log().Append({.body = AsBytes(part + "begun")});
    EXPECT_TRUE(end);
    EXPECT_TRUE(co_await life.journal->log().Durable(*end));
  });
  for (size_t keys : {size_t{0}, size_t{1}}) {
    Live([keys](Life& life) -> Task<void> {
      EXPECT_EQ(life.keyspace.size(), keys);
      EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Set("k", "v")));
    });
  }
}

TEST_F(DiskJournalTest, RecordOfUnknownKindEndsTheReplay) {
  Live([](Life& life) -> Task<void> {
    auto end = life.journal->log().Append({.body = AsBytes("\xff nonsense")});
    EXPECT_TRUE(end);
    EXPECT_TRUE(co_await life.journal->log().Durable(*end));
    Keyspace again({}, life.clock);
    auto replayed = co_await life.journal->Replay(again);
    EXPECT_FALSE(replayed);
    if (!replayed) EXPECT_EQ(replayed.error().code, Errc::kInvalid);
  });
}

TEST_F(DiskJournalTest, FullDiskRefusesUntilThereIsRoomAndThenGetsAllChanges) {
  Live([this](Life& life) -> Task<void> {
    EXPECT_EQ(life.journal->refusal(), "");
    FillDisk();
    uint64_t last = life.Set("a", std::string(100, 'x'));
    (void)co_await io::Sleep(seconds{1});
    EXPECT_NE(life.journal->refusal(), "");
    last = life.Set("b", "was being executed");
    EXPECT_LT(life.journal->durable_end_offset(), last);
    MakeRoom();
    EXPECT_TRUE(co_await life.journal->AwaitDurable(last));
    (void)co_await io::Sleep(2 * store::kUpkeepInterval);
    EXPECT_EQ(life.journal->refusal(), "");
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.keyspace.size(), 2);
    co_return;
  });
}

TEST_F(DiskJournalTest, SnapshotReplacesTheLogAndItsMetadataIsRecovered) {
  options_.segment_bytes = store::kMinSegmentBytes;
  options_.snapshot_log_bytes = 10 * store::kMinSegmentBytes;
  options_.snapshot_memory_factor = 0;
  SnapshotMetadata metadata;
  metadata.applied[7] = 42;
  Live([&metadata](Life& life) -> Task<void> {
    bool written = false;
    life.journal->StartSnapshots(
        {.begin = [&] { return metadata; },
         .end = [&](const SnapshotMetadata* done) { written |= done != nullptr; }});
    uint64_t last = 0;
    for (int i = 0; i < 2000; ++i) {
      last = life.Set("k" + std::to_string(i % 100), std::string(100, 'x'));
      if (i % 100 == 99) EXPECT_TRUE(co_await life.journal->AwaitDurable(last));
    }
    while (!written && co_await io::Sleep(seconds{1})) {
    }
    (void)co_await io::Sleep(2 * store::kUpkeepInterval);
    EXPECT_GT(life.journal->log().begin_offset(), 0);
    life.Set("after", "x");
  });
  Run([this, &metadata](Machine& machine) -> Task<void> {
    Life life(machine);
    auto journal = co_await DiskJournal::Open(machine.loop, machine.disk, life.clock, options_);
    EXPECT_TRUE(journal);
    auto found = co_await (*journal)->Replay(life.keyspace);
    EXPECT_TRUE(found);
    EXPECT_EQ(found->applied, metadata.applied);
    EXPECT_EQ(life.keyspace.size(), 101);
    co_await (*journal)->Close();
  });
}

// It was longer than an item may be: no snapshot was written any more, and the log grew for ever.
TEST_F(DiskJournalTest, SnapshotOfALongValueFailed) {
  static constexpr size_t kLong = 3 * store::kMaxSnapshotItemBytes;
  Live([](Life& life) -> Task<void> {
    life.journal->StartSnapshots(
        {.begin = [] { return SnapshotMetadata(); }, .end = [](const SnapshotMetadata*) {}});
    life.Set("long", std::string(kLong, 'x'));
    EXPECT_TRUE(co_await life.journal->AwaitDurable(life.Set("short", "x")));
    EXPECT_TRUE(co_await life.journal->WriteSnapshotNow());
    EXPECT_TRUE(life.journal->snapshots().newest());
    // Without the log.
    Keyspace again({.seed = 8}, life.clock);
    auto reader = co_await life.journal->snapshots().ReadNewest();
    CHECK(reader);
    SnapshotItemReader items;
    while (auto block = *co_await (*reader)->NextBlock()) {
      EXPECT_TRUE(store::ForEachItem(*block, [&](Bytes item) {
        if (!IsSnapshotMetadata(item)) EXPECT_TRUE(ApplySnapshotItem(items, item, again));
      }));
    }
    EXPECT_EQ(again.size(), 2);
    EXPECT_EQ(again.TextOf(*again.Find("long")).size(), kLong);
  });
  Live([](Life& life) -> Task<void> {
    EXPECT_EQ(life.SizeOf("long"), kLong);
    EXPECT_EQ(life.SizeOf("short"), 1);
    co_return;
  });
}

}  // namespace
}  // namespace meridian::session
