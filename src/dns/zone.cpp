#include "dns/zone.hpp"

#include <cstdint>
#include <utility>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/limits.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/record.hpp"

namespace meridian::dns {
namespace {

using wire::dns::Name;
using wire::dns::ServiceBinding;

constexpr uint16_t kDefaultHttpsPort = 443;

ServiceBinding BindingOf(const ZoneDataCenter& data_center, uint16_t port) {
  ServiceBinding binding{.priority = 1, .port = port};
  for (const IpAddress& address : data_center.addresses) {
    (address.is_v4() ? binding.ipv4_hints : binding.ipv6_hints).push_back(address);
  }
  return binding;
}

}  // namespace

Result<Zone> Zone::Build(const ZoneOptions& options) {
  CHECK(!options.data_centers.empty() && options.data_centers.size() <= kMaxDataCenters);
  Zone zone;
  Result<Name> domain = Name::Parse(options.domain);
  if (!domain) return Fail(domain.error());
  zone.domain_ = *domain;
  zone.ttl_seconds_ = options.ttl_seconds;
  zone.nodes_[*domain] = {ZoneNode::Kind::kSite, 0};
  for (const ZoneDataCenter& data_center : options.data_centers) {
    Result<> added = zone.AddHost(data_center, options.https_port);
    if (!added) return Fail(added.error());
  }
  Result<> added = zone.AddHttpsPort(*domain, options.https_port);
  if (added) added = zone.AddCdn(options.https_port);
  if (!added) return Fail(added.error());
  Result<> soa = zone.MakeSoa(options.serial);
  if (!soa) return Fail(soa.error());
  return zone;
}

Result<> Zone::AddHost(const ZoneDataCenter& data_center, uint16_t https_port) {
  Result<Name> name = domain_.Child(data_center.name);
  if (!name) return Fail(name.error());
  ZoneHost host{.name = *name,
                .addresses = data_center.addresses,
                .as_target = BindingOf(data_center, https_port),
                .as_owner = BindingOf(data_center, https_port)};
  host.as_target.target = *name;
  host.has_ipv4 = !host.as_owner.ipv4_hints.empty();
  host.has_ipv6 = !host.as_owner.ipv6_hints.empty();
  nodes_[*name] = {ZoneNode::Kind::kHost, static_cast<uint8_t>(hosts_.size())};
  hosts_.push_back(std::move(host));
  return {};
}

Result<> Zone::AddCdn(uint16_t https_port) {
  Result<Name> name = domain_.Child("cdn");
  if (!name) return Fail(name.error());
  nodes_[*name] = {ZoneNode::Kind::kCdn, 0};
  return AddHttpsPort(*name, https_port);
}

Result<> Zone::AddHttpsPort(const Name& name, uint16_t port) {
  if (port == kDefaultHttpsPort) return {};
  Result<Name> https = name.Child("_https");
  if (!https) return Fail(https.error());
  Result<Name> with_port = https->Child(fmt::format("_{}", port));
  if (!with_port) return Fail(with_port.error());
  nodes_[*https] = {ZoneNode::Kind::kEmpty, 0};
  nodes_[*with_port] = {ZoneNode::Kind::kHttpsPort, 0};
  return {};
}

// Refresh, retry and expire are for secondaries, which do not exist; the values are from RIPE-203.
// The first data center of the file is the primary, so that all servers give the same SOA.
Result<> Zone::MakeSoa(uint32_t serial) {
  Result<Name> mailbox = domain_.Child("hostmaster");
  if (!mailbox) return Fail(mailbox.error());
  soa_ = {.primary = hosts_.front().name,
          .mailbox = *mailbox,
          .serial = serial,
          .refresh_seconds = 86400,
          .retry_seconds = 7200,
          .expire_seconds = 3600000,
          .minimum_seconds = ttl_seconds_};
  return {};
}

const ZoneNode* Zone::Find(const Name& name) const {
  auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second;
}

}  // namespace meridian::dns
