// The agent: runs one data center. It starts the tiers and the instances of the application, keeps
// them running, polls the other agents, and sends the resulting SiteView to every tier.
//
// One thread: the loop's. Invariants: a new number of the view means that its content has changed.
// Listening sockets are opened before the first tier starts, so that a port in use is an error
// before any process runs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/agent_metrics.hpp"
#include "agent/children/instance_child.hpp"
#include "agent/children/lifecycle.hpp"
#include "agent/children/replacement.hpp"
#include "agent/children/tier_child.hpp"
#include "agent/children/workers.hpp"
#include "agent/context.hpp"
#include "agent/engines/engines.hpp"
#include "agent/logs/log_forwarder.hpp"
#include "agent/peers/availability.hpp"
#include "agent/peers/peer_poller.hpp"
#include "agent/peers/peers.hpp"
#include "agent/report/status.hpp"
#include "base/metrics.hpp"
#include "io/net/tls.hpp"

namespace meridian::agent {

class Agent {
 public:
  struct Options {
    Duration answer_ttl;  // of DNS answers: visitors may still arrive for so long after a drain
    std::set<std::string> roles;  // tiers to run, "app" and "worker" among them; empty: all
    std::shared_ptr<io::TlsContext> peer_tls;
    // Called during the start, with what it waits for; often repeats the same text.
    std::function<void(const std::string&)> waits = nullptr;
  };

  Agent(const Context& context, Options options);
  ~Agent();

  // Opens the sockets, starts all processes, and waits until tiers are ready and instances healthy.
  // The error names the process that did not start, and what to do.
  io::Task<Result<void>> Start();
  // Stops all processes in order: of the serving tiers the edge last, so that requests in flight
  // are answered.
  io::Task<void> Stop();

  // The drain persists over restarts of the agent and the machine. False: the data center is not
  // serving.
  bool Drain();
  bool Undrain();

  // Restarts an instance without failing a request: its view entry becomes draining, it finishes
  // its requests, and then it is stopped. Returns at once. kNotFound: no such instance here.
  // kUnavailable: it is not in service, or no other instance could serve meanwhile. A process of a
  // worker gets SIGTERM at once.
  Result<void> RestartInstance(std::string_view id);

  const site::SiteView& view() const { return view_; }
  DataCenterStatus Status() const;
  // The child processes that the agent started and reaps.
  std::vector<pid_t> Children() const;
  Metrics& metrics() { return metrics_; }
  const Engines& engines() const { return engines_; }
  const std::shared_ptr<io::TlsContext>& peer_tls() const { return options_.peer_tls; }

 private:
  bool Runs(const std::string& role) const;
  Result<void> OpenSockets();
  io::Task<Result<void>> AwaitStart();
  Result<void> StartProblem() const;
  bool IsUp() const;
  std::string WaitsFor() const;
  bool IsSettled() const;
  io::Task<void> StopTiers(bool serving_application);
  io::Task<void> Tick();
  io::Task<void> RestartWhenLeft(InstanceChild& instance, uint64_t view_number);
  // True if, by that view or a newer one, no tier has requests in flight at leaving instances.
  bool HaveLeft(uint64_t view_number) const;
  // True if the instances here have requests in flight.
  bool HasRequests() const;
  void ReplaceUnhealthy();
  void RememberDrain(bool drained) const;
  std::string Problems() const;
  void OnChange();
  // Brings metrics up to date.
  void Show();
  // Why this data center cannot serve its visitors by itself, if it cannot.
  std::optional<UnavailableReason> FindUnavailableReason() const;
  site::SiteView MakeView() const;
  // How the tiers that send requests to this instance use it.
  std::vector<TierInstanceUse> UsesOf(const InstanceChild& instance) const;
  void LogStates(const site::SiteView& next) const;

  const Context& context_;
  Options options_;
  Metrics metrics_;
  AgentMetrics shown_;
  Lifecycle lifecycle_;
  Availability availability_;
  bool drains_when_it_serves_ = false;  // it was drained at the end of its last run
  Replacement replacement_;
  Peers peers_;
  PeerPoller poller_;
  LogForwarder logs_;
  std::vector<std::unique_ptr<TierChild>> tiers_;
  std::vector<std::unique_ptr<InstanceChild>> instances_;
  Workers workers_;
  Engines engines_;
  site::SiteView view_;
  io::WaitQueue changed_;
  io::Scope children_;
  io::Scope background_;
};

}  // namespace meridian::agent
