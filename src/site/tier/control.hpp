// The control stream between the agent and a tier that it runs: newline-delimited JSON over an
// inherited socket pair.
//
//   agent -> tier   {"view": {...SiteView...}}     whole, each time it changes
//   tier -> agent   {"ready": true, "view": 17, "detail": "...", "load_rps": 120,
//                    "connections": 4711, "leaving": 0, "instances": [...]}
//
// The tier obeys the view with the highest number and reports each view that it obeys. To drain a
// tier the agent sends SIGTERM, not a message. A pure codec: no sockets. Unknown keys are ignored;
// any other deviation is an error, after which the stream is closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "site/view/view.hpp"

namespace meridian::site {

// A tier's report of an instance. The counts cover the last ten seconds; `failures` of the
// `requests` got a 5xx or no answer.
struct InstanceReport {
  std::string id;
  InstanceUse use = InstanceUse::kUnknown;
  uint32_t in_flight = 0;
  uint32_t requests = 0;
  uint32_t failures = 0;

  bool operator==(const InstanceReport&) const = default;
};

// A tier's report of itself.
struct TierReport {
  bool ready = false;        // can do its work
  uint64_t view_number = 0;  // of the view that it obeys; 0: no view yet
  // For people: why it is not ready, or a problem of a ready tier. At most kMaxDetailBytes.
  std::string detail;
  uint32_t load_rps = 0;     // requests a second, rounded by RoundLoad
  uint64_t connections = 0;  // of visitors since its start; probes do not count
  uint64_t leaving = 0;      // requests in flight at instances that are leaving by that view
  std::vector<InstanceReport> instances =
      {};  // of edge and balancer; at most kMaxInstancesPerDataCenter

  bool operator==(const TierReport&) const = default;
};

// One line, with its newline. kTooLarge when the view is (ToJson).
Result<std::string> EncodeView(const SiteView& view);
// One line, with its newline. A longer detail is cut.
std::string EncodeReport(const TierReport& report);

// A line without its newline. Errors as FromJson.
Result<SiteView> DecodeView(std::string_view line);
Result<TierReport> DecodeReport(std::string_view line);

// Splits a byte stream into lines, wherever reads split it. Holds at most `max_line_bytes`. One
// thread.
//
//   std::string_view input = ...what just arrived...;
//   while (true) {
//     Result<std::optional<std::string>> line = splitter.Take(&input);
//     if (!line) return Fail(line.error());   // give the stream up
//     if (!*line) break;                      // the rest comes later
//     ...
//   }
class LineSplitter {
 public:
  explicit LineSplitter(size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  // Removes bytes from the front of `input` up to the next newline, and returns the line without
  // it; or removes all of `input` and returns nothing. kTooLarge for a line of more than
  // `max_line_bytes`.
  Result<std::optional<std::string>> Take(std::string_view* input);

  // Whether the stream may end here: no partial line is held.
  bool at_line_start() const { return partial_.empty(); }

 private:
  size_t max_line_bytes_;
  std::string partial_;
};

}  // namespace meridian::site
