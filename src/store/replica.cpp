#include "store/replica.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/log.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/applier.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::store {

Replica::Replica(io::Loop& loop, io::Disk& disk, ReplicaOptions options)
    : loop_(loop), disk_(disk), options_(std::move(options)) {}

io::Task<Result<std::unique_ptr<Replica>>> Replica::Open(io::Loop& loop, io::Disk& disk,
                                                         ReplicaOptions options) {
  std::unique_ptr<Replica> replica(new Replica(loop, disk, std::move(options)));
  Result<void> opened = co_await replica->OpenAll();
  if (opened) co_return replica;
  co_await replica->Close();
  co_return Fail(std::move(opened.error()));
}

io::Task<Result<void>> Replica::OpenAll() {
  Result<void> made = co_await disk_.MakeFolder(options_.folder);
  if (!made) co_return made;
  auto snapshots = co_await Snapshots::Open(disk_, options_.folder + "/snapshots",
                                            options_.headroom_bytes / kSnapshotReserveShare);
  if (!snapshots) co_return Fail(std::move(snapshots.error()));
  snapshots_ = std::move(*snapshots);
  auto copy = co_await Log::Open(loop_, disk_,
                                 {.folder = options_.folder + "/log",
                                  .name = fmt::format("{} of {}", options_.log, options_.source),
                                  .id = 0,
                                  .segment_bytes = options_.segment_bytes,
                                  .headroom_bytes = options_.headroom_bytes,
                                  .on_disk_failure = options_.on_disk_failure});
  if (!copy) co_return Fail(std::move(copy.error()));
  copy_ = std::move(*copy);
  co_return Result<void>{};
}

io::Task<Result<void>> Replica::Replay(Applier& applier, const AppliedOffsets& applied) {
  auto found = applied.find(copy_->id());
  next_ = applied_ = found == applied.end() ? 0 : found->second;
  co_return co_await ApplyNew(applier);
}

void Replica::Start(MirrorClientOptions options, MirrorClient::Dial dial, Applier& applier) {
  options.source = options_.source;
  options.log = options_.log;
  mirror_options_ = std::make_unique<MirrorClientOptions>(std::move(options));
  dial_ = std::move(dial);
  applier_ = &applier;
  Resume();
  StartApplying();
}

// A scope that was cancelled cancels what it spawns.
void Replica::StartApplying() {
  applying_ = std::make_unique<io::Scope>(loop_);
  applying_->Spawn(ApplyAsItComes(*applier_));
}

io::Task<void> Replica::Pause() {
  if (!following_) co_return;
  following_->Cancel();
  co_await following_->Join();
  following_.reset();
}

void Replica::Resume() {
  MirrorClientOptions options = *mirror_options_;
  options.min_epoch = std::max(options.min_epoch, min_epoch_);
  mirror_ = std::make_unique<MirrorClient>(loop_, options, *copy_, *snapshots_, dial_);
  following_ = std::make_unique<io::Scope>(loop_);
  following_->Spawn(mirror_->Run());
}

io::Task<void> Replica::Close() {
  co_await Pause();
  if (applying_) {
    applying_->Cancel();
    co_await applying_->Join();
  }
  if (copy_) co_await copy_->Close();
}

// The closed log stays until the next one is open: others ask it meanwhile.
io::Task<Result<void>> Replica::RemoveCopy() {
  co_await Close();
  mirror_.reset();
  // The log is whole without snapshots, and snapshots are not without the log.
  Result<void> removed = co_await RemoveFiles(options_.folder + "/snapshots");
  if (removed) removed = co_await RemoveFiles(options_.folder + "/log");
  Result<void> opened = co_await OpenAll();
  // Also if not all could be removed or synced: what comes begins where the copy ends.
  if (opened && copy_->id() == 0) next_ = applied_ = 0;
  if (opened) {
    StartApplying();
  } else {
    problem_ = fmt::format("its copy cannot be opened; restart: {}", opened.error().message);
  }
  co_return removed ? opened : removed;
}

// In the order of their names, the oldest first: what a crash leaves is the end of a log.
io::Task<Result<void>> Replica::RemoveFiles(std::string folder) {
  auto names = co_await disk_.List(folder);
  if (!names) co_return Fail(std::move(names.error()));
  for (const std::string& name : *names) {
    Result<void> removed = co_await disk_.Remove(folder + "/" + name);
    if (!removed) co_return removed;
  }
  co_return co_await disk_.SyncFolder(folder);
}

io::Task<void> Replica::ApplyAsItComes(Applier& applier) {
  bool logged = false;
  for (;;) {
    Result<void> done = co_await copy_->Durable(next_ + 1);
    if (done) done = co_await ApplyNew(applier);
    problem_ = done ? "" : done.error().message;
    if (done) {
      logged = false;
      continue;
    }
    if (done.error().code == Errc::kCancelled || done.error().code == Errc::kClosed) co_return;
    if (done.error().code == Errc::kUnavailable) {
      // The disk is full, which the log has reported.
      if (!co_await io::Sleep(kFullDiskRetry)) co_return;
      continue;
    }
    if (!logged) {
      LOG_ERROR("records of another data center cannot be applied", {"log", options_.log},
                {"source", options_.source}, {"offset", next_}, {"error", done.error().message});
    }
    logged = true;
    if (!co_await io::Sleep(kApplyRetry)) co_return;
  }
}

io::Task<Result<void>> Replica::ApplyNew(Applier& applier) {
  while (next_ < copy_->durable_end_offset()) {
    auto batch = co_await copy_->Read(next_, kApplyBytes);
    if (!batch && batch.error().code == Errc::kNotFound) {
      Result<void> loaded = co_await LoadSnapshot(applier);
      if (!loaded) co_return loaded;
      continue;
    }
    if (!batch) co_return Fail(std::move(batch.error()));
    Result<void> applied;
    batch->ForEach([&](const Record& record) {
      if (applied) applied = applier.Apply(record);
      if (!applied) return;
      next_ = record.end_offset();
      if (applier.at_boundary()) applied_ = next_;
    });
    if (!applied) co_return applied;
    Result<void> room = co_await applier.AwaitRoom();
    if (!room) co_return room;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Replica::LoadSnapshot(Applier& applier) {
  if (!snapshots_->newest() || snapshots_->newest()->end_offset <= next_) {
    co_return Fail(Errc::kIo, "the copy begins at {}, and no snapshot reaches from {} to there",
                   copy_->begin_offset(), next_);
  }
  Result<uint64_t> loaded = co_await LoadNewest(*snapshots_, applier);
  if (!loaded) co_return Fail(std::move(loaded.error()));
  next_ = applied_ = *loaded;
  co_return Result<void>{};
}

}  // namespace meridian::store
