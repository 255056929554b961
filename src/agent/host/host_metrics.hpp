// The metrics of the host and of the agent's children, for whoever asks at /metrics. The files of
// the kernel are read by a thread of the pool, at most once in kHostReadInterval, however often and
// by however many clients they are asked for: those who ask meanwhile share one reading.
//
// Owned by the agent's main; one thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/host/host_reading.hpp"
#include "agent/limits.hpp"
#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "io/blocking.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::agent {

class HostMetrics {
 public:
  struct Options {
    // The processes to measure; called on the loop before each reading.
    std::function<std::vector<ProcessSubject>()> subjects;
    // Called by a thread of the pool, one call at a time.
    std::function<HostReading(const std::vector<ProcessSubject>&)> read;
    Duration timeout = kHostReadTimeout;
  };

  // Adds metrics of the readings themselves to `metrics`.
  HostMetrics(io::Loop& loop, io::BlockingPool& pool, Metrics& metrics, Options options);

  // The families of a reading that is at most kHostReadInterval old. Empty if the reading takes
  // longer than the timeout (that is counted), or the waiting fiber was cancelled: old values
  // would look like new ones.
  io::Task<std::vector<MetricFamilyReading>> Read();

  // Waits for the reading in progress: it uses this object.
  io::Task<void> Stop();

 private:
  io::Task<void> ReadOnce();

  io::Loop& loop_;
  io::BlockingPool& pool_;
  Options options_;
  Counter& readings_;
  Counter& timeouts_;
  Gauge& duration_;
  std::optional<TimePoint> read_at_;  // when `newest_` was begun
  std::vector<MetricFamilyReading> newest_;
  bool reading_ = false;
  io::WaitQueue read_;
  io::Scope scope_;
};

// The agent's own process (without its children), and its children: tiers, instances, workers. Past
// kMaxProcessSubjects they share the name kOverflowLabel.
std::vector<ProcessSubject> SubjectsOf(const DataCenterStatus& status);

}  // namespace meridian::agent
