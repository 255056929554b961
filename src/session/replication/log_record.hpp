// What one entry of a session log is: a record, a part of a long one, or a beat. Pure.
//
// An entry is a byte that says which, then its body. The parts of a record follow each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian::session {

// The name of the session log in log lines, and where logs are mirrored.
inline constexpr const char* kLogName = "session";

enum class LogRecordKind : uint8_t {
  kRecord = 0,     // a whole one, or the last part of one
  kMoreParts = 1,  // a part with more behind it
  kHeartbeat = 2,
  kAbandoned = 3,  // of the parts before it no more will come: the process ended within a record
};

// Puts entries together again. One for each log that is read.
class LogRecordReader {
 public:
  enum class Found : uint8_t { kNothing, kRecord, kHeartbeat };
  struct Taken {
    Found found = Found::kNothing;
    Bytes bytes{};  // of the record or beat; valid until the next Take, and as long as the entry
  };

  // kInvalid: it is none of these.
  Result<Taken> Take(Bytes entry);
  // Whether parts of a record are awaited.
  bool within_change() const { return !unfinished_.empty(); }
  // Forgets what was begun.
  void Reset() { unfinished_.clear(); }

 private:
  std::string unfinished_;
  std::string record_;
};

}  // namespace meridian::session
