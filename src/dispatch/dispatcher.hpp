// Dispatcher: forwards each request to one of the application's instances. It chooses the instance,
// retries at another where that is allowed, records outcomes, and checks the health of all
// instances. The edge has one, and so has the balancer.
//
// Time, sockets and random numbers come from its loop, network and Random alone, so it runs in a
// simulation as well. One thread: the loop's. It must outlive its fibers: cancel and join `checks`,
// and await every Forward and Fetch, before it is destroyed.
//
// Invariants: a request is at one instance at a time. It goes to another instance only where
// http::ForwardOnce allows it, at most `retries` times, and only within the retry budget if it may
// have been processed. All tries together end after response_timeout; a try whose request may go to
// another instance ends after try_timeout.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/metrics.hpp"
#include "base/random.hpp"
#include "dispatch/config.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/instance_metrics.hpp"
#include "dispatch/retry_budget.hpp"
#include "dispatch/roster.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/view/view.hpp"
#include "wire/http/message.hpp"

namespace meridian::dispatch {

// Where a dispatcher works.
struct DispatchContext {
  std::string tier;  // its metrics are called meridian_<tier>_...
  std::string data_center;
  std::string health_path;  // of the application
  std::string health_host;  // the Host of requests for it
};

// A request to be forwarded. What it refers to must outlive Forward.
struct ForwardOrder {
  http::Exchange& exchange;
  const wire::http::HeaderFields& fields;  // replace those of the request
  // The dispatcher sets `head_deadline`. `edit_response` gets the fields without those that only
  // Meridian may set, and with Meridian-Path when `debug`.
  const http::RelayOptions& relay;
  bool debug = false;
  bool names_instance = false;  // the response gets Meridian-Instance
};

struct Outcome {
  enum class Kind : uint8_t {
    kAnswered,     // the exchange is done; error kCancelled: the visitor has left
    kTaken,        // RelayOptions::takes returned true, or it was Fetch
    kFailed,       // an instance may have seen the request: answer http::FailureStatus(error)
    kUnavailable,  // no instance has seen it; another data center may serve it
    kBusy,         // the queue was full; it must not be sent to another data center
  };
  Kind kind = Kind::kAnswered;
  Error error = {};
  // Holds the request's slot at the instance until it is destroyed.
  std::unique_ptr<http::ClientExchange> taken = {};
  // The last instance that the request was sent to; null without one.
  std::shared_ptr<const Instance> at = {};
};

class Dispatcher {
 public:
  Dispatcher(io::Loop& loop, io::Network& network, io::Scope& checks, DispatchContext place,
             const Config& config, Metrics& metrics, Random random);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  // Replaces the set of instances. Known instances keep their state. An instance that is no longer
  // in the set gets no further request and finishes those that it has.
  void SetInstances(std::span<const site::InstanceView> instances);

  // Has an instance answer the request; retries where that is allowed.
  io::Task<Outcome> Forward(const ForwardOrder& order);
  // Sends a request of our own, with an idempotent method. Never kAnswered, unless cancelled.
  io::Task<Outcome> Fetch(const http::Request& request);

  const Roster& roster() const { return roster_; }
  // Called when the number of requests at instances that leave may have changed.
  void OnLeaving(std::function<void()> call) { roster_.on_leaving = std::move(call); }
  // Called when roster().problem() changes.
  void OnProblem(std::function<void()> call) { roster_.on_problem = std::move(call); }

 private:
  struct RequestState;

  std::shared_ptr<Instance> Find(const site::InstanceView& view) const;
  http::RelayOptions OptionsFor(RequestState& state);
  TimePoint DeadlineAfterTimeout(RequestState& state, bool body_taken);
  io::Task<Outcome> Dispatch(RequestState& state);
  io::Task<http::ForwardOutcome> TryAt(RequestState& state, Slot& slot);
  io::Task<http::ForwardOutcome> FetchOnce(RequestState& state, Instance& instance);
  bool MayRetry(RequestState& state);
  void RecordOutcome(Instance& instance, int status, const http::ForwardOutcome& outcome);
  void RecordFailure(Instance& instance, const Error& error);
  io::Task<void> CheckHealth(std::shared_ptr<Instance> instance);

  io::Loop& loop_;
  io::Network& network_;
  io::Scope& checks_;
  const DispatchContext context_;
  const Config config_;
  Counter& retries_;
  Counter& over_budget_;
  Counter& failures_;
  InstanceMetrics instance_metrics_;
  Roster roster_;
  RetryBudget budget_;
};

}  // namespace meridian::dispatch
