// Relay: carries a request's body to an upstream and its response back, as a proxy does (RFC 9110
// 7.6), both ways at once and with backpressure. Edge and balancer share it.
//
//   HeaderFields fields;
//   CopyRequestFields(exchange.request(), sender, &fields);   // and add Via and the like
//   Sent sent = co_await client.Send(ForwardedRequest(exchange, fields));
//   if (!sent) ...                                       // try another, or answer 502
//   RelayOutcome outcome = co_await Relay(exchange, *sent, {});
//   if (outcome.kind == RelayOutcome::Kind::kUnanswered) ...   // the same
#pragma once

#include <functional>

#include "http/client/client.hpp"
#include "http/exchange.hpp"
#include "wire/http/field_role.hpp"

namespace meridian::http {

// Appends to `to` the fields of a message that go on to the next hop: without those of the
// connection, those that Connection nominates, and Content-Length, which whoever frames the body
// writes. The views are the message's.
void CopyForwardable(const wire::http::HeaderFields& from, bool nominates_fields,
                     wire::http::HeaderFields* to);

// The same of a request, and without what its sender is not to be believed: look-alikes, overrides,
// and what only edges set (wire/http/field_role.hpp). Whoever sends requests on for others, asks
// this which of their fields go.
void CopyRequestFields(const wire::http::RequestHead& request, wire::http::SenderTrust sender,
                       wire::http::HeaderFields* to);

// The request of `exchange` with `fields` in place of its own, for Client::Send. A body that is at
// hand goes with the head (and without Expect: nobody needs to be asked any more). Of upgrades only
// websocket is passed on: others (h2c) would carry requests past whoever inspects them.
Request ForwardedRequest(Exchange& exchange, const wire::http::HeaderFields& fields);

// How long to wait for the head of a response, apart from what the client's limits say.
struct HeadDeadline {
  TimePoint at = kNever;
  // Called when that has come and no head: how long to wait on, given whether part of the
  // request's body was read. Not later than now: give up, with kTimeout.
  std::function<TimePoint(bool body_taken)> extend = {};
};

struct RelayOptions {
  // Changes the fields of the response that go on (adds Via, say). `upstream` is as received.
  std::function<void(const wire::http::ResponseHead& upstream, wire::http::HeaderFields& fields)>
      edit_response = {};
  // The same for interim responses. May be empty.
  std::function<void(wire::http::HeaderFields& fields)> edit_interim = {};
  // Refuses a response by its head, before any of it is passed on, so that another upstream may be
  // asked. May be empty.
  std::function<bool(const wire::http::ResponseHead& upstream)> declines = {};
  // Takes a response by its head, before any of it is passed on: the rest of it is then the
  // caller's to read, and the exchange's to answer. `uploaded`: all of the request was sent before;
  // else taking it ends the upload. May be empty.
  std::function<bool(const wire::http::ResponseHead& upstream, bool uploaded)> takes = {};
  HeadDeadline head_deadline = {};
  // Of the request, for its trailers.
  wire::http::SenderTrust sender = {};
  // For ForwardOnce: the Host of a request that came without one, as HTTP/1.0 allows.
  std::string_view default_host = {};
  // How long an upgraded connection may be silent both ways.
  Duration tunnel_idle_timeout = std::chrono::minutes{10};
};

struct RelayOutcome {
  enum class Kind : uint8_t {
    kAnswered,    // the response was relayed to its end
    kUnanswered,  // the upstream failed before a response was begun: the exchange is still to
                  // answer
    kTaken,       // RelayOptions::takes said so: the same, and `to` has its body yet
    kBroken,      // it failed later, or the client did: the connection to the client is broken off
  };
  Kind kind = Kind::kAnswered;
  Error error = {};  // unless kAnswered
  // Whose fault it was: the client was lost, or sent a malformed body.
  bool client_failed = false;
  // Part of the request's body was read: it cannot be sent again.
  bool body_taken = false;
  // kUnanswered, because RelayOptions::declines said so.
  bool declined = false;
};

// `to` is a request that was sent for `from` with ForwardedRequest. Interim responses are passed on
// (but 100, which our server sends itself when the upload begins); an upgrade becomes a tunnel
// until both ends are done; a response that comes before the upload is over ends the upload. An
// upstream that fails within its response breaks the client's connection visibly.
io::Task<RelayOutcome> Relay(Exchange& from, ClientExchange& to, const RelayOptions& options);

}  // namespace meridian::http
