#include "site/view/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "site/dns_name.hpp"
#include "site/limits.hpp"
#include "site/view/json_reader.hpp"
#include "site/view/view_json.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::site {
namespace {

using wire::json::Value;
using wire::json::Writer;

constexpr std::array kDataCenterStates = {DataCenterState::kStarting, DataCenterState::kServing,
                                          DataCenterState::kDraining, DataCenterState::kDrained,
                                          DataCenterState::kDown};
constexpr std::array kInstanceStates = {InstanceState::kStarting, InstanceState::kHealthy,
                                        InstanceState::kUnhealthy, InstanceState::kDraining,
                                        InstanceState::kStopped};
constexpr std::array kInstanceUses = {InstanceUse::kUsed,     InstanceUse::kSlowStart,
                                      InstanceUse::kOnTrial,  InstanceUse::kEjected,
                                      InstanceUse::kRefusing, InstanceUse::kFailing};
constexpr uint64_t kMax32 = std::numeric_limits<uint32_t>::max();

uint32_t ReadUnsigned32(JsonReader& reader, std::string_view key) {
  return static_cast<uint32_t>(reader.Unsigned(key, kMax32));
}

std::string ReadName(JsonReader& reader, std::string_view key) {
  std::string name = reader.Text(key, kMaxViewNameBytes);
  if (name.empty()) reader.Reject(Errc::kInvalid, key, "empty");
  return name;
}

std::string ReadDataCenterName(JsonReader& reader, std::string_view key) {
  std::string name = reader.Text(key, kMaxLabelBytes);
  Result<> good = CheckLabel(name);
  if (!good) reader.Reject(Errc::kInvalid, key, good.error().message);
  return name;
}

template <class State, size_t kCount>
State ReadState(JsonReader& reader, const std::array<State, kCount>& states) {
  std::string name = reader.Text("state", kMaxViewNameBytes);
  for (State state : states) {
    if (StateName(state) == name) return state;
  }
  reader.Reject(Errc::kInvalid, "state", "unknown");
  return states.front();
}

// T is IpAddress or Endpoint.
template <class T>
T ReadParsed(JsonReader& reader, std::string_view key) {
  Result<T> parsed = T::Parse(reader.Text(key, kMaxViewNameBytes));
  if (!parsed) reader.Reject(Errc::kInvalid, key, parsed.error().message);
  return parsed.value_or(T{});
}

DataCenterView ReadDataCenter(JsonReader& reader) {
  return {.name = ReadDataCenterName(reader, "name"),
          .address = ReadParsed<IpAddress>(reader, "address"),
          .location = {.latitude = reader.Number("latitude", -90, 90),
                       .longitude = reader.Number("longitude", -180, 180)},
          .weight = ReadUnsigned32(reader, "weight"),
          .capacity_rps = ReadUnsigned32(reader, "capacity_rps"),
          .state = ReadState(reader, kDataCenterStates),
          .load_rps = ReadUnsigned32(reader, "load_rps"),
          // Earlier releases do not write these.
          .available = !reader.Has("available") || reader.Boolean("available"),
          .problem = reader.Has("problem") ? reader.Text("problem", kMaxDetailBytes) : "",
          .takes_forwarded = !reader.Has("takes_forwarded") || reader.Boolean("takes_forwarded"),
          .owns_notices = reader.Has("owns_notices") && reader.Boolean("owns_notices")};
}

InstanceView ReadInstance(JsonReader& reader) {
  return {.id = ReadName(reader, "id"),
          .datacenter = ReadDataCenterName(reader, "datacenter"),
          .address = ReadParsed<Endpoint>(reader, "address"),
          .release = reader.Text("release", kMaxViewNameBytes),
          .state = ReadState(reader, kInstanceStates),
          .use = ReadInstanceUse(reader, "use")};
}

LinkView ReadLink(JsonReader& reader) {
  return {.from = ReadDataCenterName(reader, "from"),
          .to = ReadDataCenterName(reader, "to"),
          .up = reader.Boolean("up")};
}

// Reads an array of named entries; `of` returns an entry's name.
template <class T>
std::vector<T> ReadUnique(JsonReader& view, std::string_view key, size_t max,
                          T (*read)(JsonReader&), std::string (*of)(const T&)) {
  std::vector<T> things;
  std::set<std::string> names;
  for (JsonReader& reader : view.Objects(key, max)) {
    things.push_back(read(reader));
    if (!names.insert(of(things.back())).second) view.Reject(Errc::kInvalid, key, "named twice");
  }
  return things;
}

// The members of objects are in the order of their names.
void Write(const DataCenterView& data_center, Writer& writer) {
  writer.Member("address", data_center.address.ToString());
  writer.Member("available", data_center.available);
  writer.Member("capacity_rps", data_center.capacity_rps);
  writer.Member("latitude", data_center.location.latitude);
  writer.Member("load_rps", data_center.load_rps);
  writer.Member("longitude", data_center.location.longitude);
  writer.Member("name", data_center.name);
  writer.Member("owns_notices", data_center.owns_notices);
  writer.Member("problem", data_center.problem);
  writer.Member("state", StateName(data_center.state));
  writer.Member("takes_forwarded", data_center.takes_forwarded);
  writer.Member("weight", data_center.weight);
}

void Write(const InstanceView& instance, Writer& writer) {
  writer.Member("address", instance.address.ToString());
  writer.Member("datacenter", instance.datacenter);
  writer.Member("id", instance.id);
  writer.Member("release", instance.release);
  writer.Member("state", StateName(instance.state));
  if (instance.use != InstanceUse::kUnknown) writer.Member("use", StateName(instance.use));
}

void Write(const LinkView& link, Writer& writer) {
  writer.Member("from", link.from);
  writer.Member("to", link.to);
  writer.Member("up", link.up);
}

template <class T>
void WriteObjects(std::string_view name, const std::vector<T>& values, Writer& writer) {
  writer.BeginArray(name);
  for (const T& value : values) {
    writer.BeginObject();
    Write(value, writer);
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace

InstanceUse InstanceUseNamed(std::string_view name) {
  auto found =
      std::ranges::find_if(kInstanceUses, [&](auto use) { return StateName(use) == name; });
  return found == kInstanceUses.end() ? InstanceUse::kUnknown : *found;
}

InstanceUse ReadInstanceUse(JsonReader& reader, std::string_view key) {
  // Other releases may not write it.
  return reader.Has(key) ? InstanceUseNamed(reader.Text(key, kMaxViewNameBytes))
                         : InstanceUse::kUnknown;
}

std::string_view StateName(DataCenterState state) {
  switch (state) {
    case DataCenterState::kStarting:
      return "starting";
    case DataCenterState::kServing:
      return "serving";
    case DataCenterState::kDraining:
      return "draining";
    case DataCenterState::kDrained:
      return "drained";
    case DataCenterState::kDown:
      return "down";
  }
  return "unknown";
}

std::string_view StateName(InstanceState state) {
  switch (state) {
    case InstanceState::kStarting:
      return "starting";
    case InstanceState::kHealthy:
      return "healthy";
    case InstanceState::kUnhealthy:
      return "unhealthy";
    case InstanceState::kDraining:
      return "draining";
    case InstanceState::kStopped:
      return "stopped";
  }
  return "unknown";
}

std::string_view StateName(InstanceUse use) {
  switch (use) {
    case InstanceUse::kUnknown:
      break;
    case InstanceUse::kUsed:
      return "used";
    case InstanceUse::kSlowStart:
      return "slow start";
    case InstanceUse::kOnTrial:
      return "on trial";
    case InstanceUse::kEjected:
      return "ejected";
    case InstanceUse::kRefusing:
      return "refusing";
    case InstanceUse::kFailing:
      return "failing";
  }
  return "unknown";
}

const DataCenterView* SiteView::FindDataCenter(std::string_view name) const {
  auto found = std::ranges::find(datacenters, name, &DataCenterView::name);
  return found == datacenters.end() ? nullptr : &*found;
}

std::vector<InstanceView> InstancesToReach(const SiteView& view, std::string_view data_center) {
  std::vector<InstanceView> found;
  for (const InstanceView& instance : view.instances) {
    if (instance.datacenter == data_center && instance.address.port != 0) found.push_back(instance);
  }
  return found;
}

uint32_t RoundLoad(double load_rps) {
  if (!(load_rps > 0)) return 0;
  double bounded = std::min(load_rps, 4e9);
  double unit = std::max(1.0, std::pow(10, std::floor(std::log10(bounded)) - 1));
  return static_cast<uint32_t>(std::round(bounded / unit) * unit);
}

Result<std::string> ToJson(const SiteView& view) {
  Writer writer;
  writer.BeginObject();
  writer.BeginObject("agreement");
  for (const auto& [key, digest] : view.agreement) writer.Member(key, digest);
  writer.EndObject();
  WriteObjects("datacenters", view.datacenters, writer);
  WriteObjects("instances", view.instances, writer);
  WriteObjects("links", view.links, writer);
  writer.Member("number", view.number);
  writer.EndObject();
  std::string text = writer.Take();
  if (text.size() > kMaxViewBytes) {
    return Fail(Errc::kTooLarge, "the site view has {} bytes; at most {} are allowed", text.size(),
                kMaxViewBytes);
  }
  return text;
}

SiteView ReadView(JsonReader& reader) {
  SiteView view;
  view.number = reader.Unsigned("number");
  view.datacenters = ReadUnique<DataCenterView>(
      reader, "datacenters", kMaxDataCenters, &ReadDataCenter,
      [](const DataCenterView& data_center) { return data_center.name; });
  view.instances = ReadUnique<InstanceView>(
      reader, "instances", kMaxViewInstances, &ReadInstance,
      [](const InstanceView& instance) { return instance.datacenter + '\n' + instance.id; });
  view.links =
      ReadUnique<LinkView>(reader, "links", kMaxViewLinks, &ReadLink,
                           [](const LinkView& link) { return link.from + '\n' + link.to; });
  if (reader.Has("agreement")) {  // earlier releases do not write it
    view.agreement = reader.Texts("agreement", kMaxAgreementEntries, kMaxViewNameBytes);
  }
  for (const InstanceView& instance : view.instances) {
    if (view.FindDataCenter(instance.datacenter)) continue;
    reader.Reject(Errc::kInvalid, "instances", "one is in no data center of the view");
  }
  return view;
}

Result<SiteView> FromJson(std::string_view text) {
  Result<Value> object = ParseObject(text, kMaxViewBytes);
  if (!object) return Fail(object.error());
  std::optional<Error> error;
  JsonReader reader(*object, "view", &error);
  SiteView view = ReadView(reader);
  if (error) return Fail(*error);
  return view;
}

}  // namespace meridian::site
