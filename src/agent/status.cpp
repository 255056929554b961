#include "agent/status.hpp"

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
#include "site/view.hpp"
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

void Write(const InstanceStatus& instance, Writer& writer) {
  writer.BeginObject();
  writer.Member("id", instance.id);
  writer.Member("address", instance.address);
  writer.Member("release", instance.release);
  writer.Member("state", instance.state);
  writer.Member("pid", instance.pid);
  if (!instance.use.empty()) {
    writer.Member("use", instance.use);
    writer.Member("in_flight", instance.in_flight);
    writer.Member("requests", instance.requests);
    writer.Member("failures", instance.failures);
  }
  if (!instance.problem.empty()) writer.Member("problem", instance.problem);
  writer.EndObject();
}

void Write(const DataCenterStatus& status, Writer& writer) {
  writer.BeginObject();
  writer.Member("name", status.name);
  writer.Member("address", status.address);
  writer.Member("state", status.state);
  writer.Member("pid", status.pid);
  writer.BeginArray("tiers");
  for (const TierStatus& tier : status.tiers) Write(tier, writer);
  writer.EndArray();
  writer.BeginArray("instances");
  for (const InstanceStatus& instance : status.instances) Write(instance, writer);
  writer.EndArray();
  if (!status.problem.empty()) writer.Member("problem", status.problem);
  writer.EndObject();
}

// The member `name`, or 0 when it is missing, of another type or out of bounds.
template <class Int>
Int Number(const Value& object, std::string_view name) {
  int64_t number = object.IntegerOf(name);
  return std::in_range<Int>(number) ? static_cast<Int>(number) : Int{0};
}

}  // namespace

std::string DescribeUse(const InstanceStatus& instance) {
  constexpr uint32_t kEnoughRequests = 10;  // fewer tell nothing
  auto is = [&](site::InstanceUse use) { return instance.use == site::StateName(use); };
  std::string text;
  if (is(site::InstanceUse::kSlowStart)) text = "starts slowly";
  if (is(site::InstanceUse::kOnTrial)) text = "was ejected; the balancer tries it with one request";
  if (is(site::InstanceUse::kEjected)) {
    text = "ejected by the balancer: it failed requests that others answer";
  }
  if (is(site::InstanceUse::kRefusing)) text = "refuses the balancer's connections";
  if (is(site::InstanceUse::kFailing)) text = "fails the balancer's checks of its health path";
  bool fails = instance.requests >= kEnoughRequests && instance.failures * 2 >= instance.requests;
  if (!fails) return text;
  return fmt::format("{}{}{} of {} requests in the last 10 s got a 5xx or no answer", text,
                     text.empty() ? "" : "; ", instance.failures, instance.requests);
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
                          .problem = json->TextOf("problem")};
  for (const Value& tier : json->ElementsOf("tiers")) {
    status.tiers.push_back({.name = tier.TextOf("name"),
                            .state = tier.TextOf("state"),
                            .pid = Number<pid_t>(tier, "pid"),
                            .port = Number<uint16_t>(tier, "port"),
                            .problem = tier.TextOf("problem"),
                            .url = tier.TextOf("url")});
  }
  for (const Value& instance : json->ElementsOf("instances")) {
    status.instances.push_back({.id = instance.TextOf("id"),
                                .address = instance.TextOf("address"),
                                .release = instance.TextOf("release"),
                                .state = instance.TextOf("state"),
                                .pid = Number<pid_t>(instance, "pid"),
                                .problem = instance.TextOf("problem"),
                                .use = instance.TextOf("use"),
                                .in_flight = Number<uint32_t>(instance, "in_flight"),
                                .requests = Number<uint32_t>(instance, "requests"),
                                .failures = Number<uint32_t>(instance, "failures")});
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
