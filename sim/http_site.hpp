// The servers of `sim http`: instances of an application, and the balancer in front of them. Owned
// by one run; one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dispatch/dispatcher.hpp"
#include "http/exchange.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "sim/http_plan.hpp"

namespace meridian::sim {

inline constexpr uint16_t kInstancePort = 3000;
inline constexpr uint16_t kBalancerPort = 8000;
IpAddress BalancerAddress();
IpAddress InstanceAddress(size_t index);

// An instance of the application: receives planned requests, checks their bodies, and answers.
class AppInstance {
 public:
  AppInstance(io::sim::World& world, Plans& plans) : world_(world), plans_(plans) {}
  io::Task<void> Run(io::sim::Machine& machine);
  // Requests that it has now.
  size_t busy() const { return busy_; }

 private:
  io::Task<void> Handle(http::Exchange& exchange);
  io::Task<bool> Receive(http::Exchange& exchange, const Plan& plan);
  static io::Task<void> Answer(http::Exchange& exchange, const Plan& plan);

  io::sim::World& world_;
  Plans& plans_;
  size_t busy_ = 0;
};

class SimBalancer {
 public:
  explicit SimBalancer(size_t instances) : count_(instances) {}
  io::Task<void> Run(io::sim::Machine& machine);
  // Requests at instances.
  uint32_t in_flight() const;

 private:
  size_t count_;
  const dispatch::Dispatcher* dispatcher_ = nullptr;  // null while it does not run
};

}  // namespace meridian::sim
