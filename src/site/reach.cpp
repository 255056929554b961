#include "site/reach.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "site/ports.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

// 127.A.B.C: the second octets of links are above those of data centers.
constexpr uint8_t kMaxSecondOctet = 99;
constexpr uint8_t kLinkOffset = 100;
constexpr uint8_t kMaxThirdOctet = 250;

// The address of the link between two data centers of a lab, if there is a link.
std::optional<IpAddress> LinkOf(const Site& site, const Crossing& crossing) {
  const DataCenter& to = crossing.to;
  if (crossing.hosting == Hosting::kServers || crossing.from.name == to.name || !HasLinks(site)) {
    return std::nullopt;
  }
  Bytes from = crossing.from.address.bytes();
  return IpAddress::V4(127, static_cast<uint8_t>(kLinkOffset + from[1]), to.address.bytes()[1],
                       static_cast<uint8_t>(from[2] + 1));
}

bool IsLoopback4(const IpAddress& address) { return address.is_v4() && address.is_loopback(); }

}  // namespace

bool HasLinks(const Site& site) {
  return site.wan && site.datacenters.size() > 1 &&
         std::ranges::all_of(site.datacenters, &IsLoopback4, &DataCenter::address);
}

std::optional<std::string> LinkProblem(const Site& site, const DataCenter& data_center) {
  Bytes own = data_center.address.bytes();
  if (own[1] < 1 || own[1] > kMaxSecondOctet) {
    return fmt::format("its second number is {}; links need it from 1 to {}", own[1],
                       kMaxSecondOctet);
  }
  if (own[3] != 1) return fmt::format("its last number is {}; links need it to be 1", own[3]);
  if (own[2] > kMaxThirdOctet) {
    return fmt::format("its third number is {}; links need it at most {}", own[2], kMaxThirdOctet);
  }
  for (const DataCenter& other : site.datacenters) {
    if (&other == &data_center) break;
    Bytes before = other.address.bytes();
    if (other.address == data_center.address) break;  // that is a separate error
    if (before[2] != own[2]) {
      return fmt::format("its third number is {}, and that of {} is {}; links need one", own[2],
                         other.name, before[2]);
    }
    if (before[1] == own[1]) {
      return fmt::format("its second number is that of {}; links need two", other.name);
    }
  }
  return std::nullopt;
}

IpAddress AddressOf(const Site& site, const Crossing& crossing) {
  return LinkOf(site, crossing).value_or(PeerAddress(crossing.to));
}

IpAddress EdgeAddressOf(const Site& site, const Crossing& crossing) {
  return LinkOf(site, crossing).value_or(crossing.to.address);
}

IpAddress PeerAddress(const DataCenter& data_center) {
  if (data_center.address.is_loopback()) return data_center.address;
  return data_center.private_address.value_or(data_center.address);
}

IpAddress HostAddress(const DataCenter& here, Hosting hosting) {
  if (hosting == Hosting::kLab || here.address.is_loopback()) return here.address;
  return here.private_address.value_or(IpAddress::V4(127, 0, 0, 1));
}

std::vector<IpAddress> VisitorAddresses(const DataCenter& here, Hosting hosting) {
  std::vector<IpAddress> addresses = {here.address};
  if (hosting == Hosting::kLab) return addresses;
  for (const IpAddress& other : here.public_addresses) {
    if (other != here.address) addresses.push_back(other);
  }
  return addresses;
}

Endpoint OpsEndpoint(const Site& site, const DataCenter& here, Hosting hosting,
                     uint16_t public_port) {
  if (here.address.is_loopback()) return {here.address, OpsPort(public_port)};
  auto place = std::ranges::find(site.datacenters, here.name, &DataCenter::name);
  auto number = static_cast<uint8_t>(place - site.datacenters.begin());
  uint8_t last = hosting == Hosting::kLab ? static_cast<uint8_t>(number + 1) : uint8_t{1};
  return {IpAddress::V4(127, 0, 0, last), OpsPort(public_port)};
}

}  // namespace meridian::site
