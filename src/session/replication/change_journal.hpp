// ChangeJournal: where changes go to outlive the process, and from where other data centers get
// them. The seam between the commands and the disk. Owned by the Session; one thread: the loop's.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::session {

class ChangeJournal {
 public:
  virtual ~ChangeJournal() = default;

  // Whether changes must be written at all.
  virtual bool wants_changes() const = 0;
  // Why no write can be accepted now (the disk is full), for people. Empty: it can.
  virtual std::string refusal() const = 0;
  // Takes a change (data/change.hpp); the end offset of all changes so far. The order of calls is
  // the order of changes.
  virtual uint64_t Append(Bytes change) = 0;
  // All changes below are on disk.
  virtual uint64_t durable_end_offset() const = 0;
  // Waits until all changes below `end_offset` are on disk. Many wait at once, and one sync serves
  // them all. kIo: they never will be; kUnavailable: the disk stays full; kCancelled.
  virtual io::Task<Result<void>> AwaitDurable(uint64_t end_offset) = 0;
};

// For durability = "memory": changes are lost with the process.
class MemoryJournal final : public ChangeJournal {
 public:
  bool wants_changes() const override { return false; }
  std::string refusal() const override { return {}; }
  uint64_t Append(Bytes /*change*/) override { return 0; }
  uint64_t durable_end_offset() const override { return 0; }
  io::Task<Result<void>> AwaitDurable(uint64_t /*end_offset*/) override {
    co_return Result<void>{};
  }
};

}  // namespace meridian::session
