// The journal of a data center's purges: numbered from 1, on disk before anybody hears of them,
// and bounded: the oldest go first. It is small, so it is kept whole in memory too.
//
// The file is lines: the journal's identity, then one order each, with a hash before it. A new one
// takes the file's place when half of it is of no more use, or when a write failed. What a crash
// left unfinished at the end is cut off; damage anywhere else makes a new journal with another
// identity, by which edges know that they must forget all they have.
//
// Owned by Purges; one thread: the loop's. Run must run for Append to end.
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
  // `folder` exists; the file in it is called `name`.
  PurgeJournal(io::Disk& disk, std::string folder, const std::string& name, Random random);

  // Reads what is there, or makes a new journal. An error is the disk's.
  io::Task<Result<void>> Open();
  // Writes what is appended, until cancelled.
  io::Task<void> Run();

  // The order's number, once it is safe. kUnavailable: too many wait for the disk. Else the disk's
  // error: it may or may not be found after a crash.
  io::Task<Result<uint64_t>> Append(site::PurgeOrder order);

  uint64_t id() const { return id_; }
  uint64_t newest() const { return oldest_ + entries_.size() - 1; }
  // The entries after `after`, oldest first, as many as go in one answer.
  site::PurgePollAnswer After(uint64_t after) const;
  // Woken when `newest` grows.
  io::WaitQueue& grown() { return grown_; }

 private:
  struct Batch;

  bool Take(std::string_view text);
  bool TakeHeader(std::string_view text);
  bool TakeLine(std::string_view line);
  void Begin();
  void Forget();
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
  size_t entry_bytes_ = 0;  // of their values

  std::unique_ptr<io::File> file_;  // null: it must be written anew
  uint64_t file_bytes_ = 0;
  size_t lines_ = 0;  // in the file

  std::shared_ptr<Batch> gathering_;  // what is appended while another batch is written
  io::WaitQueue begun_;
  io::WaitQueue written_;
  io::WaitQueue grown_;
};

}  // namespace meridian::agent
