// CopyGate: holds batches back until enough other data centers have them on disk. When too few have
// them for kMaxCopyWait, it goes on with those that have: this data center is then alone, or has
// fewer copies than were asked for, until the missing ones have caught up.
//
// Owned by Mirrors; one thread: the main loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/segment_writer.hpp"
#include "store/mirror/mirror_server.hpp"

namespace meridian::queue {

class CopyGate final : public MirrorGate {
 public:
  struct Parts {
    io::Loop& loop;
    store::MirrorServer& server;
    std::string log;                        // the journal's name there
    size_t peers = 0;                       // other data centers
    std::function<uint64_t()> journal_end;  // durable
  };
  explicit CopyGate(Parts parts);
  void Start();
  io::Task<void> Stop();

  bool IsOpen(uint64_t journal_end, size_t copies) const override;
  io::Task<Result<void>> Await(uint64_t journal_end, size_t copies) override;

  // The number of copies that acknowledged batches have for certain, of those that were asked for;
  // nothing is missing while it is `asked()`.
  size_t certain() const;
  size_t asked() const { return asked_; }
  bool is_missing_copies() const { return asked_ > 0 && certain() < asked_; }

 private:
  size_t Wanted(size_t copies) const;
  io::Task<void> AwaitReturn();

  Parts parts_;
  std::vector<bool> given_up_;  // by the number of copies
  size_t asked_ = 0;            // the greatest number
  io::WaitQueue gave_up_;
  io::Scope scope_;
};

}  // namespace meridian::queue
