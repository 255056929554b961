// The servers of `sim http`: application instances, and the two tiers that send them requests.
// Owned by one run; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "base/ip.hpp"
#include "dispatch/roster.hpp"
#include "http/exchange.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "sim/http_plan.hpp"

namespace meridian::sim {

inline constexpr uint16_t kInstancePort = 3000;
inline constexpr uint32_t kMaxInFlight = 4;  // concurrent requests at one instance
IpAddress InstanceAddress(size_t index);

// An application instance: receives planned requests, checks their bodies, and answers.
class AppInstance {
 public:
  AppInstance(io::sim::World& world, Plans& plans) : world_(world), plans_(plans) {}
  io::Task<void> Run(io::sim::Machine& machine);
  // Number of requests in progress.
  size_t busy() const { return busy_; }
  // Sets a function that is called for each received request.
  void OnRequest(std::function<void()> callback) { on_request_ = std::move(callback); }

 private:
  io::Task<void> Handle(http::Exchange& exchange);
  io::Task<bool> Receive(http::Exchange& exchange, const Plan& plan);
  static io::Task<void> Answer(http::Exchange& exchange, const Plan& plan);

  io::sim::World& world_;
  Plans& plans_;
  size_t busy_ = 0;
  std::function<void()> on_request_ = [] {};
};

// Edge or balancer: the tier's product code between visitors and the dispatcher, with its share of
// kMaxInFlight. The edge forwards without its cache. With several `loops` it has as many
// dispatchers, which share one roster, as if each were on a loop of its own; requests go to them in
// turn.
class SimTier {
 public:
  enum class Kind : uint8_t { kEdge, kBalancer };

  SimTier(Kind kind, size_t instances, size_t loops)
      : kind_(kind), count_(instances), loops_(loops) {}
  io::Task<void> Run(io::sim::Machine& machine);

  std::string_view name() const { return kind_ == Kind::kEdge ? "edge" : "balancer"; }
  Endpoint at() const;
  // Requests in flight to one instance.
  uint32_t in_flight(size_t instance) const;
  // Requests in flight to all instances.
  uint32_t in_flight() const;

 private:
  class LoopOfTier;

  uint32_t Share() const;

  Kind kind_;
  size_t count_;
  size_t loops_;
  const dispatch::Roster* roster_ = nullptr;  // null while it does not run
};

}  // namespace meridian::sim
