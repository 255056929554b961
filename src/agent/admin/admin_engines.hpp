// Prometheus and Alertmanager at the admin port:
//
//   /prometheus/…, /alertmanager/…       forwarded to the engine, with its password
//                                        (engine_route.hpp)
//   GET /.meridian/aggregates            this data center's recorded series, for other data centers
//   GET /.meridian/peer-aggregates?dc=…  those of another data center, for the Prometheus here
//
// 503: the engine is not ready, or does not answer; too many ask. The admin server has
// checked who asks.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/admin/engine_route.hpp"
#include "agent/context.hpp"
#include "http/client/client.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::agent {

class Agent;
class EngineChild;

class AdminEngines {
 public:
  // Both outlive it.
  AdminEngines(const Context& context, const Agent& agent);
  ~AdminEngines();

  // `decision`: RouteToEngine's, not kElsewhere.
  io::Task<void> Forward(EngineDecision decision, http::Exchange& exchange);
  io::Task<void> ServeAggregates(http::Exchange& exchange);
  io::Task<void> ServePeerAggregates(http::Exchange& exchange);

 private:
  io::Task<void> ForwardTo(const EngineChild& engine, http::Exchange& exchange);

  const Context& context_;
  const Agent& agent_;
  std::map<std::string, std::unique_ptr<http::Client>, std::less<>> peers_;
  size_t forwarding_ = 0;
  size_t aggregating_ = 0;
};

}  // namespace meridian::agent
