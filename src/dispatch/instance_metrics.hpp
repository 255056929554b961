// InstanceMetrics: series of each instance by id and release: tries, failed tries, time to answer.
// Owned by the Dispatcher; one thread: the loop's.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/metrics.hpp"

namespace meridian::dispatch {

// The series of one instance.
struct InstanceSeries {
  HeldSeries<Counter> requests;
  HeldSeries<Counter> failures;
  HeldSeries<DurationHistogram> durations;
};

class InstanceMetrics {
 public:
  // Families are called meridian_`tier`_instance_...
  InstanceMetrics(Metrics& metrics, std::string_view tier);

  InstanceSeries Take(const std::string& id, const std::string& release);

 private:
  SeriesFamily<Counter>& requests_;
  SeriesFamily<Counter>& failures_;
  SeriesFamily<DurationHistogram>& durations_;
};

}  // namespace meridian::dispatch
