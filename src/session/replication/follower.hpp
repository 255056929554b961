// Follower: keeps a copy of another data center's session log (store/mirror/mirror_client.hpp) and
// applies to the keyspace what comes in. A copy outlives the process: what was applied since the
// last snapshot of the keyspace is applied again from it at the next start.
//
// Owned by the Replication; one thread: the loop's. Close before it goes. Invariant: all of the
// copy below applied() is in the keyspace.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/log_entry.hpp"
#include "store/disk_failure.hpp"
#include "store/log/log.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::session {

// The name of the session log where logs are mirrored.
inline constexpr const char* kLogName = "session";

class Follower {
 public:
  // Called for each beat, when all before it is applied.
  using OnBeat = std::function<void(Bytes beat)>;
  struct Options {
    std::string source;  // the data center
    std::string folder;  // of the copy
    store::OnDiskFailure on_disk_failure = store::EndProcessOnDiskFailure;
  };

  static io::Task<Result<std::unique_ptr<Follower>>> Open(io::Loop& loop, io::Disk& disk,
                                                          Options options);

  // Applies what the copy has from `applied` on.
  io::Task<Result<void>> Replay(Keyspace& keyspace, uint64_t applied, const OnBeat& on_beat);
  // Follows the source from now on. The keyspace outlives Close.
  void Start(store::MirrorClientOptions options, store::MirrorClient::Dial dial, Keyspace& keyspace,
             OnBeat on_beat);
  io::Task<void> Close();

  const std::string& source() const { return options_.source; }
  const std::string& folder() const { return options_.folder; }
  // Of the log that is copied; 0: none yet.
  uint64_t log_id() const { return copy_->id(); }
  uint64_t applied() const { return applied_; }
  // A snapshot of the keyspace stands for what is below.
  void Release(uint64_t offset) { copy_->SetRetention({.released_before = offset}); }
  // The source was heard of: if it is not followed, it is dialled now.
  void Hurry() {
    if (mirror_) mirror_->Hurry();
  }
  // Null before Start.
  const store::MirrorClient* mirror() const { return mirror_.get(); }

 private:
  Follower(io::Loop& loop, Options options);
  io::Task<Result<void>> OpenAll(io::Disk& disk);
  io::Task<void> ApplyAsItComes(Keyspace& keyspace, OnBeat on_beat);
  io::Task<Result<void>> ApplyNew(Keyspace& keyspace, const OnBeat& on_beat);
  io::Task<Result<void>> ApplySnapshot(Keyspace& keyspace);
  Result<void> ApplyEntry(Keyspace& keyspace, const OnBeat& on_beat, Bytes entry);

  io::Loop& loop_;
  Options options_;
  std::unique_ptr<store::Log> copy_;
  std::unique_ptr<store::Snapshots> snapshots_;
  std::unique_ptr<store::MirrorClient> mirror_;
  EntryReader entries_;
  uint64_t next_ = 0;     // to be read
  uint64_t applied_ = 0;  // the same, but for a record that has begun
  io::Scope scope_;
};

}  // namespace meridian::session
