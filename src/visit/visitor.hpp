// Visitor: requests a URL of the site as a first-time visitor does: looks up the names, then sends
// a GET on a new connection, and without a response tries the next address. Visits share one
// DnsClient, as programs of a machine share a resolver.
//
// One thread: the loop's. It must outlive its visits; several may run at the same time.
#pragma once

#include <memory>

#include "io/net/network.hpp"
#include "io/net/tls.hpp"
#include "site/site.hpp"
#include "visit/dns.hpp"
#include "visit/limits.hpp"
#include "visit/record.hpp"
#include "visit/target.hpp"

namespace meridian::visit {

struct VisitorOptions {
  Target target;
  bool fallback = true;                           // try the other addresses if the first fails
  std::shared_ptr<io::TlsContext> tls = nullptr;  // for https
  VisitLimits limits;
};

class Visitor {
 public:
  struct Parts {
    io::Loop& loop;
    io::Network& network;
    DnsClient& dns;
    const site::Site& site;
  };
  Visitor(const Parts& parts, VisitorOptions options);

  // Makes a visit. Its time is counted from `due`. The result is meaningless if the fiber was
  // cancelled.
  io::Task<Visit> Go(TimePoint due);

 private:
  io::Task<Result<std::vector<Address>>> FindRoute(Visit* visit);
  io::Task<Attempt> Get(Address address);

  Parts parts_;
  VisitorOptions options_;
};

}  // namespace meridian::visit
