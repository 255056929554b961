#include "visit/route.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "site/site.hpp"
#include "visit/limits.hpp"
#include "visit/record.hpp"
#include "visit/target.hpp"
#include "wire/dns/record.hpp"

namespace meridian::visit {
namespace {

std::string DataCenterAt(const IpAddress& address, const site::Site& site) {
  for (const site::DataCenter& dc : site.datacenters) {
    if (dc.address == address || std::ranges::count(dc.public_addresses, address) > 0) {
      return dc.name;
    }
  }
  return "";
}

void AddAddresses(const std::vector<IpAddress>& addresses, uint16_t port,
                  std::vector<Endpoint>* endpoints) {
  for (const IpAddress& address : addresses) {
    Endpoint endpoint{address, port};
    bool is_new = std::ranges::count(*endpoints, endpoint) == 0;
    if (is_new && endpoints->size() < kMaxAddresses) endpoints->push_back(endpoint);
  }
}

}  // namespace

std::vector<Address> MakeRoute(const Target& target, const RouteAnswers& answers,
                               const site::Site& site) {
  std::vector<Endpoint> endpoints;
  for (const DnsAnswer* answer : {answers.a, answers.aaaa}) {
    if (answer != nullptr) AddAddresses(answer->addresses, target.port, &endpoints);
  }
  if (answers.https != nullptr) {
    for (const wire::dns::ServiceBinding& service : answers.https->services) {
      if (service.priority == 0) continue;  // an alias
      uint16_t port = target.https ? service.port.value_or(target.port) : target.port;
      AddAddresses(service.ipv4_hints, port, &endpoints);
      AddAddresses(service.ipv6_hints, port, &endpoints);
    }
  }
  std::vector<Address> route;
  route.reserve(endpoints.size());
  for (const Endpoint& endpoint : endpoints) {
    route.push_back({endpoint, DataCenterAt(endpoint.address, site)});
  }
  return route;
}

}  // namespace meridian::visit
