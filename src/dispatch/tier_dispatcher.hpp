// TierDispatcher: a Dispatcher tied to the process of its tier. It follows the view of the agent,
// and tells the agent how the instances are used. Edge and balancer have one each; one thread: the
// process's loop. Destroy it after the process's scope has been joined.
#pragma once

#include <string>

#include "dispatch/config.hpp"
#include "dispatch/dispatcher.hpp"
#include "io/task.hpp"
#include "site/tier/tier_process.hpp"

namespace meridian::dispatch {

class TierDispatcher {
 public:
  // `tier`: its name in metrics. `config` with the tier's share of max_in_flight.
  TierDispatcher(site::TierProcess& process, std::string tier, const Config& config);

  Dispatcher& dispatcher() { return dispatcher_; }
  // To be called when the view has changed.
  void OnView();
  // Tells the agent once a second how each instance is used, until it is cancelled.
  io::Task<void> Report();
  // Once no request is left: closes the connections to instances.
  void Close() { dispatcher_.SetInstances({}); }

 private:
  site::TierProcess& process_;
  Dispatcher dispatcher_;
};

}  // namespace meridian::dispatch
