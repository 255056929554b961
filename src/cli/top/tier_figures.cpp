#include "cli/top/tier_figures.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "wire/prom/text_reader.hpp"

namespace meridian::cli {
namespace {

using wire::prom::Sample;
using Samples = std::vector<Sample>;

// Series of a family, all or those with one value of a label.
struct Series {
  std::string_view family;
  std::string_view label = {};
  std::string_view value = {};

  bool Has(const Sample& sample) const {
    return sample.name == family && (label.empty() || sample.LabelOf(label) == value);
  }
};

struct TierMetrics {
  std::string_view tier;
  Series requests;
  std::vector<Series> errors;
  std::string_view durations = {};  // a histogram in seconds
};

const std::vector<TierMetrics>& AllTierMetrics() {
  static const std::vector<TierMetrics> all = {
      {.tier = "dns",
       .requests = {"meridian_dns_queries_total"},
       .errors = {},
       .durations = "meridian_dns_query_duration_seconds"},
      {.tier = "edge",
       .requests = {"meridian_edge_visitor_responses_total"},
       .errors = {{"meridian_edge_visitor_responses_total", "code", "5xx"}},
       .durations = "meridian_edge_visitor_duration_seconds"},
      {.tier = "balancer",
       .requests = {"meridian_balancer_request_duration_seconds_count"},
       .errors = {{"meridian_balancer_request_duration_seconds_count", "code", "5xx"}},
       .durations = "meridian_balancer_request_duration_seconds"},
      {.tier = "session",
       .requests = {"meridian_session_commands_total"},
       .errors = {{"meridian_session_refused_commands_total"}},
       .durations = "meridian_session_command_duration_seconds"},
      {.tier = "queue",
       .requests = {"meridian_queue_requests_total"},
       .errors = {{"meridian_queue_refused_batches_total"}}},
      {.tier = "watch",
       .requests = {"meridian_watch_entries_total"},
       .errors = {{"meridian_watch_refused_entries_total"},
                  {"meridian_watch_lost_entries_total"},
                  {"meridian_watch_dropped_lines_total"}}},
  };
  return all;
}

// Nothing: there is no such series.
std::optional<double> Sum(const Samples& samples, const Series& series) {
  std::optional<double> sum;
  for (const Sample& sample : samples) {
    if (series.Has(sample)) sum = sum.value_or(0) + sample.value;
  }
  return sum;
}

double Growth(double before, double after) { return after < before ? after : after - before; }

std::optional<double> Growth(const Samples& before, const Samples& after, const Series& series) {
  const std::optional<double> now = Sum(after, series);
  if (!now) return std::nullopt;
  return Growth(Sum(before, series).value_or(0), *now);
}

// The cumulative counts of a histogram by upper bound, over all its series.
std::map<double, double> Buckets(const Samples& samples, const std::string& name) {
  std::map<double, double> buckets;
  for (const Sample& sample : samples) {
    if (sample.name != name) continue;
    const std::string_view text = sample.LabelOf("le");
    double bound = std::numeric_limits<double>::infinity();
    if (text != "+Inf") {
      const char* begin = text.data();
      const char* end = begin + text.size();
      auto [at, error] = std::from_chars(begin, end, bound);
      if (error != std::errc{} || at != end) continue;
    }
    buckets[bound] += sample.value;
  }
  return buckets;
}

// Interpolated within the bucket; past the last bound that bound. Nothing: no observation.
std::optional<double> Quantile(const std::map<double, double>& buckets, double share) {
  if (buckets.empty() || buckets.rbegin()->second <= 0) return std::nullopt;
  const double rank = share * buckets.rbegin()->second;
  double bound_below = 0;
  double count_below = 0;
  for (const auto& [bound, count] : buckets) {
    if (count >= rank) {
      if (std::isinf(bound) || count <= count_below) return bound_below;
      return bound_below + (bound - bound_below) * (rank - count_below) / (count - count_below);
    }
    bound_below = bound;
    count_below = count;
  }
  return bound_below;
}

std::map<double, double> BucketGrowth(const Samples& before, const Samples& after,
                                      std::string_view histogram) {
  const std::string name = std::string(histogram) + "_bucket";
  std::map<double, double> grown = Buckets(after, name);
  const std::map<double, double> old = Buckets(before, name);
  // All buckets of a process begin anew together.
  const bool restarted =
      !grown.empty() && !old.empty() && grown.rbegin()->second < old.rbegin()->second;
  if (restarted) return grown;
  for (auto& [bound, count] : grown) {
    auto was = old.find(bound);
    if (was != old.end()) count -= was->second;
  }
  return grown;
}

std::optional<double> HitRatio(const Samples& before, const Samples& after) {
  constexpr std::string_view kFamily = "meridian_edge_cache_requests_total";
  const std::optional<double> all = Growth(before, after, {kFamily});
  if (!all || *all <= 0) return std::nullopt;
  double hits = 0;
  for (const char* result : {"hit", "stale", "collapsed"}) {
    hits += Growth(before, after, {kFamily, "result", result}).value_or(0);
  }
  return std::clamp(hits / *all, 0.0, 1.0);
}

std::optional<double> LongestLag(const Samples& samples) {
  std::optional<double> lag;
  for (const Sample& sample : samples) {
    if (sample.name != "meridian_mirror_lag_seconds" || std::isnan(sample.value)) continue;
    lag = std::max(lag.value_or(0), sample.value);
  }
  return lag;
}

}  // namespace

TierFigures FiguresOf(std::string_view tier, const Samples& before, const Samples& after,
                      double seconds) {
  TierFigures figures;
  figures.lag_seconds = LongestLag(after);
  const auto& all = AllTierMetrics();
  auto found = std::ranges::find(all, tier, &TierMetrics::tier);
  if (found == all.end()) return figures;
  if (auto requests = Growth(before, after, found->requests)) {
    figures.requests_per_second = *requests / seconds;
  }
  for (const Series& series : found->errors) {
    if (auto errors = Growth(before, after, series)) {
      figures.errors_per_second = figures.errors_per_second.value_or(0) + *errors / seconds;
    }
  }
  if (!found->durations.empty()) {
    const std::map<double, double> buckets = BucketGrowth(before, after, found->durations);
    figures.p50_seconds = Quantile(buckets, 0.5);
    figures.p99_seconds = Quantile(buckets, 0.99);
  }
  figures.hit_ratio = HitRatio(before, after);
  figures.waiting_messages = Sum(after, {"meridian_queue_group_lag_messages"});
  return figures;
}

}  // namespace meridian::cli
