// The addresses that a visitor tries, in order: from A and AAAA, then from the HTTPS records, by
// priority (RFC 9460 section 3). Pure.
#pragma once

#include <vector>

#include "site/site.hpp"
#include "visit/record.hpp"
#include "visit/target.hpp"

namespace meridian::visit {

// Null: not queried, or no answer.
struct RouteAnswers {
  const DnsAnswer* a = nullptr;
  const DnsAnswer* aaaa = nullptr;
  const DnsAnswer* https = nullptr;
};

// At most kMaxAddresses, without duplicates. The port of an HTTPS record applies to https only;
// plain HTTP uses the same hosts at the port of the URL. Records without address hints are skipped:
// a site's own servers always give hints.
std::vector<Address> MakeRoute(const Target& target, const RouteAnswers& answers,
                               const site::Site& site);

}  // namespace meridian::visit
