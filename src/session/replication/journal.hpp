// Journal: where records go to outlive the process, and from where other data centers hear of them.
// The seam between the commands and the disk. Owned by main; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::session {

class Journal {
 public:
  virtual ~Journal() = default;

  // Whether records should be made at all.
  virtual bool wants_records() const = 0;
  // Why no write can be taken now (the disk is full), for people; empty: it can.
  virtual std::string refusal() const = 0;
  // Takes a record in; the offset behind it. The order of calls is the order of records.
  virtual uint64_t Append(Bytes record) = 0;
  // Records before this offset outlive the process.
  virtual uint64_t durable() const = 0;
  // Waits until durable() is at least `offset`. Many wait at once, and one sync serves them all.
  // kIo: it never will be; kCancelled.
  virtual io::Task<Result<void>> AwaitDurable(uint64_t offset) = 0;
};

// For durability = "memory": what is written is gone with the process.
class MemoryJournal final : public Journal {
 public:
  bool wants_records() const override { return false; }
  std::string refusal() const override { return {}; }
  uint64_t Append(Bytes /*record*/) override { return 0; }
  uint64_t durable() const override { return 0; }
  io::Task<Result<void>> AwaitDurable(uint64_t /*offset*/) override { co_return Result<void>{}; }
};

// Which other data centers have what was journaled here: the seam between WAIT and mirroring. Owned
// by main; one thread.
class Copies {
 public:
  virtual ~Copies() = default;
  // How many of them have the records before `offset` on their disks.
  virtual size_t Have(uint64_t offset) const = 0;
  // Waits until `count` of them have the records before `offset` on their disks; how many have in
  // the end, also at the deadline or when cancelled.
  virtual io::Task<size_t> Await(uint64_t offset, size_t count, TimePoint deadline) = 0;
};

}  // namespace meridian::session
