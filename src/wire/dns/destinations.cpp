#include "wire/dns/destinations.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/record.hpp"
#include "wire/dns/response.hpp"

namespace meridian::wire::dns {
namespace {

constexpr uint32_t kLongestTtlSeconds = 0x7fffffff;  // RFC 2181 section 8

struct Service {
  const ServiceBinding* binding;
  Name host;
  uint32_t ttl_seconds;
};

class Collector {
 public:
  void AddAddresses(const Response& response, const Name& name) {
    for (const Record& record : response.answers) {
      const auto* address = std::get_if<IpAddress>(&record.data);
      if (address == nullptr || record.owner != name) continue;
      Add({record.owner, *address, 0, std::nullopt}, record.ttl_seconds);
    }
  }

  void AddServices(const Response& response) {
    std::vector<Service> services;
    for (const Record& record : response.answers) {
      const auto* binding = std::get_if<ServiceBinding>(&record.data);
      if (binding == nullptr || binding->priority == 0 || NeedsUnknownKeys(*binding)) continue;
      const Name& host = binding->target.is_root() ? record.owner : binding->target;
      services.push_back({binding, host, record.ttl_seconds});
    }
    // Records of one response stand in one vector, so their addresses are in its order.
    std::ranges::sort(services, {}, [](const Service& service) {
      return std::pair(service.binding->priority, service.binding);
    });
    for (const Service& service : services) AddService(response, service);
  }

  Destinations Take() && { return std::move(found_); }

 private:
  // What is in `others` has no field, so nothing here knows it.
  static bool NeedsUnknownKeys(const ServiceBinding& binding) {
    if (binding.others.empty() || binding.others[0].key != 0) return false;
    ByteReader mandatory(binding.others[0].value);
    while (mandatory.remaining() > 0) {
      uint16_t key = mandatory.U16();
      for (const auto& other : binding.others) {
        if (other.key == key) return true;
      }
    }
    return false;
  }

  void AddService(const Response& response, const Service& service) {
    Destination destination{service.host, {}, service.binding->priority, service.binding->port};
    bool resolved = false;
    for (const Record& record : response.additionals) {
      const auto* address = std::get_if<IpAddress>(&record.data);
      if (address == nullptr || record.owner != service.host) continue;
      destination.address = *address;
      Add(destination, std::min(service.ttl_seconds, record.ttl_seconds));
      resolved = true;
    }
    if (resolved) return;
    for (const auto* hints : {&service.binding->ipv4_hints, &service.binding->ipv6_hints}) {
      for (const IpAddress& hint : *hints) {
        destination.address = hint;
        Add(destination, service.ttl_seconds);
      }
    }
  }

  void Add(const Destination& destination, uint32_t ttl_seconds) {
    uint32_t so_far = found_.list.empty() ? kLongestTtlSeconds : found_.ttl_seconds;
    found_.ttl_seconds = std::min(so_far, ttl_seconds);
    auto same = std::ranges::find(found_.list, destination.address, &Destination::address);
    if (same == found_.list.end()) {
      found_.list.push_back(destination);
    } else if (!same->port) {
      same->port = destination.port;
    }
  }

  Destinations found_;
};

Result<void> CheckRcode(Rcode rcode, const Name& name) {
  if (rcode == Rcode::kNoError) return {};
  if (rcode == Rcode::kNxDomain) return Fail(Errc::kNotFound, "no name {}", name.ToString());
  return Fail(Errc::kUnavailable, "DNS error {} for {}", static_cast<int>(rcode), name.ToString());
}

}  // namespace

Result<Destinations> DestinationsOf(std::span<const Response> responses) {
  Collector collector;
  for (const Response& response : responses) {
    if (!response.question) return Fail(Errc::kUnavailable, "a DNS response without its question");
    const Name& name = response.question->name;
    Result<void> good = CheckRcode(response.rcode, name);
    if (!good) return Fail(good.error());
    collector.AddAddresses(response, name);
  }
  for (const Response& response : responses) collector.AddServices(response);
  Destinations destinations = std::move(collector).Take();
  if (destinations.list.empty()) return Fail(Errc::kNotFound, "the name has no address");
  return destinations;
}

}  // namespace meridian::wire::dns
