#include "agent/report/status.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/types.h>

#include "base/result.hpp"
#include "site/site.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::agent {

namespace {

using wire::json::Value;
using wire::json::Writer;

constexpr size_t kIndent = 2;

void Write(const TierStatus& tier, Writer& writer) {
  writer.BeginObject();
  writer.Member("name", tier.name);
  writer.Member("state", tier.state);
  writer.Member("pid", tier.pid);
  writer.Member("port", tier.port);
  if (!tier.problem.empty()) writer.Member("problem", tier.problem);
  if (!tier.url.empty()) writer.Member("url", tier.url);
  writer.EndObject();
}

void Write(const TierInstanceUse& use, Writer& writer) {
  writer.BeginObject();
  writer.Member("tier", use.tier);
  writer.Member("use", site::StateName(use.report.use));
  writer.Member("in_flight", use.report.in_flight);
  writer.Member("requests", use.report.requests);
  writer.Member("failures", use.report.failures);
  writer.EndObject();
}

void Write(const InstanceStatus& instance, Writer& writer) {
  writer.BeginObject();
  writer.Member("id", instance.id);
  writer.Member("address", instance.address);
  writer.Member("release", instance.release);
  writer.Member("state", instance.state);
  writer.Member("pid", instance.pid);
  if (!instance.uses.empty()) {
    writer.BeginArray("uses");
    for (const TierInstanceUse& use : instance.uses) Write(use, writer);
    writer.EndArray();
  }
  if (!instance.problem.empty()) writer.Member("problem", instance.problem);
  writer.EndObject();
}

void Write(const WorkerStatus& worker, Writer& writer) {
  writer.BeginObject();
  writer.Member("id", worker.id);
  writer.Member("worker", worker.worker);
  if (!worker.topic.empty()) writer.Member("topic", worker.topic);
  writer.Member("state", worker.state);
  writer.Member("pid", worker.pid);
  writer.Member("restarts", worker.restarts);
  if (!worker.problem.empty()) writer.Member("problem", worker.problem);
  writer.EndObject();
}

void Write(const DataCenterStatus& status, Writer& writer) {
  writer.BeginObject();
  writer.Member("name", status.name);
  writer.Member("address", status.address);
  writer.Member("state", status.state);
  writer.Member("pid", status.pid);
  if (!status.version.empty()) writer.Member("version", status.version);
  if (status.wall_seconds > 0) writer.Member("time", status.wall_seconds);
  writer.BeginArray("tiers");
  for (const TierStatus& tier : status.tiers) Write(tier, writer);
  writer.EndArray();
  if (!status.engines.empty()) {
    writer.BeginArray("engines");
    for (const TierStatus& engine : status.engines) Write(engine, writer);
    writer.EndArray();
  }
  writer.BeginArray("instances");
  for (const InstanceStatus& instance : status.instances) Write(instance, writer);
  writer.EndArray();
  writer.BeginArray("workers");
  for (const WorkerStatus& worker : status.workers) Write(worker, writer);
  writer.EndArray();
  if (!status.problem.empty()) writer.Member("problem", status.problem);
  writer.EndObject();
}

// For people: the problem of a use; empty: none.
std::string Describe(const TierInstanceUse& use) {
  constexpr uint32_t kEnoughRequests = 10;  // fewer requests are not significant
  const site::InstanceReport& report = use.report;
  std::string text;
  switch (report.use) {
    case site::InstanceUse::kUnknown:
    case site::InstanceUse::kUsed:
      break;
    case site::InstanceUse::kSlowStart:
      text = "starts slowly";
      break;
    case site::InstanceUse::kOnTrial:
      text = "was ejected and is tried with one request";
      break;
    case site::InstanceUse::kEjected:
      text = "is ejected: it failed requests that others answer";
      break;
    case site::InstanceUse::kRefusing:
      text = "refuses connections";
      break;
    case site::InstanceUse::kFailing:
      text = "fails the checks of its health path";
      break;
  }
  if (report.requests >= kEnoughRequests && report.failures * 2 >= report.requests) {
    text += fmt::format("{}{} of {} requests in the last 10 s got a 5xx or no answer",
                        text.empty() ? "" : ", ", report.failures, report.requests);
  }
  return text.empty() ? text : fmt::format("{}: {}", use.tier, text);
}

// The member `name`, or 0 if it is missing, of another type or out of bounds.
template <class Int>
Int Number(const Value& object, std::string_view name) {
  int64_t number = object.IntegerOf(name);
  return std::in_range<Int>(number) ? static_cast<Int>(number) : Int{0};
}

TierStatus ReadTier(const Value& tier) {
  return {.name = tier.TextOf("name"),
          .state = tier.TextOf("state"),
          .pid = Number<pid_t>(tier, "pid"),
          .port = Number<uint16_t>(tier, "port"),
          .problem = tier.TextOf("problem"),
          .url = tier.TextOf("url")};
}

TierInstanceUse ReadUse(const Value& use) {
  return {.tier = use.TextOf("tier"),
          .report = {.use = site::InstanceUseNamed(use.TextOf("use")),
                     .in_flight = Number<uint32_t>(use, "in_flight"),
                     .requests = Number<uint32_t>(use, "requests"),
                     .failures = Number<uint32_t>(use, "failures")}};
}

}  // namespace

std::string WorstUse(const InstanceStatus& instance) {
  auto worst = std::ranges::max_element(instance.uses, {},
                                        [](const TierInstanceUse& use) { return use.report.use; });
  return worst == instance.uses.end() ? "" : std::string(site::StateName(worst->report.use));
}

std::string DescribeUses(const InstanceStatus& instance) {
  std::string text;
  for (const TierInstanceUse& use : instance.uses) {
    std::string told = Describe(use);
    if (!told.empty()) text += (text.empty() ? "" : "; ") + told;
  }
  return text;
}

DataCenterStatus DownStatus(const site::DataCenter& dc) {
  return {.name = dc.name,
          .address = dc.address.ToString(),
          .state = std::string(site::StateName(site::DataCenterState::kDown))};
}

std::string EncodeStatus(const DataCenterStatus& status) {
  Writer writer;
  Write(status, writer);
  return writer.Take();
}

Result<DataCenterStatus> DecodeStatus(std::string_view text) {
  Result<Value> json = wire::json::Parse(text);
  if (!json || json->TextOf("name").empty()) {
    return Fail(Errc::kInvalid, "the agent's status cannot be read");
  }
  DataCenterStatus status{.name = json->TextOf("name"),
                          .address = json->TextOf("address"),
                          .state = json->TextOf("state"),
                          .pid = Number<pid_t>(*json, "pid"),
                          .problem = json->TextOf("problem"),
                          .version = json->TextOf("version"),
                          .wall_seconds = json->NumberOf("time")};
  for (const Value& tier : json->ElementsOf("tiers")) status.tiers.push_back(ReadTier(tier));
  for (const Value& engine : json->ElementsOf("engines")) {
    status.engines.push_back(ReadTier(engine));
  }
  for (const Value& instance : json->ElementsOf("instances")) {
    status.instances.push_back({.id = instance.TextOf("id"),
                                .address = instance.TextOf("address"),
                                .release = instance.TextOf("release"),
                                .state = instance.TextOf("state"),
                                .pid = Number<pid_t>(instance, "pid"),
                                .problem = instance.TextOf("problem")});
    for (const Value& use : instance.ElementsOf("uses")) {
      status.instances.back().uses.push_back(ReadUse(use));
    }
  }
  for (const Value& worker : json->ElementsOf("workers")) {
    status.workers.push_back({.id = worker.TextOf("id"),
                              .worker = worker.TextOf("worker"),
                              .topic = worker.TextOf("topic"),
                              .state = worker.TextOf("state"),
                              .pid = Number<pid_t>(worker, "pid"),
                              .restarts = Number<uint32_t>(worker, "restarts"),
                              .problem = worker.TextOf("problem")});
  }
  return status;
}

std::string EncodeSiteStatus(const std::string& site, const std::vector<DataCenterStatus>& all) {
  Writer writer({.indent = kIndent});
  writer.BeginObject();
  writer.Member("site", site);
  writer.BeginArray("datacenters");
  for (const DataCenterStatus& status : all) Write(status, writer);
  writer.EndArray();
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace meridian::agent
