// Relay: sends a request's body to an upstream and its response back, as a proxy does (RFC 9110
// 7.6), in both directions at once and with backpressure. Edge and balancer share it.
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
#include "wire/http/fields/field_role.hpp"

namespace meridian::http {

// Appends to `to` the fields of a message that a proxy forwards: without the fields of the
// connection, those that Connection nominates, and Content-Length, which the writer of the
// forwarded body adds. The values are views into the message.
void CopyForwardable(const wire::http::HeaderFields& from, bool nominates_fields,
                     wire::http::HeaderFields* to);

// The same for a request, also without fields for which its sender is not trusted: look-alikes,
// overrides, and fields that only edges set (wire/http/fields/field_role.hpp). Every tier that
// forwards requests uses this function.
void CopyRequestFields(const wire::http::RequestHead& request, wire::http::SenderTrust sender,
                       wire::http::HeaderFields* to);

// The request of `exchange` with `fields` in place of its own, for Client::Send. A body that has
// arrived is sent with the head (and without Expect, since no 100 is needed). Of upgrades only
// websocket is forwarded: others (h2c) would carry requests that the proxy cannot inspect.
Request ForwardedRequest(Exchange& exchange, const wire::http::HeaderFields& fields);

// The deadline for the head of a response, in addition to the client's limits.
struct HeadDeadline {
  TimePoint at = kNever;
  // Called when `at` has passed without a head: returns the next deadline. A time that is not in
  // the future gives up, with kTimeout. `body_taken`: part of the request's body was read.
  std::function<TimePoint(bool body_taken)> extend = {};
};

struct RelayOptions {
  // Changes the forwarded fields of the response (adds Via, say). `upstream` is the response as
  // received.
  std::function<void(const wire::http::ResponseHead& upstream, wire::http::HeaderFields& fields)>
      edit_response = {};
  // The same for interim responses. May be empty.
  std::function<void(wire::http::HeaderFields& fields)> edit_interim = {};
  // Returns true to refuse a response by its head, before any of it is relayed, so that another
  // upstream may be asked. May be empty.
  std::function<bool(const wire::http::ResponseHead& upstream)> declines = {};
  // Returns true to take a response by its head, before any of it is relayed: the caller then reads
  // the rest and answers the exchange. `uploaded`: the whole request was sent; otherwise taking the
  // response ends the upload. May be empty.
  std::function<bool(const wire::http::ResponseHead& upstream, bool uploaded)> takes = {};
  HeadDeadline head_deadline = {};
  // The trust in the request's sender, for its trailers.
  wire::http::SenderTrust sender = {};
  // For ForwardOnce: the Host for a request without one, which HTTP/1.0 allows.
  std::string_view default_host = {};
  // The longest silence in both directions of an upgraded connection.
  Duration tunnel_idle_timeout = std::chrono::minutes{10};
};

struct RelayOutcome {
  enum class Kind : uint8_t {
    kAnswered,    // the whole response was relayed
    kUnanswered,  // the upstream failed before a response began: the exchange has no answer yet
    kTaken,   // RelayOptions::takes returned true: no answer yet, and `to` still has the response's
              // body
    kBroken,  // the upstream failed later, or the client did: the client's connection is aborted
  };
  Kind kind = Kind::kAnswered;
  Error error = {};  // unless kAnswered
  // The failure is the client's: it was lost, or sent a malformed body.
  bool client_failed = false;
  // Part of the request's body was read, so the request cannot be repeated.
  bool body_taken = false;
  // kUnanswered because RelayOptions::declines returned true.
  bool declined = false;
};

// `to` is a request that was sent for `from` with ForwardedRequest. Interim responses are relayed
// (except 100, which our server sends itself when the upload begins). An upgrade becomes a tunnel
// until both ends are done. A response that arrives before the upload is complete ends the upload.
// If the upstream fails within its response, the client's connection is aborted.
io::Task<RelayOutcome> Relay(Exchange& from, ClientExchange& to, const RelayOptions& options);

}  // namespace meridian::http
