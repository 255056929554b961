// Which addresses a visitor tries, in their order: those of A and AAAA, then those that the HTTPS
// records name, by priority (RFC 9460 section 3). Pure.
#pragma once

#include <vector>

#include "site/site.hpp"
#include "visit/record.hpp"
#include "visit/target.hpp"

namespace meridian::visit {

// Null: not asked for, or there was no answer.
struct RouteAnswers {
  const DnsAnswer* a = nullptr;
  const DnsAnswer* aaaa = nullptr;
  const DnsAnswer* https = nullptr;
};

// At most kMaxAddresses, none twice. The port of an HTTPS record is for https alone; a visitor by
// plain HTTP comes to the same hosts at the port of its URL. A record without address hints is
// passed over: a site's own servers always give them.
std::vector<Address> MakeRoute(const Target& target, const RouteAnswers& answers,
                               const site::Site& site);

}  // namespace meridian::visit
