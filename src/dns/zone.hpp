// The site's zone: its names, and the record data that does not depend on the client. Immutable
// once built; any thread may read it; Find does not allocate.
//
//   photos.example                 the site: steered addresses and HTTPS records, SOA, NS
//   us-east.photos.example         a data center by itself; they are the name servers, too
//   cdn.photos.example             steered as the site is, for static files without cookies
//   _8443._https.photos.example    the HTTPS records again, for clients of a port other than 443
//   (RFC 9460 section 9.1); `_https` is an empty name.
//                                  The same below cdn
//
// Delegations, aliases, wildcards and signatures are not supported.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/record.hpp"

namespace meridian::dns {

struct ZoneDataCenter {
  std::string name;                  // a DNS label
  std::vector<IpAddress> addresses;  // addresses in answers; not empty
};

struct ZoneOptions {
  std::string domain;
  std::vector<ZoneDataCenter> data_centers;  // not empty, in the order of the site
  uint16_t https_port = 443;
  uint32_t ttl_seconds = 30;
  // The same at every server of the site. There are no zone transfers, so it need not grow.
  uint32_t serial = 1;
};

struct ZoneHost {
  wire::dns::Name name;
  std::vector<IpAddress> addresses;
  wire::dns::ServiceBinding as_target;  // for HTTPS records of the site: names this host
  wire::dns::ServiceBinding as_owner;   // for the host's own HTTPS record
  bool has_ipv4 = false;
  bool has_ipv6 = false;

  bool HasFamily(bool v4) const { return v4 ? has_ipv4 : has_ipv6; }
};

struct ZoneNode {
  enum class Kind : uint8_t { kSite, kCdn, kHost, kHttpsPort, kEmpty };

  Kind kind = Kind::kEmpty;
  uint8_t host = 0;  // of kHost
};

class Zone {
 public:
  // kInvalid or kTooLarge for invalid names.
  static Result<Zone> Build(const ZoneOptions& options);

  // Null: the zone has no such name. The caller must check that `name` is at or below the domain.
  const ZoneNode* Find(const wire::dns::Name& name) const;

  const wire::dns::Name& domain() const { return domain_; }
  const std::vector<ZoneHost>& hosts() const { return hosts_; }
  const wire::dns::SoaData& soa() const { return soa_; }
  uint32_t ttl_seconds() const { return ttl_seconds_; }
  // TTL of the SOA in a negative answer (RFC 2308 section 3).
  uint32_t negative_ttl_seconds() const { return soa_.minimum_seconds; }

 private:
  struct HashName {
    size_t operator()(const wire::dns::Name& name) const { return name.Hash(); }
  };
  Result<> AddHost(const ZoneDataCenter& data_center, uint16_t https_port);
  // Adds the HTTPS port name below `name`, unless `port` is 443.
  Result<> AddHttpsPort(const wire::dns::Name& name, uint16_t port);
  Result<> AddCdn(uint16_t https_port);
  Result<> MakeSoa(uint32_t serial);

  wire::dns::Name domain_;
  uint32_t ttl_seconds_ = 0;
  wire::dns::SoaData soa_;
  std::vector<ZoneHost> hosts_;
  std::unordered_map<wire::dns::Name, ZoneNode, HashName> nodes_;
};

}  // namespace meridian::dns
