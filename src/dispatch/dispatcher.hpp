// Dispatcher: forwards each request to one of the application's instances. It chooses the instance,
// retries at another where that is allowed, records outcomes, and checks the health of all
// instances. The edge has one, and so has the balancer.
//
// Time, sockets and random numbers come from its loop, network and Random alone, so it runs in a
// simulation as well. One thread: the loop's. Before it is destroyed, cancel and join `checks`,
// await every Forward and Fetch, and destroy every Outcome::taken (it holds a slot of the roster).
//
// Invariants: a request is at one instance at a time. It goes to another instance only where
// http::ForwardOnce allows it, at most `retries` times, and only within the retry budget if it may
// have been processed. The head of the response must arrive within response_timeout, counted from
// the call of Forward or Fetch, so that queueing and all tries are included; a try whose request
// may go to another instance ends after try_timeout. After a part of the request's body was read
// from the visitor, only the timeouts of the instance's http::Client apply, which an upload
// extends. No timeout of the dispatcher limits the body of the response.
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

// The names that a dispatcher uses in metrics and responses, and the request by which it checks
// the health of an instance.
struct DispatchContext {
  std::string tier;         // its metrics are called meridian_<tier>_...
  std::string data_center;  // in Meridian-Path
  std::string health_path;  // of the health check's request
  std::string health_host;  // its Host
};

// A request to be forwarded. The objects that it refers to must outlive Forward.
struct ForwardOrder {
  http::Exchange& exchange;
  const wire::http::HeaderFields& fields;  // replace those of the request
  // The dispatcher sets `head_deadline` and `edit_interim` itself, and calls `edit_response` with
  // the fields after its own changes: internal fields are removed, Meridian-Instance and
  // Meridian-Path are added where asked for.
  const http::RelayOptions& relay;
  bool debug = false;           // the response gets Meridian-Path
  bool names_instance = false;  // the response gets Meridian-Instance
};

struct Outcome {
  enum class Kind : uint8_t {
    kAnswered,     // no further action: the response was relayed, or the exchange was aborted
                   // (`error`; kCancelled: the fiber was cancelled, as when the visitor leaves)
    kTaken,        // RelayOptions::takes returned true, or Fetch got a response
    kFailed,       // an instance may have seen the request: answer http::FailureStatus(error)
    kUnavailable,  // no instance has seen it; another data center may serve it
    kBusy,         // no instance has seen it: the queue was full, or it waited for queue_timeout;
                   // it must not be sent to another data center
  };
  Kind kind = Kind::kAnswered;
  Error error = {};  // meaningless for kTaken and for kAnswered with a complete response
  // kTaken: its head was read. Holds the request's slot at the instance until it is destroyed.
  std::unique_ptr<http::ClientExchange> taken = {};
  // The last instance that was tried, even if no byte of the request reached it; null if none was.
  std::shared_ptr<const Instance> at = {};
};

class Dispatcher {
 public:
  Dispatcher(io::Loop& loop, io::Network& network, io::Scope& checks, DispatchContext context,
             const Config& config, Metrics& metrics, Random random);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();

  // Replaces the set of instances; before the first call every request is kUnavailable. Known
  // instances keep their state. An instance that is no longer in the set gets no further request
  // and finishes the requests that it has.
  void SetInstances(std::span<const site::InstanceView> instances);

  // Has an instance answer the request; retries where that is allowed.
  io::Task<Outcome> Forward(const ForwardOrder& order);
  // Sends a request that belongs to no visitor. Its method must be idempotent: it is retried. Gives
  // kAnswered only when the fiber is cancelled.
  io::Task<Outcome> Fetch(const http::Request& request);

  const Roster& roster() const { return roster_; }
  // Called when the number of requests in flight at draining instances may have changed.
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
