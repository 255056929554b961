// Dispatcher: the core of the balancer. Told which instances there are, it answers each request
// with the answer of one of them: chooses, forwards, tries elsewhere where that is allowed, notes
// what became of it, and checks the health of each.
//
// Time, sockets and chance come from its loop, network and Random alone, so that it runs in a
// simulated world as in the real one. One thread: the loop's. It must outlive its fibers: `checks`
// is cancelled and joined, and no Handle is left, before it goes.
//
// Invariants: a request is at one instance at a time; it is sent to another only where
// http::ForwardOnce allows that, at most `retries` times, and where it may have been processed only
// within the retry budget. All tries together have response_timeout; one that could go elsewhere is
// cut after try_timeout.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "dispatch/config.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/retry_budget.hpp"
#include "dispatch/roster.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "io/loop.hpp"
#include "io/network.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/view.hpp"
#include "wire/http/field_role.hpp"

namespace meridian::dispatch {

// What the dispatcher is told of its site.
struct Place {
  std::string data_center;
  std::string health_path;  // of the application
  std::string health_host;  // the Host of requests for it
  IpAddress address = {};   // of this data center's edge
};

class Dispatcher {
 public:
  Dispatcher(io::Loop& loop, io::Network& network, io::Scope& checks, Place place,
             const Config& config, Metrics& metrics, Random random);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  // All the instances that there are from now on. Those that were known stay as they are; one that
  // is no longer named gets no further request and finishes those it has.
  void SetInstances(std::span<const site::InstanceView> instances);

  // Answers the request, whatever its path.
  io::Task<void> Handle(http::Exchange& exchange);

  const Roster& roster() const { return roster_; }
  // Called when the number of requests at instances that leave may have changed.
  void OnLeaving(std::function<void()> call) { roster_.on_leaving = std::move(call); }
  // Called when roster().problem() changes.
  void OnProblem(std::function<void()> call) { roster_.on_problem = std::move(call); }

 private:
  struct Trip;

  // Edges of the site, and proxies that site.toml names, know who the visitor is.
  wire::http::SenderTrust TrustIn(const http::Exchange& exchange) const;

  // What goes to an instance.
  void SetFields(Trip& trip) const;
  std::shared_ptr<Instance> Find(const site::InstanceView& view) const;
  http::RelayOptions OptionsFor(Trip& trip);
  TimePoint OnLate(Trip& trip, bool body_taken);
  io::Task<http::ForwardOutcome> Try(Trip& trip, Seat& seat);
  bool MayRetry(Trip& trip);
  void Note(Instance& instance, int status, const http::ForwardOutcome& outcome);
  void NoteFailure(Instance& instance, const Error& error);
  io::Task<void> AnswerFailure(const Trip& trip, const Error& error);
  io::Task<void> CheckHealth(std::shared_ptr<Instance> instance);

  io::Loop& loop_;
  io::Network& network_;
  io::Scope& checks_;
  const Place place_;
  const Config config_;
  Counter& retries_;
  Counter& over_budget_;
  Counter& unavailable_;
  Counter& failures_;
  Roster roster_;
  RetryBudget budget_;
};

}  // namespace meridian::dispatch
