// Handler: what the balancer does with one request: says who the visitor is, has the dispatcher
// give it to an instance, and answers when none could. Owned by the balancer; one thread: the
// loop's.
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
#include "wire/http/field_role.hpp"

namespace meridian::balancer {

class Handler {
 public:
  // `edge`: the address from which this data center's edge comes, if there is an edge. `config`
  // must outlive it.
  Handler(dispatch::Dispatcher& dispatcher, const dispatch::Config& config,
          std::optional<IpAddress> edge, Metrics& metrics);

  // Answers the request, whatever its path.
  io::Task<void> Handle(http::Exchange& exchange);

 private:
  // Edges of the site come by TLS, with the site's certificate, or from beside this balancer.
  bool IsEdge(const http::Exchange& exchange) const {
    return exchange.secure() || exchange.peer().address.Unmapped() == edge_;
  }
  // Edges of the site, and proxies that site.toml names, know who the visitor is.
  wire::http::SenderTrust TrustIn(const http::Exchange& exchange) const;
  io::Task<void> Forward(http::Exchange& exchange);
  io::Task<void> AnswerFailure(http::Exchange& exchange, const dispatch::Outcome& outcome);

  dispatch::Dispatcher& dispatcher_;
  const dispatch::Config& config_;
  const std::optional<IpAddress> edge_;
  // By the class of the status; 0: broken off.
  std::array<DurationHistogram*, 6> durations_;
  Counter& unavailable_;
  Random random_;
};

}  // namespace meridian::balancer
