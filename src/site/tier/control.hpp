// The control stream between the agent and a tier that it runs: newline-delimited JSON over an
// inherited socket pair.
//
//   agent -> tier   {"view": {...SiteView...}}     whole, each time it changes
//   tier -> agent   {"ready": true, "view": 17, "detail": "...", "load_rps": 120,
//                    "connections": 4711, "leaving": 0, "instances": [...]}
//
// The tier obeys the view with the highest number and answers each that it has taken up; a tier
// that is to drain gets SIGTERM, not a message. A pure codec: no sockets. Unknown keys are passed
// over; anything else that is not as above is an error, after which the stream is given up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "site/view/view.hpp"

namespace meridian::site {

// What the balancer says of an instance. The counts are of the last ten seconds; `failures` of the
// `requests` got a 5xx or no answer.
struct InstanceReport {
  std::string id;
  InstanceUse use = InstanceUse::kUnknown;
  uint32_t in_flight = 0;
  uint32_t requests = 0;
  uint32_t failures = 0;

  bool operator==(const InstanceReport&) const = default;
};

// What a tier says of itself.
struct TierReport {
  bool ready = false;        // can do its work
  uint64_t view_number = 0;  // of the view that it obeys; 0: none yet
  // For people: why it is not ready, or what is unusual though it is. At most kMaxDetailBytes.
  std::string detail;
  uint32_t load_rps = 0;     // requests a second, through RoundLoad
  uint64_t connections = 0;  // that visitors have made since it started; probes do not count
  uint64_t leaving = 0;      // requests that it has at instances which, by that view, are to leave
  std::vector<InstanceReport> instances = {};  // the balancer's; kMaxInstancesPerDataCenter at most

  bool operator==(const TierReport&) const = default;
};

// One line, with its newline. kTooLarge when the view is (ToJson).
Result<std::string> EncodeView(const SiteView& view);
// One line, with its newline. A longer detail is cut.
std::string EncodeReport(const TierReport& report);

// A line without its newline. Errors as FromJson.
Result<SiteView> DecodeView(std::string_view line);
Result<TierReport> DecodeReport(std::string_view line);

// Cuts a byte stream into lines, however it was torn. Holds at most `max_line_bytes`. One thread.
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

  // Takes bytes from the front of `input` up to the next newline, and gives the line without it; or
  // takes all of `input` and gives nothing. kTooLarge for a line of more than `max_line_bytes`.
  Result<std::optional<std::string>> Take(std::string_view* input);

  // Whether the stream may end here: no line is half received.
  bool at_line_start() const { return partial_.empty(); }

 private:
  size_t max_line_bytes_;
  std::string partial_;
};

}  // namespace meridian::site
