// Visitor: goes to a URL of the site as somebody who comes for the first time: looks the names up,
// then GETs by a connection of its own, and where nobody answers tries the next address. Look-ups
// share one DnsClient, as the programs of one machine share a resolver.
//
// One thread: the loop's. It must outlive its visits, of which several may go on at once.
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
  bool fallback = true;                           // try other addresses than the first
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

  // One visit that was due at `due`, from which its time is counted. Its result means nothing when
  // the fiber was cancelled meanwhile.
  io::Task<Visit> Go(TimePoint due);

 private:
  io::Task<Result<std::vector<Address>>> FindRoute(Visit* visit);
  io::Task<Attempt> Get(Address address);

  Parts parts_;
  VisitorOptions options_;
};

}  // namespace meridian::visit
