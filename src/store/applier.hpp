// Applier: the state that a Journal or a Replica restores from snapshots and records. Store knows
// their bytes, the owner of the state knows their meaning.
//
// Owned by the owner of the state; one thread: the loop's. It outlives the Journal or Replica that
// calls it.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "store/log/record.hpp"

namespace meridian::store {

class Snapshots;

class Applier {
 public:
  virtual ~Applier() = default;

  // A snapshot is about to be loaded. It covers everything that was applied before, so the records
  // that follow start from the snapshot alone, or are merged with what is there already.
  virtual void BeginLoading() = 0;
  // The next item of that snapshot, in the order in which it was written. kInvalid.
  virtual Result<void> LoadItem(Bytes item) = 0;
  // All items were loaded.
  virtual void EndLoading() = 0;

  // The next record of the log. kInvalid: nothing of it was applied.
  virtual Result<void> Apply(const Record& record) = 0;
  // Waits until the state can take the records of another read: for a state that does a part of the
  // work later. kCancelled.
  virtual io::Task<Result<void>> AwaitRoom();
  // False: the last record is the first part of a larger one, so a restart must apply it again.
  virtual bool at_boundary() const = 0;
};

// Loads the newest snapshot; the end offset of what it covers. kNotFound: there is none; kIo: it is
// damaged; kInvalid: the applier did not accept an item.
io::Task<Result<uint64_t>> LoadNewest(Snapshots& snapshots, Applier& applier);

}  // namespace meridian::store
