#include "dispatch/instance_metrics.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/metrics.hpp"

namespace meridian::dispatch {
namespace {

SeriesFamilyOptions Named(std::string_view tier, std::string_view what, std::string help) {
  return {.name = fmt::format("meridian_{}_instance_{}", tier, what),
          .help = std::move(help),
          .label_names = {"instance", "release"}};
}

}  // namespace

InstanceMetrics::InstanceMetrics(Metrics& metrics, std::string_view tier)
    : requests_(metrics.AddCounterFamily(
          Named(tier, "requests_total", "Requests sent to an instance, retries included."))),
      failures_(metrics.AddCounterFamily(Named(
          tier, "failures_total", "Requests sent to an instance that got no answer, or 5xx."))),
      durations_(metrics.AddDurationFamily(
          Named(tier, "duration_seconds",
                "From when a request was sent to an instance to the head of its answer."))) {}

InstanceSeries InstanceMetrics::Take(const std::string& id, const std::string& release) {
  const std::vector<std::string> values = {id, release};
  return {.requests = requests_.Take(values),
          .failures = failures_.Take(values),
          .durations = durations_.Take(values)};
}

}  // namespace meridian::dispatch
