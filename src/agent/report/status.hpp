// What `meridian status --json` prints, made of what agents say of themselves. A pure codec.
#pragma once

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
  std::string problem;  // why it is not ready, or what is unusual though it is
  std::string url;      // of one that is not run here, without its password
};

// How a tier that sends requests to an instance uses it.
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
  std::vector<TierInstanceUse> uses;  // of the tiers that have said something of it
};

// The one that is furthest from "used"; empty when no tier has said anything.
std::string WorstUse(const InstanceStatus& instance);
// For people: what is unusual about how tiers use it; empty: nothing.
std::string DescribeUses(const InstanceStatus& instance);

// Of what cannot be asked.
constexpr const char* kUnknownState = "unknown";

// One data center.
struct DataCenterStatus {
  std::string name;
  std::string address;
  std::string state;    // a site::DataCenterState's name, or kUnknownState
  pid_t pid = 0;        // of its agent; 0 when it is down or does not answer
  std::string problem;  // why it cannot serve its visitors, or why less is known than should be
  std::vector<TierStatus> tiers;
  std::vector<InstanceStatus> instances;
};

// Of a data center in which nothing runs.
DataCenterStatus DownStatus(const site::DataCenter& dc);

std::string EncodeStatus(const DataCenterStatus& status);
Result<DataCenterStatus> DecodeStatus(std::string_view json);

// {"site":…,"datacenters":[…]}, indented, with a newline.
std::string EncodeSiteStatus(const std::string& site, const std::vector<DataCenterStatus>& all);

}  // namespace meridian::agent
