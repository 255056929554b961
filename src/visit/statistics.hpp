// Statistics of many visits. Pure; one owner, one thread. Memory does not grow with the visits:
// times are in a histogram, and at most kMaxCountedNames names of each kind are counted.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.hpp"
#include "visit/histogram.hpp"
#include "visit/record.hpp"

namespace meridian::visit {

// By name.
using Counts = std::map<std::string, uint64_t>;

class Statistics {
 public:
  void Add(const Visit& visit);

  uint64_t requests() const { return requests_; }
  uint64_t failed() const { return failed_; }
  uint64_t fell_back() const { return fell_back_; }
  // All answered visits, with any status; the sum is at most requests().
  const Counts& by_datacenter() const { return by_datacenter_; }
  // The failed visits; the sum is failed().
  const Counts& errors() const { return errors_; }
  // Of visits that did not fail, with an error of at most 1/16; zero if all failed.
  Duration Quantile(double quantile) const { return took_.Quantile(quantile); }
  bool any_served() const { return took_.count() > 0; }

  // Values of the whole load.
  struct Frame {
    Duration elapsed;  // of all
    uint64_t dns_questions = 0;
    bool interrupted = false;  // the load was stopped early
  };
  // One object: `requests`, `failed`, `fell_back`, `by_datacenter`, `by_edge`, `by_instance`,
  // `by_status`, `errors`, `p50_ms`, `p99_ms`, `max_ms` (null when none was served), `elapsed_s`,
  // `dns_questions`, `interrupted`. Ends with a newline.
  std::string Json(const Frame& frame) const;
  // One line for people, with its newline.
  std::string Line(const Frame& frame) const;

 private:
  static void Count(const std::string& name, Counts* counts);

  uint64_t requests_ = 0;
  uint64_t failed_ = 0;
  uint64_t fell_back_ = 0;
  Counts by_datacenter_;
  Counts by_edge_;
  Counts by_instance_;
  Counts by_status_;
  Counts errors_;
  Histogram took_;
  Duration longest_{};
};

}  // namespace meridian::visit
