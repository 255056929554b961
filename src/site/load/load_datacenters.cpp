#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "site/dns_name.hpp"
#include "site/key_description.hpp"
#include "site/limits.hpp"
#include "site/load/load_parts.hpp"
#include "site/load/spelling.hpp"
#include "site/load/table_reader.hpp"
#include "site/location.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

constexpr KeyDescription kKeys[] = {
    {.table = "datacenter",
     .sentence = "A data center, in which all tiers and the application run."},
    {.table = "datacenter",
     .key = "name",
     .sentence = "The name of the data center, by which commands and DNS (`NAME.domain`) know it.",
     .limits = "one DNS label, unique; not `cdn` or `www`"},
    {.table = "datacenter",
     .key = "address",
     .sentence = "The address of its host, where visitors arrive and other data centers reach it.",
     .limits = "of one host, unique"},
    {.table = "datacenter",
     .key = "private_address",
     .sentence = "An address on a network that strangers do not reach, where the ports for other "
                 "data centers and for its own host listen instead.",
     .fallback = "`address`",
     .limits = "of one host, unique"},
    {.table = "datacenter",
     .key = "public_addresses",
     .sentence = "The addresses that DNS tells visitors.",
     .fallback = "`[address]`"},
    {.table = "datacenter",
     .key = "location",
     .sentence = "The city where it is; give this, or `latitude` and `longitude`.",
     .fallback = "required, unless `latitude` and `longitude` are given",
     .limits = "a city that Meridian knows"},
    {.table = "datacenter",
     .key = "latitude",
     .sentence = "Degrees north of the equator.",
     .fallback = "required, unless `location` is given",
     .limits = "-90 to 90"},
    {.table = "datacenter",
     .key = "longitude",
     .sentence = "Degrees east of Greenwich.",
     .fallback = "required, unless `location` is given",
     .limits = "-180 to 180"},
    {.table = "datacenter",
     .key = "weight",
     .sentence = "Its share of the visitors with `steering = \"weighted\"`, relative to the "
                 "others'; 0 makes it a last resort."},
    {.table = "datacenter",
     .key = "capacity_rps",
     .sentence =
         "The requests a second that it can serve; DNS sends visitors above that to others.",
     .fallback = "no limit"},
    {.table = "edge_place",
     .sentence =
         "A point of presence, in which dns and edge alone run; it has the keys of a data center.",
     .limits = "at most 64 entries, data centers included"},
    {.table = "edge_place",
     .key = "name",
     .sentence = "The name of the place, by which commands and DNS (`NAME.domain`) know it.",
     .limits = "one DNS label, unique; not `cdn` or `www`"},
    {.table = "edge_place",
     .key = "address",
     .sentence = "The address of its host, where visitors arrive and other data centers reach it.",
     .limits = "of one host, unique"},
    {.table = "edge_place",
     .key = "private_address",
     .sentence = "An address on a network that strangers do not reach, where the ports for other "
                 "data centers and for its own host listen instead.",
     .fallback = "`address`",
     .limits = "of one host, unique"},
    {.table = "edge_place",
     .key = "public_addresses",
     .sentence = "The addresses that DNS tells visitors.",
     .fallback = "`[address]`"},
    {.table = "edge_place",
     .key = "location",
     .sentence = "The city where it is; give this, or `latitude` and `longitude`.",
     .fallback = "required, unless `latitude` and `longitude` are given",
     .limits = "a city that Meridian knows"},
    {.table = "edge_place",
     .key = "latitude",
     .sentence = "Degrees north of the equator.",
     .fallback = "required, unless `location` is given",
     .limits = "-90 to 90"},
    {.table = "edge_place",
     .key = "longitude",
     .sentence = "Degrees east of Greenwich.",
     .fallback = "required, unless `location` is given",
     .limits = "-180 to 180"},
    {.table = "edge_place",
     .key = "weight",
     .sentence = "Its share of the visitors with `steering = \"weighted\"`, relative to the "
                 "others'; 0 makes it a last resort."},
    {.table = "edge_place",
     .key = "capacity_rps",
     .sentence =
         "The requests a second that it can serve; DNS sends visitors above that to others.",
     .fallback = "no limit"},
};

// Names that the site itself uses below its domain.
constexpr std::array<std::string_view, 2> kTakenNames = {"cdn", "www"};

std::string ReadName(TableReader& reader) {
  std::string name = reader.Text("name", {.max_bytes = kMaxLabelBytes});
  if (name.empty()) return name;
  Result<> good = CheckLabel(name);
  if (!good) {
    reader.Reject("name",
                  fmt::format("\"{}\" cannot name a data center: {}", name, good.error().message),
                  "a name is one DNS label, such as \"us-east\"");
  } else if (std::ranges::find(kTakenNames, name) != kTakenNames.end()) {
    reader.Reject("name", fmt::format("\"{}\" is a name of the site's own", name),
                  "choose another for the data center");
  }
  return name;
}

std::optional<Location> ReadCity(TableReader& reader, const std::string& city) {
  std::optional<Location> location = FindCity(city);
  if (!location && !city.empty()) {
    std::optional<std::string> nearest = Nearest(city, CityNames());
    reader.Reject("location", fmt::format("no city \"{}\" is known here", city),
                  nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                          : "give latitude and longitude instead");
  }
  return location;
}

void ReadLocation(TableReader& reader, DataCenter* data_center) {
  bool has_city = reader.Has("location");
  bool has_point = reader.Has("latitude");
  has_point = reader.Has("longitude") || has_point;
  if (has_city) data_center->city = reader.Text("location");
  if (has_point) {
    data_center->location = {.latitude = reader.Number("latitude", {.min = -90, .max = 90}),
                             .longitude = reader.Number("longitude", {.min = -180, .max = 180})};
    if (has_city) {
      reader.RejectKey("location", "\"location\" stands beside latitude and longitude",
                       "give one or the other");
    }
    return;
  }
  if (!has_city) {
    reader.Reject("location", reader.title() + " needs \"location\", or latitude and longitude",
                  "a city, such as \"Ashburn\"");
    return;
  }
  data_center->location = ReadCity(reader, data_center->city).value_or(Location{});
}

// The reason why an address cannot belong to a host, or nothing.
std::string_view AddressProblem(const IpAddress& address) {
  uint8_t first = address.bytes()[0];
  if (address == IpAddress{} || address == *IpAddress::Parse("::")) return "stands for any address";
  if (address.Unmapped() != address) return "is an IPv4 address in IPv6 spelling";
  if (address.is_v4() ? first >= 224 : first == 0xff) return "is not the address of one host";
  return "";
}

// Names and addresses, with the line of their first use.
struct Seen {
  std::map<std::string, uint32_t> names;
  std::map<IpAddress, uint32_t> addresses;
};

void CheckName(TableReader& reader, const std::string& name, Seen* seen) {
  auto [first, is_new] = seen->names.emplace(name, reader.LineOf("name"));
  if (is_new || name.empty()) return;
  reader.Reject("name", fmt::format("a second data center \"{}\"", name),
                fmt::format("line {} has the first; give this one another name", first->second));
}

void CheckAddress(TableReader& reader, std::string_view key, const IpAddress& address, Seen* seen) {
  std::string_view problem = AddressProblem(address);
  if (!problem.empty()) {
    reader.Reject(key, fmt::format("{} {}", address.ToString(), problem),
                  "give the data center's own address");
    return;
  }
  auto [first, is_new] = seen->addresses.emplace(address, reader.LineOf(key));
  if (is_new) return;
  reader.Reject(key, fmt::format("the address {} is shared", address.ToString()),
                fmt::format("line {} has it; each data center needs its own", first->second));
}

void ReadAddresses(TableReader& reader, DataCenter* data_center, Seen* seen) {
  std::optional<IpAddress> address = reader.Address("address");
  if (address) {
    data_center->address = *address;
    CheckAddress(reader, "address", *address, seen);
  }
  if (reader.Has("private_address")) {
    std::optional<IpAddress> inside = reader.Address("private_address");
    if (inside && inside != address) CheckAddress(reader, "private_address", *inside, seen);
    data_center->private_address = inside;
  }
  if (!reader.Has("public_addresses")) {
    data_center->public_addresses = {data_center->address};
    return;
  }
  data_center->public_addresses =
      reader.Addresses("public_addresses", {.min = 1, .max = kMaxPublicAddresses});
  for (const IpAddress& other : data_center->public_addresses) {
    if (other != address) CheckAddress(reader, "public_addresses", other, seen);
  }
}

DataCenter ReadDataCenter(TableReader& reader, bool edge_only, Seen* seen) {
  DataCenter data_center{.edge_only = edge_only};
  data_center.name = ReadName(reader);
  CheckName(reader, data_center.name, seen);
  ReadAddresses(reader, &data_center, seen);
  ReadLocation(reader, &data_center);
  data_center.weight = static_cast<uint32_t>(
      reader.Integer("weight", {.min = 0, .max = kMaxWeight, .fallback = 100}));
  data_center.capacity_rps = static_cast<uint32_t>(
      reader.Integer("capacity_rps", {.min = 1, .max = kMaxCapacityRps, .fallback = 0}));
  return data_center;
}

}  // namespace

std::span<const KeyDescription> DataCenterKeys() { return kKeys; }

std::vector<DataCenter> ReadDataCenters(TableReader& root) {
  std::vector<DataCenter> data_centers;
  Seen seen;
  std::vector<TableReader> tables = root.Tables("datacenter", {.min = 1, .max = kMaxDataCenters});
  data_centers.reserve(tables.size());
  for (TableReader& reader : tables) data_centers.push_back(ReadDataCenter(reader, false, &seen));
  bool none_has_weight =
      std::ranges::all_of(data_centers, [](const DataCenter& each) { return each.weight == 0; });
  if (!tables.empty() && none_has_weight) {
    tables.front().Reject("weight", "every data center has weight 0",
                          "give at least one a weight above 0");
  }
  size_t room = kMaxDataCenters - std::min(tables.size(), kMaxDataCenters);
  for (TableReader& reader : root.Tables("edge_place", {.max = room})) {
    data_centers.push_back(ReadDataCenter(reader, true, &seen));
  }
  return data_centers;
}

}  // namespace meridian::site
