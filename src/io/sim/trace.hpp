// Trace: the events of a simulated world, in order. Every event goes into a hash, so that two runs
// can be compared; the text is kept on request. Owned by the World; one thread. The trace holds no
// address, pointer or real time: the same seed gives the same text, byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace meridian::io::sim {

enum class TraceMode : uint8_t { kHashOnly, kText };

class Trace {
 public:
  explicit Trace(TraceMode mode) : mode_(mode) {}

  // One event at `since_start`: its process, its name, and up to two numbers.
  void Record(Duration since_start, std::string_view process, std::string_view what, uint64_t a = 0,
              uint64_t b = 0);

  uint64_t hash() const { return hash_; }
  // One line per event, at most kMaxTraceLines; empty unless kept.
  const std::string& text() const { return text_; }

 private:
  TraceMode mode_;
  uint64_t hash_ = 0;
  size_t lines_ = 0;
  std::string text_;
};

}  // namespace meridian::io::sim
