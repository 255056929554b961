#include "visit/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "visit/limits.hpp"
#include "visit/record.hpp"
#include "wire/json/writer.hpp"

namespace meridian::visit {
namespace {

constexpr size_t kIndent = 2;
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

// Rounds to microseconds; more digits are noise.
double RoundedMs(Duration duration) { return std::round(Seconds(duration) * 1e6) / 1e3; }

}  // namespace

void Statistics::Count(const std::string& name, Counts* counts) {
  bool full = counts->size() >= kMaxCountedNames && !counts->contains(name);
  ++(*counts)[full ? "(others)" : name];
}

void Statistics::Add(const Visit& visit) {
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

std::string Statistics::Json(const Frame& frame) const {
  wire::json::Writer writer({.indent = kIndent});
  auto counts = [&](std::string_view name, const Counts& all) {
    writer.BeginObject(name);
    for (const auto& [each, count] : all) writer.Member(each, count);
    writer.EndObject();
  };
  auto milliseconds = [&](std::string_view name, Duration duration) {
    if (any_served()) {
      writer.Member(name, RoundedMs(duration));
    } else {
      writer.Member(name, nullptr);
    }
  };
  writer.BeginObject();
  writer.Member("requests", requests_);
  writer.Member("failed", failed_);
  writer.Member("fell_back", fell_back_);
  counts("by_datacenter", by_datacenter_);
  counts("by_edge", by_edge_);
  counts("by_instance", by_instance_);
  counts("by_status", by_status_);
  counts("errors", errors_);
  milliseconds("p50_ms", std::min(Quantile(kMedian), longest_));
  milliseconds("p99_ms", std::min(Quantile(kTail), longest_));
  milliseconds("max_ms", longest_);
  writer.Member("elapsed_s", RoundedMs(frame.elapsed) / 1e3);
  writer.Member("dns_questions", frame.dns_questions);
  writer.Member("interrupted", frame.interrupted);
  writer.EndObject();
  return writer.Take() + "\n";
}

std::string Statistics::Line(const Frame& frame) const {
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

}  // namespace meridian::visit
