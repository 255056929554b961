// The value of a term's key: who holds it. Pure.
//
//   {"holder":"us-east","life":"3f6c…","epoch":7,"beat":41}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian::site {

struct TermRecord {
  std::string holder;  // a data center. Empty: nobody holds it
  // Random for each start of a process that holds terms: the next start is another holder.
  uint64_t life = 0;
  uint64_t epoch = 0;  // greater each time that somebody takes it; 0: nobody has yet
  uint64_t beat = 0;   // other with each write

  bool operator==(const TermRecord&) const = default;
};

std::string ToJson(const TermRecord& record);
// kInvalid: it is no such record, kTooLarge.
Result<TermRecord> ReadTermRecord(std::string_view json);

}  // namespace meridian::site
