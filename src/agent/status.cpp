#include "agent/status.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

#include "base/result.hpp"
#include "site/site.hpp"
#include "site/view.hpp"

namespace meridian::agent {

using Json = nlohmann::ordered_json;

namespace {

constexpr int kIndent = 2;

Json ToJson(const DataCenterStatus& status) {
  Json tiers = Json::array();
  for (const TierStatus& tier : status.tiers) {
    Json entry = {
        {"name", tier.name}, {"state", tier.state}, {"pid", tier.pid}, {"port", tier.port}};
    if (!tier.problem.empty()) entry["problem"] = tier.problem;
    if (!tier.url.empty()) entry["url"] = tier.url;
    tiers.push_back(std::move(entry));
  }
  Json instances = Json::array();
  for (const InstanceStatus& instance : status.instances) {
    Json entry = {{"id", instance.id},
                  {"address", instance.address},
                  {"release", instance.release},
                  {"state", instance.state},
                  {"pid", instance.pid}};
    if (!instance.problem.empty()) entry["problem"] = instance.problem;
    instances.push_back(std::move(entry));
  }
  Json json = {{"name", status.name},   {"address", status.address},
               {"state", status.state}, {"pid", status.pid},
               {"tiers", tiers},        {"instances", instances}};
  if (!status.problem.empty()) json["problem"] = status.problem;
  return json;
}

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// The member `key`, or an empty value of the wanted type when it is missing or of another.
std::string Text(const Json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

template <class Int>
Int Number(const Json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<Int>() : Int{0};
}

const Json& List(const Json& object, const char* key) {
  static const Json nothing = Json::array();
  auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : nothing;
}

}  // namespace

DataCenterStatus DownStatus(const site::DataCenter& dc) {
  return {.name = dc.name,
          .address = dc.address.ToString(),
          .state = std::string(site::StateName(site::DataCenterState::kDown))};
}

std::string EncodeStatus(const DataCenterStatus& status) { return Dump(ToJson(status), -1); }

Result<DataCenterStatus> DecodeStatus(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || Text(json, "name").empty()) {
    return Fail(Errc::kInvalid, "the agent's status cannot be read");
  }
  DataCenterStatus status{.name = Text(json, "name"),
                          .address = Text(json, "address"),
                          .state = Text(json, "state"),
                          .pid = Number<pid_t>(json, "pid"),
                          .problem = Text(json, "problem")};
  for (const Json& tier : List(json, "tiers")) {
    status.tiers.push_back({.name = Text(tier, "name"),
                            .state = Text(tier, "state"),
                            .pid = Number<pid_t>(tier, "pid"),
                            .port = Number<uint16_t>(tier, "port"),
                            .problem = Text(tier, "problem"),
                            .url = Text(tier, "url")});
  }
  for (const Json& instance : List(json, "instances")) {
    status.instances.push_back({.id = Text(instance, "id"),
                                .address = Text(instance, "address"),
                                .release = Text(instance, "release"),
                                .state = Text(instance, "state"),
                                .pid = Number<pid_t>(instance, "pid"),
                                .problem = Text(instance, "problem")});
  }
  return status;
}

std::string EncodeSiteStatus(const std::string& site, const std::vector<DataCenterStatus>& all) {
  Json list = Json::array();
  for (const DataCenterStatus& status : all) list.push_back(ToJson(status));
  return Dump({{"site", site}, {"datacenters", list}}, kIndent) + "\n";
}

}  // namespace meridian::agent
