// The addresses that a visitor tries, in order: those of the A answer, of the AAAA answer, then of
// the HTTPS records by priority (RFC 9460 section 3). Pure.
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
  const DnsAnswer* https = nullptr;  // its `services` are sorted by priority
};

// At most kMaxAddresses, without duplicates; each with the name of the data center of `site` that
// has the address, or without a name. The port of an HTTPS record applies to https only; plain HTTP
// uses the same hosts at the port of the URL. Alias records (priority 0), and records without
// address hints, are skipped: a site's own servers always give hints.
std::vector<Address> MakeRoute(const Target& target, const RouteAnswers& answers,
                               const site::Site& site);

}  // namespace meridian::visit
