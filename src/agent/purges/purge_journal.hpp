// The journal of a data center's purge orders: numbered from 1, on disk before edges receive them,
// and bounded: the oldest are removed first. It is small, so memory holds all of it too.
//
// Format of the file: a line with the journal's identity, then a line for each order, each line
// with a hash in front. A new file replaces it when half of its content is obsolete, or when a
// write failed. An unfinished last line (after a crash) is cut off. Damage anywhere else starts a
// new journal with a new identity, which makes edges clear their caches.
//
// Owned by Purges; one thread: the loop's. Append completes only while Run runs.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/view/purge.hpp"

namespace meridian::agent {

class PurgeJournal {
 public:
  // `folder` must exist; `name` is the file's name in it.
  PurgeJournal(io::Disk& disk, std::string folder, const std::string& name, Random random);

  // Reads the journal, or creates a new one. Errors: the disk's.
  io::Task<Result<void>> Open();
  // Writes appended orders, until cancelled.
  io::Task<void> Run();

  // Returns the order's number once the order is on disk. kUnavailable: too many orders wait for
  // the disk. Other errors: the disk's; the order may or may not exist after a restart.
  io::Task<Result<uint64_t>> Append(site::PurgeOrder order);

  uint64_t id() const { return id_; }
  uint64_t newest() const { return oldest_ + entries_.size() - 1; }
  // The entries after number `after`, oldest first, at most kMaxPurgesInAnswer.
  site::PurgePollAnswer After(uint64_t after) const;
  // Woken when newest() grows.
  io::WaitQueue& grown() { return grown_; }

 private:
  struct Batch;

  bool Take(std::string_view text);
  bool TakeHeader(std::string_view text);
  bool TakeLine(std::string_view line);
  void Begin();
  void EvictOldest();
  io::Task<Result<void>> Rewrite();
  io::Task<Result<void>> WriteBatch(Batch& batch);
  std::string Header() const;
  std::string path() const { return folder_ + "/" + name_; }

  io::Disk& disk_;
  const std::string folder_;
  const std::string name_;
  Random random_;
  uint64_t id_ = 0;
  uint64_t oldest_ = 1;
  std::deque<site::PurgeOrder> entries_;
  size_t entry_bytes_ = 0;  // bytes of the values of entries_

  std::unique_ptr<io::File> file_;  // null: the next write must rewrite the file
  uint64_t file_bytes_ = 0;
  size_t lines_ = 0;  // in the file

  std::shared_ptr<Batch> next_batch_;  // orders that arrive while another batch is written
  io::WaitQueue appended_;
  io::WaitQueue written_;
  io::WaitQueue grown_;
};

}  // namespace meridian::agent
