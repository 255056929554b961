#include "dispatch/dispatcher.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "dispatch/choice_constraints.hpp"
#include "dispatch/config.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/loop_roster.hpp"
#include "dispatch/roster.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/forward.hpp"
#include "http/relay.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "site/tier/internal_fields.hpp"
#include "wire/http/message.hpp"
#include "wire/http/status.hpp"

namespace meridian::dispatch {

namespace {

using Kind = Outcome::Kind;
using Try = http::ForwardOutcome::Kind;

}  // namespace

// One request and its tries.
struct Dispatcher::RequestState {
  // Either `forwarding`, for a visitor, or `request`, without a visitor, is set.
  const ForwardOrder* forwarding = nullptr;
  const http::Request* request = nullptr;
  bool idempotent = false;
  TimePoint deadline = kNever;  // for all tries together
  ChoiceConstraints constraints = {};
  bool sent = false;  // an instance may have seen the request
  bool paid = false;  // the next try has been taken from the budget
  const Instance* at = nullptr;
  int status = 0;  // of the answer; 0: none
  TimePoint tried_at = {};
  TimePoint answered_at = {};  // when the head of the answer arrived
  std::string path = {};       // Meridian-Path, for requests with the debug field
};

Dispatcher::Dispatcher(io::Loop& loop, io::Network& network, Roster& roster,
                       DispatchContext context, Metrics& metrics, Random random)
    : loop_(loop),
      context_(std::move(context)),
      config_(roster.config()),
      retries_(metrics.AddCounter(fmt::format("meridian_{}_retries_total", context_.tier),
                                  "Requests sent to another instance after a failure.")),
      over_budget_(
          metrics.AddCounter(fmt::format("meridian_{}_retries_over_budget_total", context_.tier),
                             "Retries that were not made because of the budget.")),
      failures_(metrics.AddCounter(fmt::format("meridian_{}_failures_total", context_.tier),
                                   "Tries at an instance that failed.")),
      roster_(loop, network, roster, context_.tier, metrics, random) {}

Dispatcher::~Dispatcher() = default;

// Counts each failed try; logs only the first since the last passed check.
void Dispatcher::RecordFailure(Instance& instance, const Error& error) {
  using enum Roster::Failure;
  failures_.Add();
  instance.counted.failures->Add();
  const bool reset = error.code == Errc::kReset || error.code == Errc::kClosed;
  const Roster::Failure failure =
      error.code == Errc::kRefused ? kRefused : (reset ? kReset : kUnanswered);
  if (!roster_.OnFailure(instance, failure)) return;
  LOG_WARNING("tries fail", {"instance", instance.id}, {"problem", error.message});
}

void Dispatcher::RecordOutcome(Instance& instance, int status,
                               const http::ForwardOutcome& outcome) {
  if ((outcome.kind == Try::kAnswered && !outcome.broken) || outcome.kind == Try::kTaken) {
    if (status == 0) return;  // the visitor left before the answer
    if (status < 500) {
      roster_.OnAnswered(instance);
      return;
    }
    instance.counted.failures->Add();
    (void)roster_.OnFailure(instance, Roster::Failure::kErrorStatus);
    return;
  }
  // A visitor who left, or a full pool, says nothing about the instance.
  if (outcome.error.code == Errc::kCancelled) return;
  bool unreachable = outcome.error.code == Errc::kRefused || outcome.error.code == Errc::kTimeout;
  if (outcome.never_sent && !unreachable) return;
  RecordFailure(instance, outcome.error);
}

// Removes Meridian's internal fields from the application's responses: with them, a 503 of the
// application could make an edge send a request that was processed to another data center.
http::RelayOptions Dispatcher::OptionsFor(RequestState& state) {
  http::RelayOptions options = state.forwarding->relay;
  options.edit_response = [this, &state](const wire::http::ResponseHead& head,
                                         wire::http::HeaderFields& fields) {
    state.status = head.status;
    state.answered_at = loop_.Now();
    site::RemoveInternalFields(fields);
    if (state.forwarding->names_instance) fields.Add(site::kInstanceField, state.at->id);
    if (state.forwarding->debug) {
      state.path = fmt::format("datacenter={} instance={}", context_.data_center, state.at->id);
      fields.Add(site::kPathField, state.path);
    }
    if (state.forwarding->relay.edit_response) state.forwarding->relay.edit_response(head, fields);
  };
  options.edit_interim = site::RemoveInternalFields;
  options.head_deadline.at = std::min(loop_.After(config_.try_timeout), state.deadline);
  options.head_deadline.extend = [this, &state](bool body_taken) {
    return DeadlineAfterTimeout(state, body_taken);
  };
  return options;
}

// The deadline of a try after try_timeout: now, if another try may follow, else the request's.
TimePoint Dispatcher::DeadlineAfterTimeout(RequestState& state, bool body_taken) {
  if (body_taken) return kNever;  // the client's own timeout applies, which an upload extends
  if (loop_.Now() < state.deadline && !MayRetry(state)) return state.deadline;
  return loop_.Now();
}

// Whether another try may follow the present one; takes it from the retry budget.
bool Dispatcher::MayRetry(RequestState& state) {
  if (!state.idempotent ||
      state.constraints.tried().size() > static_cast<size_t>(config_.retries)) {
    return false;
  }
  const Roster::Retry retry = roster_.TakeRetry(state.constraints);
  state.paid = retry == Roster::Retry::kAllowed;
  if (retry == Roster::Retry::kOverBudget) over_budget_.Add();
  return state.paid;
}

io::Task<http::ForwardOutcome> Dispatcher::FetchOnce(RequestState& state, Instance& instance) {
  http::Sent sent = co_await instance.client.Send(*state.request);
  if (!sent) {
    co_return http::ForwardOutcome{.kind = Try::kElsewhere,
                                   .error = std::move(sent.error().error),
                                   .never_sent = sent.error().never_sent};
  }
  auto taken = std::make_unique<http::ClientExchange>(std::move(*sent));
  TimePoint until = std::min(loop_.After(config_.try_timeout), state.deadline);
  auto head = co_await taken->ReadHead(until);
  for (;;) {
    if (head && !(*head)->is_interim()) {
      co_return http::ForwardOutcome{.kind = Try::kTaken, .taken = std::move(taken)};
    }
    if (!head) {
      bool late = head.error().code == Errc::kTimeout && loop_.Now() >= until;
      if (late) until = DeadlineAfterTimeout(state, false);
      if (!late || loop_.Now() >= until) break;
    }
    head = co_await taken->ReadHead(until);
  }
  co_return http::ForwardOutcome{.kind = Try::kElsewhere, .error = std::move(head.error())};
}

io::Task<http::ForwardOutcome> Dispatcher::TryAt(RequestState& state, Slot& slot) {
  state.at = &*slot;
  state.constraints.AddTried(slot->shared.get());
  state.paid = false;
  state.status = 0;
  state.tried_at = loop_.Now();
  state.answered_at = {};
  http::ForwardOutcome outcome;
  if (!roster_.TakeConnection(slot)) {
    if (auto connection = co_await roster_.AwaitConnection(slot); !connection) {
      co_return http::ForwardOutcome{
          .kind = Try::kElsewhere, .error = std::move(connection.error()), .never_sent = true};
    }
  }
  if (state.request != nullptr) {
    outcome = co_await FetchOnce(state, *slot);
  } else {
    const http::RelayOptions options = OptionsFor(state);
    outcome = co_await http::ForwardOnce(state.forwarding->exchange, state.forwarding->fields,
                                         slot->client, options);
  }
  if (outcome.kind == Try::kTaken) {
    state.status = outcome.taken->head().status;
    state.answered_at = loop_.Now();
  }
  // A request that cannot be serialised fails at every instance.
  if (outcome.error.code == Errc::kInvalid && outcome.never_sent) outcome.kind = Try::kFailed;
  state.sent = state.sent || !outcome.never_sent || outcome.kind == Try::kFailed;
  RecordOutcome(*slot, state.status, outcome);
  slot->counted.requests->Add();
  if (state.answered_at != TimePoint{}) {
    slot->counted.durations->Add(state.answered_at - state.tried_at);
  }
  co_return outcome;
}

io::Task<Outcome> Dispatcher::Forward(const ForwardOrder& forwarding) {
  RequestState state{
      .forwarding = &forwarding,
      .idempotent = wire::http::IsIdempotentMethod(forwarding.exchange.request().method)};
  co_return co_await Dispatch(state);
}

io::Task<Outcome> Dispatcher::Fetch(const http::Request& request) {
  RequestState state{.request = &request, .idempotent = true};
  co_return co_await Dispatch(state);
}

io::Task<Outcome> Dispatcher::Dispatch(RequestState& state) {
  state.deadline = loop_.After(config_.response_timeout);
  state.constraints.may_use_trial = state.idempotent;
  roster_.OnRequest();
  Outcome result{.kind = Kind::kUnavailable,
                 .error = {Errc::kUnavailable, "no instance of the application is healthy"}};
  for (int attempt = 0; attempt <= config_.retries; ++attempt) {
    Slot slot = roster_.TakeNow(state.constraints);
    if (!slot) {
      Result<Slot> waited = co_await roster_.Take(
          state.constraints, std::min(loop_.After(config_.queue_timeout), state.deadline));
      if (!waited && waited.error().code == Errc::kCancelled) {
        co_return Outcome{.kind = Kind::kAnswered, .error = std::move(waited.error())};
      }
      bool busy = !waited && waited.error().code != Errc::kUnavailable;
      if (busy && !state.sent) {
        result = {.kind = Kind::kBusy,
                  .error = {Errc::kUnavailable,
                            "too many requests wait for an instance of the application"},
                  .at = std::move(result.at)};
      }
      if (!waited) break;
      slot = std::move(*waited);
    }
    if (attempt > 0) retries_.Add();
    result.at = slot.instance();
    http::ForwardOutcome outcome = co_await TryAt(state, slot);
    if (outcome.kind == Try::kTaken) {
      outcome.taken->Keep(std::make_shared<Slot>(std::move(slot)));
      co_return Outcome{
          .kind = Kind::kTaken, .taken = std::move(outcome.taken), .at = std::move(result.at)};
    }
    if (outcome.kind == Try::kAnswered || outcome.error.code == Errc::kCancelled) {
      co_return Outcome{
          .kind = Kind::kAnswered, .error = std::move(outcome.error), .at = std::move(result.at)};
    }
    if (state.sent) {
      result.kind = Kind::kFailed;
      result.error = std::move(outcome.error);
    }
    if (outcome.kind == Try::kFailed || loop_.Now() >= state.deadline) break;
    // A try that reached no instance is no load, and needs no budget.
    if (!outcome.never_sent && !state.paid && !MayRetry(state)) break;
  }
  co_return result;
}

}  // namespace meridian::dispatch
