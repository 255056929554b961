// The output of `meridian status --json`, made from the agents' reports of themselves. A pure
// codec.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "site/site.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

struct TierStatus {
  std::string name;
  std::string state;  // "ready", "starting" (it runs), "hung", "down" (no process runs), "external"
  pid_t pid = 0;
  uint16_t port = 0;
  std::string problem;  // why it is not ready, or a problem of a ready tier
  std::string url;      // of an external tier, without the password
};

// How one tier uses an instance that it may send requests to.
struct TierInstanceUse {
  std::string tier;
  site::InstanceReport report;
};

struct InstanceStatus {
  std::string id;
  std::string address;
  std::string release;
  std::string state;
  pid_t pid = 0;
  std::string problem;
  std::vector<TierInstanceUse> uses;  // by the tiers that have reported it
};

// A process of a worker.
struct WorkerStatus {
  std::string id;
  std::string worker;  // its name in site.toml
  std::string topic;   // that it consumes, or empty
  std::string state;   // "running", "down" (no process runs), "failing" (it ends again and again)
  pid_t pid = 0;
  uint32_t restarts = 0;
  std::string problem;  // why it ended
};

// The use that is furthest from "used"; empty without reports.
std::string WorstUse(const InstanceStatus& instance);
// For people: problems in how tiers use it; empty: none.
std::string DescribeUses(const InstanceStatus& instance);

// The state of a data center whose agent does not answer.
constexpr const char* kUnknownState = "unknown";

// One data center.
struct DataCenterStatus {
  std::string name;
  std::string address;
  std::string state;        // a site::DataCenterState's name, or kUnknownState
  pid_t pid = 0;            // of its agent; 0 if it is down or does not answer
  std::string problem;      // why it cannot serve its visitors, or why its status is incomplete
  std::string version;      // of its agent's program; empty: unknown
  double wall_seconds = 0;  // its clock when it answered, in Unix time; 0: unknown
  std::vector<TierStatus> tiers;
  std::vector<TierStatus> engines;  // of the watch tier: Prometheus and Alertmanager
  std::vector<InstanceStatus> instances;
  std::vector<WorkerStatus> workers;
};

// The status of a data center in which no process runs.
DataCenterStatus DownStatus(const site::DataCenter& dc);

std::string EncodeStatus(const DataCenterStatus& status);
Result<DataCenterStatus> DecodeStatus(std::string_view json);

// {"site":…,"datacenters":[…]}, indented, with a newline.
std::string EncodeSiteStatus(const std::string& site, const std::vector<DataCenterStatus>& all);

}  // namespace meridian::agent
