// One line of the access log: a JSON object about one visitor's request. The visitor's texts are
// truncated to limits and escaped, so that a request cannot forge a line. Appending allocates
// nothing when `out` has room for kMaxAccessLineBytes. Pure; one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "wire/http/fields/trace_context.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// Limits of a visitor's texts before escaping; a longer text is cut, and the line has "truncated".
constexpr size_t kMaxLoggedMethodBytes = 32;
constexpr size_t kMaxLoggedHostBytes = 256;
constexpr size_t kMaxLoggedTargetBytes = 2048;
constexpr size_t kMaxLoggedAgentBytes = 512;
constexpr size_t kMaxLoggedRefererBytes = 1024;
// An escaped byte has at most 6 bytes.
constexpr size_t kMaxAccessLineBytes =
    1024 + 6 * (kMaxLoggedMethodBytes + kMaxLoggedHostBytes + kMaxLoggedTargetBytes +
                kMaxLoggedAgentBytes + kMaxLoggedRefererBytes);

struct AccessEntry {
  WallTime time = {};  // when the request's head was read
  IpAddress client;
  const wire::http::RequestHead& request;
  const wire::http::RequestIds& ids;
  int status = 0;  // 0: no response was begun
  bool complete = false;
  uint64_t sent_bytes = 0;
  Duration took = {};
  VisitorResult result = VisitorResult::kHere;
  std::string_view datacenter = {};
  std::string_view instance = {};
};

class AccessLineWriter {
 public:
  // Appends the line, with its newline.
  void Append(const AccessEntry& entry, std::string* out);

 private:
  void AppendTime(WallTime time, std::string* out);

  // The formatted text of the last second, for all requests within it.
  std::chrono::sys_seconds second_{std::chrono::seconds{-1}};
  std::array<char, 32> second_text_{};
  size_t second_bytes_ = 0;
};

}  // namespace meridian::edge
