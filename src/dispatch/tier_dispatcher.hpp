// TierDispatcher: the roster of a tier's process, tied to the agent. It follows the agent's view,
// checks the health of the instances, and tells the agent how they are used. Edge and balancer have
// one each, and a Dispatcher for each of their loops, which it makes. One thread: the process's
// main loop, except MakeDispatcher. Destroy it after the process's scope has been joined and its
// dispatchers have been destroyed.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "dispatch/config.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/health_checks.hpp"
#include "dispatch/roster.hpp"
#include "io/task.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/tier/tier_process.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {

class TierDispatcher {
 public:
  // `tier`: its name in metrics. `config` with the tier's share of max_in_flight.
  TierDispatcher(site::TierProcess& process, std::string tier, const Config& config);

  // The dispatcher of a loop, to be called, used and destroyed on its thread.
  std::unique_ptr<Dispatcher> MakeDispatcher(const site::TierLoop& loop);

  // To be called when the view has changed.
  void OnView();
  // The instances where no agent gives a view.
  void SetInstances(std::span<const site::InstanceView> instances);
  // Tells the agent once a second how each instance is used, until it is cancelled.
  io::Task<void> Report();
  // Once no request is left: closes the connections to instances.
  void Close() { SetInstances({}); }

 private:
  // Tells the agent of requests at instances that leave, and of problems, until it is cancelled.
  io::Task<void> TellChanges();

  site::TierProcess& process_;
  const std::string tier_;
  Roster roster_;
  HealthChecks checks_;
};

}  // namespace meridian::dispatch
