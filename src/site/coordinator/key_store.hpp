// KeyStore: keys of the coordinator, with compare-and-set. What is written is on the disks of most
// members; a read sees all that was written before it began (linearizable).
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::site {

// A key's value and when it was changed. Each change of any key has a revision, one more than the
// change before.
struct StoredKey {
  std::string value;
  int64_t revision = 0;         // of its last change; 0: there is no such key
  int64_t newest_revision = 0;  // of the last change of any key, when this was read or written

  bool operator==(const StoredKey&) const = default;
};

// The outcome of a compare-and-set: the key as it is afterwards.
struct KeyWrite {
  bool done = false;  // else the key had changed: `now` is what it has
  StoredKey now;
};

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  // kUnavailable, kTimeout: no member answers, or they have no leader.
  virtual io::Task<Result<StoredKey>> Read(std::string key, TimePoint deadline) = 0;
  // Writes the value if the key is still at `revision` (0: if there is none). An error means that
  // the outcome is not known: it may have been written, or may still be.
  virtual io::Task<Result<KeyWrite>> Write(std::string key, std::string value, int64_t revision,
                                           TimePoint deadline) = 0;
};

}  // namespace meridian::site
