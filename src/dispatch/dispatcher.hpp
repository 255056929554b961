// Dispatcher: gives each request to one of the instances of an application: chooses, forwards,
// tries elsewhere where that is allowed, notes what became of it, and checks the health of each.
// Edge and balancer have one each.
//
// Time, sockets and chance come from its loop, network and Random alone, so that it runs in a
// simulated world as in the real one. One thread: the loop's. It must outlive its fibers: `checks`
// is cancelled and joined, and no Forward or Ask is left, before it goes.
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

// What the dispatcher is told of where it works.
struct Place {
  std::string tier;  // whose it is: its metrics are meridian_<tier>_...
  std::string data_center;
  std::string health_path;  // of the application
  std::string health_host;  // the Host of requests for it
};

// A request to be answered. What it refers to must last until it is over.
struct Order {
  http::Exchange& exchange;
  const wire::http::HeaderFields& fields;  // in place of its own
  // The dispatcher sets `head_deadline` itself. `edit_response` finds the fields without what the
  // application must not say, and with Meridian-Path when `debug`.
  const http::RelayOptions& relay;
  bool debug = false;
  bool names_instance = false;  // the response gets Meridian-Instance
};

struct Outcome {
  enum class Kind : uint8_t {
    kAnswered,     // nothing is left to do; kCancelled: the visitor has left
    kTaken,        // RelayOptions::takes said so, or it was Ask
    kFailed,       // an instance may have seen it: http::FailureStatus(error)
    kUnavailable,  // no instance has seen it; another data center may be asked
    kBusy,         // nor here, for there was no room; more load must not be carried elsewhere
  };
  Kind kind = Kind::kAnswered;
  Error error = {};
  // Holds the request's place at its instance until it goes.
  std::unique_ptr<http::ClientExchange> taken = {};
  // The last that the request was sent to; null when there was none.
  std::shared_ptr<const Instance> at = {};
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

  // Has an instance answer the request.
  io::Task<Outcome> Forward(const Order& order);
  // Asks an instance on nobody's behalf, with an idempotent method: never kAnswered, unless it was
  // cancelled.
  io::Task<Outcome> Ask(const http::Request& request);

  const Roster& roster() const { return roster_; }
  // Called when the number of requests at instances that leave may have changed.
  void OnLeaving(std::function<void()> call) { roster_.on_leaving = std::move(call); }
  // Called when roster().problem() changes.
  void OnProblem(std::function<void()> call) { roster_.on_problem = std::move(call); }

 private:
  struct Trip;

  std::shared_ptr<Instance> Find(const site::InstanceView& view) const;
  http::RelayOptions OptionsFor(Trip& trip);
  TimePoint OnLate(Trip& trip, bool body_taken);
  io::Task<Outcome> Dispatch(Trip& trip);
  io::Task<http::ForwardOutcome> TryAt(Trip& trip, Seat& seat);
  io::Task<http::ForwardOutcome> AskOnce(Trip& trip, Instance& instance);
  bool MayRetry(Trip& trip);
  void Note(Instance& instance, int status, const http::ForwardOutcome& outcome);
  void NoteFailure(Instance& instance, const Error& error);
  io::Task<void> CheckHealth(std::shared_ptr<Instance> instance);

  io::Loop& loop_;
  io::Network& network_;
  io::Scope& checks_;
  const Place place_;
  const Config config_;
  Counter& retries_;
  Counter& over_budget_;
  Counter& failures_;
  InstanceMetrics instance_metrics_;
  Roster roster_;
  RetryBudget budget_;
};

}  // namespace meridian::dispatch
