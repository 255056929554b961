#include "session/replication/follower.hpp"

#include <cstdint>
#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/data/keyspace.hpp"
#include "session/limits.hpp"
#include "session/replication/basis.hpp"
#include "session/replication/log_entry.hpp"
#include "session/replication/snapshot_item.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::session {

Follower::Follower(io::Loop& loop, Options options)
    : loop_(loop), options_(std::move(options)), scope_(loop) {}

io::Task<Result<std::unique_ptr<Follower>>> Follower::Open(io::Loop& loop, io::Disk& disk,
                                                           Options options) {
  std::unique_ptr<Follower> follower(new Follower(loop, std::move(options)));
  Result<void> opened = co_await follower->OpenAll(disk);
  if (opened) co_return follower;
  co_await follower->Close();
  co_return Fail(std::move(opened.error()));
}

io::Task<Result<void>> Follower::OpenAll(io::Disk& disk) {
  Result<void> made = co_await disk.MakeFolder(options_.folder);
  if (!made) co_return made;
  auto snapshots = co_await store::Snapshots::Open(disk, options_.folder + "/snapshots");
  if (!snapshots) co_return Fail(std::move(snapshots.error()));
  snapshots_ = std::move(*snapshots);
  auto copy = co_await store::Log::Open(loop_, disk,
                                        {.folder = options_.folder + "/log",
                                         .name = "session of " + options_.source,
                                         .id = 0,
                                         .on_disk_failure = options_.on_disk_failure});
  if (!copy) co_return Fail(std::move(copy.error()));
  copy_ = std::move(*copy);
  co_return Result<void>{};
}

io::Task<Result<void>> Follower::Replay(Keyspace& keyspace, uint64_t applied,
                                        const OnBeat& on_beat) {
  next_ = applied_ = applied;
  co_return co_await ApplyNew(keyspace, on_beat);
}

void Follower::Start(store::MirrorClientOptions options, store::MirrorClient::Dial dial,
                     Keyspace& keyspace, OnBeat on_beat) {
  mirror_ = std::make_unique<store::MirrorClient>(loop_, std::move(options), *copy_, *snapshots_,
                                                  std::move(dial));
  scope_.Spawn(mirror_->Run());
  scope_.Spawn(ApplyAsItComes(keyspace, std::move(on_beat)));
}

io::Task<void> Follower::Close() {
  scope_.Cancel();
  co_await scope_.Join();
  if (copy_) co_await copy_->Close();
}

io::Task<void> Follower::ApplyAsItComes(Keyspace& keyspace, OnBeat on_beat) {
  bool told = false;
  for (;;) {
    Result<void> done = co_await copy_->Durable(next_);
    if (done) done = co_await ApplyNew(keyspace, on_beat);
    if (done) {
      told = false;
      continue;
    }
    if (done.error().code == Errc::kCancelled || done.error().code == Errc::kClosed) co_return;
    if (done.error().code == Errc::kUnavailable) {
      // The disk is full, which its log has told.
      if (!co_await io::Sleep(store::kFullDiskRetry)) co_return;
      continue;
    }
    if (!told) {
      LOG_ERROR("what another data center has written cannot be applied",
                {"source", options_.source}, {"error", done.error().message});
    }
    told = true;
    if (!co_await io::Sleep(store::kApplyRetry)) co_return;
  }
}

io::Task<Result<void>> Follower::ApplyNew(Keyspace& keyspace, const OnBeat& on_beat) {
  while (next_ < copy_->durable_end()) {
    auto batch = co_await copy_->Read(next_, store::kApplyBytes);
    if (!batch && batch.error().code == Errc::kNotFound) {
      Result<void> loaded = co_await ApplySnapshot(keyspace);
      if (!loaded) co_return loaded;
      continue;
    }
    if (!batch) co_return Fail(std::move(batch.error()));
    Result<void> applied;
    batch->ForEach([&](const store::Record& record) {
      if (!applied) return;
      applied = ApplyEntry(keyspace, on_beat, record.body);
      if (!applied) return;
      next_ = record.next_offset();
      if (!entries_.within_record()) applied_ = next_;
    });
    if (!applied) co_return applied;
  }
  co_return Result<void>{};
}

// What the copy no longer has is in the snapshot that came in its place.
io::Task<Result<void>> Follower::ApplySnapshot(Keyspace& keyspace) {
  if (!snapshots_->newest() || snapshots_->newest()->offset <= next_) {
    co_return Fail(Errc::kIo, "the copy begins at {}, and no snapshot reaches from {} to there",
                   copy_->begin_offset(), next_);
  }
  auto reader = co_await snapshots_->ReadNewest();
  if (!reader) co_return Fail(std::move(reader.error()));
  uint64_t offset = (*reader)->info().offset;
  ItemReader items;
  for (;;) {
    auto block = co_await (*reader)->NextBlock();
    if (!block) co_return Fail(std::move(block.error()));
    if (!block->has_value()) break;
    Result<void> applied;
    Result<void> whole = store::ForEachItem(**block, [&](Bytes item) {
      if (applied && !IsBasis(item)) applied = ApplyItem(items, item, keyspace);
    });
    if (!whole) co_return whole;
    if (!applied) co_return applied;
  }
  entries_.Reset();
  next_ = applied_ = offset;
  co_return Result<void>{};
}

Result<void> Follower::ApplyEntry(Keyspace& keyspace, const OnBeat& on_beat, Bytes entry) {
  Result<EntryReader::Taken> taken = entries_.Take(entry);
  if (!taken) return Fail(std::move(taken.error()));
  switch (taken->found) {
    case EntryReader::Found::kNothing:
      break;
    case EntryReader::Found::kRecord:
      return keyspace.Apply(taken->bytes);
    case EntryReader::Found::kBeat:
      on_beat(taken->bytes);
      break;
  }
  return {};
}

}  // namespace meridian::session
