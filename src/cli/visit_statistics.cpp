#include "cli/visit_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "cli/visit_limits.hpp"
#include "cli/visit_record.hpp"

namespace meridian::cli {
namespace {

constexpr double kMedian = 0.5;
constexpr double kTail = 0.99;

// "us-east 100, us-west 150"
std::string ListOf(const Counts& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  }
  return text;
}

// To the microsecond: more is noise.
double RoundedMs(Duration duration) { return std::round(Seconds(duration) * 1e6) / 1e3; }

}  // namespace

void VisitStatistics::Count(const std::string& name, Counts* counts) {
  bool full = counts->size() >= kMaxCountedNames && !counts->contains(name);
  ++(*counts)[full ? "(others)" : name];
}

void VisitStatistics::Add(const Visit& visit) {
  ++requests_;
  if (FellBack(visit)) ++fell_back_;
  if (Failed(visit)) {
    ++failed_;
    Count(FailureOf(visit), &errors_);
  } else {
    took_.Add(visit.took);
    longest_ = std::max(longest_, visit.took);
  }
  if (visit.problem || visit.attempts.back().error) return;
  const Attempt& last = visit.attempts.back();
  Count(ServedBy(visit), &by_datacenter_);
  Count(fmt::format("{}", last.status), &by_status_);
  if (!last.path.edge.empty()) Count(last.path.edge, &by_edge_);
  if (!last.path.instance.empty()) Count(last.path.instance, &by_instance_);
}

std::string VisitStatistics::Json(const Frame& frame) const {
  nlohmann::ordered_json none;
  auto milliseconds = [&](Duration duration) {
    return any_served() ? nlohmann::ordered_json(RoundedMs(duration)) : none;
  };
  nlohmann::ordered_json json = {
      {"requests", requests_},
      {"failed", failed_},
      {"fell_back", fell_back_},
      {"by_datacenter", by_datacenter_},
      {"by_edge", by_edge_},
      {"by_instance", by_instance_},
      {"by_status", by_status_},
      {"errors", errors_},
      {"p50_ms", milliseconds(std::min(Quantile(kMedian), longest_))},
      {"p99_ms", milliseconds(std::min(Quantile(kTail), longest_))},
      {"max_ms", milliseconds(longest_)},
      {"elapsed_s", RoundedMs(frame.elapsed) / 1e3},
      {"dns_questions", frame.dns_questions},
      {"interrupted", frame.interrupted},
  };
  constexpr int kIndent = 2;
  return json.dump(kIndent) + "\n";
}

std::string VisitStatistics::Line(const Frame& frame) const {
  std::string text = fmt::format("{} request{} in {:.1f} s", requests_, requests_ == 1 ? "" : "s",
                                 Seconds(frame.elapsed));
  if (!by_datacenter_.empty()) text += ": " + ListOf(by_datacenter_);
  text += fmt::format("; {} fell back, {} failed", fell_back_, failed_);
  if (!errors_.empty()) text += fmt::format(" ({})", ListOf(errors_));
  if (any_served()) {
    text += fmt::format("; p50 {:.1f} ms, p99 {:.1f} ms",
                        Milliseconds(std::min(Quantile(kMedian), longest_)),
                        Milliseconds(std::min(Quantile(kTail), longest_)));
  }
  return text + (frame.interrupted ? "; interrupted\n" : "\n");
}

}  // namespace meridian::cli
