// The body of a record of the session log: a change, a part of a long change, or a heartbeat. Pure.
//
// It is a byte for the kind, then the content. The parts of a change follow each other.
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
  kChange = 0,     // a whole change, or the last part of one
  kMoreParts = 1,  // a part that more parts follow
  kHeartbeat = 2,
  kAbandoned = 3,  // the parts before it stay incomplete: the process ended within a change
};

// Joins the parts of changes. One reader for each log that is read.
class LogRecordReader {
 public:
  enum class Found : uint8_t { kNothing, kChange, kHeartbeat };
  struct Taken {
    Found found = Found::kNothing;
    Bytes bytes{};  // of the change or heartbeat; valid until the next Take, and as long as `body`
  };

  // kInvalid: the kind is unknown.
  Result<Taken> Take(Bytes entry);
  // Whether more parts of a change must follow.
  bool within_change() const { return !unfinished_.empty(); }
  // Drops the parts that were read.
  void Reset() { unfinished_.clear(); }

 private:
  std::string unfinished_;
  std::string record_;
};

}  // namespace meridian::session
