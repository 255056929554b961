#include "agent/host/host_metrics.hpp"

#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "agent/host/host_families.hpp"
#include "agent/host/host_reading.hpp"
#include "agent/limits.hpp"
#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

namespace meridian::agent {

HostMetrics::HostMetrics(io::Loop& loop, io::BlockingPool& pool, Metrics& metrics, Options options)
    : loop_(loop),
      pool_(pool),
      options_(std::move(options)),
      readings_(metrics.AddCounter("meridian_agent_host_readings_total",
                                   "Readings of the host's state.")),
      timeouts_(metrics.AddCounter("meridian_agent_host_reading_timeouts_total",
                                   "Answers without metrics of the host: reading took too long.")),
      duration_(metrics.AddGauge("meridian_agent_host_reading_seconds",
                                 "Time that the last reading of the host's state took.")),
      scope_(loop) {}

io::Task<std::vector<MetricFamilyReading>> HostMetrics::Read() {
  if (read_at_ && loop_.Now() - *read_at_ < kHostReadInterval) co_return newest_;
  if (!reading_) {
    reading_ = true;
    scope_.Spawn(ReadOnce());
  }
  const TimePoint deadline = loop_.After(options_.timeout);
  while (reading_) {
    Result<void> woken = co_await read_.Wait(deadline);
    if (woken) continue;
    if (woken.error().code == Errc::kTimeout) timeouts_.Add();
    co_return std::vector<MetricFamilyReading>{};
  }
  co_return newest_;
}

io::Task<void> HostMetrics::ReadOnce() {
  const TimePoint begun = loop_.Now();
  const std::vector<ProcessSubject> subjects = options_.subjects();
  HostReading reading = co_await io::RunBlocking(pool_, [&] { return options_.read(subjects); });
  duration_.Set(Seconds(loop_.Now() - begun));
  readings_.Add();
  newest_ = HostFamilies(reading);
  read_at_ = begun;
  reading_ = false;
  read_.WakeAll();
}

io::Task<void> HostMetrics::Stop() { co_await scope_.Join(); }

std::vector<ProcessSubject> SubjectsOf(const DataCenterStatus& status) {
  std::vector<ProcessSubject> subjects;
  auto add = [&](const char* kind, const std::string& name, pid_t pid, bool with_descendants) {
    if (pid == 0) return;  // it does not run here
    const bool over = subjects.size() >= kMaxProcessSubjects;
    subjects.push_back({.kind = over ? std::string(kOverflowLabel) : kind,
                        .name = over ? std::string(kOverflowLabel) : name,
                        .pid = pid,
                        .with_descendants = with_descendants});
  };
  add("agent", "agent", status.pid, false);
  for (const TierStatus& tier : status.tiers) add("tier", tier.name, tier.pid, true);
  for (const TierStatus& each : status.engines) add("engine", each.name, each.pid, true);
  for (const InstanceStatus& each : status.instances) add("instance", each.id, each.pid, true);
  for (const WorkerStatus& each : status.workers) add("worker", each.id, each.pid, true);
  return subjects;
}

}  // namespace meridian::agent
