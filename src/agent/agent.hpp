// The agent: runs one data center. It starts the tiers and the instances of the application, keeps
// them running, asks the other agents how theirs are, and gives every tier the SiteView that
// follows from all of it.
//
// One thread: the loop's. Invariants: a view is numbered, and a new number means that something in
// it is different; listening sockets are made before the first tier starts, so that a port in use
// is found before anything runs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/children/instance_child.hpp"
#include "agent/children/lifecycle.hpp"
#include "agent/children/replacement.hpp"
#include "agent/children/tier_child.hpp"
#include "agent/context.hpp"
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
    Duration answer_ttl;          // of DNS answers: how long visitors may still come after a drain
    std::set<std::string> roles;  // tiers to run, "app" among them; empty: all
    std::shared_ptr<io::TlsContext> peer_tls;
    // Called while it starts, with what is waited for; often with the same.
    std::function<void(const std::string&)> waits = nullptr;
  };

  Agent(const Context& context, Options options);
  ~Agent();

  // Opens the sockets and starts everything; waits until tiers are ready and instances healthy. An
  // error says what did not come up, and what to do about it.
  io::Task<Result<void>> Start();
  // Ends everything in good order: the edge last of all that serve, so that what is in flight gets
  // its answer.
  io::Task<void> Stop();

  // Outlives this agent, and its machine's restart. False: there is nothing to drain, or not yet.
  bool Drain();
  bool Undrain();

  // Starts an instance anew, failing no request: every tier is told that it leaves, it finishes
  // what it has, and only then it ends. Returns at once. kNotFound: there is none here.
  // kUnavailable: it is not in service, or no other could serve meanwhile.
  Result<void> RestartInstance(std::string_view id);

  const site::SiteView& view() const { return view_; }
  DataCenterStatus Status() const;
  // The processes that it started and waits for.
  std::vector<pid_t> Children() const;
  Metrics& metrics() { return metrics_; }

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
  // No tier has requests at instances that leave, by that view or a newer one.
  bool HaveLeft(uint64_t view_number) const;
  // Of visitors, at the instances here.
  bool HasRequests() const;
  void ReplaceUnhealthy();
  void RememberDrain(bool drained) const;
  std::string Problems() const;
  void OnChange();
  // What keeps this data center from serving its visitors by itself.
  std::optional<UnavailableReason> FindUnavailableReason() const;
  site::SiteView MakeView() const;
  // What the tiers that send requests to this instance say of it.
  std::vector<TierInstanceUse> UsesOf(const InstanceChild& instance) const;
  void LogStates(const site::SiteView& next) const;

  const Context& context_;
  Options options_;
  Metrics metrics_;
  Gauge& healthy_instances_;
  Gauge& ready_tiers_;
  Lifecycle lifecycle_;
  Availability availability_;
  bool drains_when_it_serves_ = false;  // it was drained when it ran last
  Replacement replacement_;
  Peers peers_;
  PeerPoller poller_;
  std::vector<std::unique_ptr<TierChild>> tiers_;
  std::vector<std::unique_ptr<InstanceChild>> instances_;
  site::SiteView view_;
  io::WaitQueue changed_;
  io::Scope children_;
  io::Scope background_;
};

}  // namespace meridian::agent
