#include "site/view/agreement.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/hash.hpp"
#include "base/ip.hpp"
#include "site/ports.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

std::string Digest(std::string_view text) { return fmt::format("{:016x}", Hash64(text)); }

std::string TextOf(const DataCenter& dc) {
  std::string text =
      fmt::format("{} {} {} {} {} {} {}", dc.edge_only, dc.address.ToString(),
                  dc.private_address ? dc.private_address->ToString() : "", dc.location.latitude,
                  dc.location.longitude, dc.weight, dc.capacity_rps);
  for (const IpAddress& address : dc.public_addresses) text += " " + address.ToString();
  return text;
}

}  // namespace

std::map<std::string, std::string> AgreementOf(const Site& site) {
  const Ports& ports = site.ports;
  const std::array<std::pair<const char*, uint16_t>, 6> all_ports = {
      {{"[dns] port", ports.dns},
       {"[edge] port", ports.edge},
       {"[edge] https_port", ports.edge_https},
       {"[balancer] port", ports.balancer},
       {"[admin] port", ports.admin},
       {"[session] port", ports.session}}};
  std::map<std::string, std::string> agreement;
  for (const auto& [key, port] : all_ports) agreement[key] = Digest(fmt::format("{}", port));
  agreement["name"] = Digest(site.name);
  agreement["domain"] = Digest(site.domain);
  std::string order;
  for (const DataCenter& dc : site.datacenters) {
    order += dc.name + " ";
    agreement[(dc.edge_only ? "[[edge_place]] " : "[[datacenter]] ") + dc.name] =
        Digest(TextOf(dc));
  }
  // Stamps of sessions identify a data center by its index in the file.
  agreement["the order of data centers"] = Digest(order);
  return agreement;
}

std::optional<std::string> FirstDifference(const std::map<std::string, std::string>& ours,
                                           const std::map<std::string, std::string>& theirs) {
  if (theirs.empty()) return std::nullopt;
  for (const auto& [key, digest] : ours) {
    auto found = theirs.find(key);
    if (found == theirs.end() || found->second != digest) return key;
  }
  for (const auto& [key, digest] : theirs) {
    if (!ours.contains(key)) return key;
  }
  return std::nullopt;
}

}  // namespace meridian::site
