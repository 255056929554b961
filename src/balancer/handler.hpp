// Handler: processes a request at the balancer. It determines the visitor's address, passes the
// request to the dispatcher, and answers itself if no instance did. Owned by the balancer; one
// thread: the loop's.
#pragma once

#include <array>
#include <optional>

#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "dispatch/config.hpp"
#include "dispatch/dispatcher.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "wire/http/fields/field_role.hpp"

namespace meridian::balancer {

class Handler {
 public:
  // `edge`: the source address of this data center's edge, if there is an edge. `config` must
  // outlive the handler.
  Handler(dispatch::Dispatcher& dispatcher, const dispatch::Config& config,
          std::optional<IpAddress> edge, Metrics& metrics);

  // Answers the request, whatever its path.
  io::Task<void> Handle(http::Exchange& exchange);

 private:
  // Edges of the site connect by TLS with the site's certificate, or from this data center's own
  // address.
  bool IsEdge(const http::Exchange& exchange) const {
    return exchange.secure() || exchange.peer().address.Unmapped() == edge_;
  }
  // Edges of the site, and proxies that site.toml lists, are trusted to give the visitor's address.
  wire::http::SenderTrust TrustIn(const http::Exchange& exchange) const;
  io::Task<void> Forward(http::Exchange& exchange);
  io::Task<void> AnswerFailure(http::Exchange& exchange, const dispatch::Outcome& outcome);

  dispatch::Dispatcher& dispatcher_;
  const dispatch::Config& config_;
  const std::optional<IpAddress> edge_;
  // By the first digit of the status; 0: aborted.
  std::array<DurationHistogram*, 6> durations_;
  Counter& unavailable_;
  Random random_;
};

}  // namespace meridian::balancer
