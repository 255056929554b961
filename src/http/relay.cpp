#include "http/relay.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/tunnel.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/fields/field_role.hpp"
#include "wire/http/hop_by_hop.hpp"
#include "wire/http/message.hpp"

namespace meridian::http {
namespace {

using Kind = RelayOutcome::Kind;
using wire::http::HeaderField;
using wire::http::HeaderFields;
using wire::http::ResponseHead;

// Space for the fields that a proxy adds to a head: Via, X-Forwarded-* and the like.
constexpr size_t kAddedFields = 6;

// The relay of one exchange: the upload runs in its own fiber, the download in the handler's.
class RelayRun {
 public:
  RelayRun(Exchange& from, ClientExchange& to, const RelayOptions& options)
      : from_(from), to_(to), options_(options) {}

  io::Task<RelayOutcome> Run(bool uploads);

 private:
  io::Task<void> Upload();
  io::Task<void> WaitForContinue();
  io::Task<void> Download();
  io::Task<Result<const ResponseHead*>> ReadFinalHead();
  io::Task<void> RelayBody();
  io::Task<void> RelayUpgrade(const ResponseHead& head);
  Result<void> StartResponse(const ResponseHead& head);
  HeaderFields ForwardedFields(const ResponseHead& head) const;

  void UpstreamFailed(Error error);
  void ClientFailed(Error error);

  Exchange& from_;
  ClientExchange& to_;
  const RelayOptions& options_;
  RelayOutcome outcome_;
  io::WaitQueue continue_queue_;
  bool uploading_ = false;     // the request's body is not complete; the response will end it
  bool uploaded_ = false;      // the whole request was sent, including its end
  bool may_continue_ = false;  // the upstream sent 100 or a final response
};

io::Task<RelayOutcome> RelayRun::Run(bool uploads) {
  uploaded_ = !uploads;
  if (!uploads) {
    co_await Download();
    co_return std::move(outcome_);
  }
  uploading_ = true;
  io::Scope upload(from_.loop());
  upload.Spawn(Upload());
  co_await Download();
  upload.Cancel();
  co_await upload.Join();
  co_return std::move(outcome_);
}

io::Task<void> RelayRun::Upload() {
  if (from_.request().expects_continue) co_await WaitForContinue();
  for (;;) {
    Result<Bytes> data = co_await from_.ReadBody();
    if (!data) {
      // The upstream's answer to a part of the request is meaningless.
      if (data.error().code != Errc::kCancelled) ClientFailed(std::move(data.error()));
      co_return;
    }
    outcome_.body_taken = outcome_.body_taken || !data->empty();
    if (data->empty()) break;
    // An upstream that stops reading may have answered already; the download handles it.
    if (!co_await to_.Write(*data)) co_return;
  }
  uploading_ = false;
  HeaderFields trailers;
  for (const HeaderField& field : from_.request_trailers()) {
    if (wire::http::PassesOn(field.name, options_.sender)) trailers.Add(field.name, field.value);
  }
  const Result<void> finished = co_await to_.Finish({}, trailers);
  uploaded_ = finished.has_value();
}

io::Task<void> RelayRun::WaitForContinue() {
  TimePoint deadline = from_.loop().After(kContinueTimeout);
  while (!may_continue_) {
    if (!co_await continue_queue_.Wait(deadline)) co_return;
  }
}

io::Task<void> RelayRun::Download() {
  Result<const ResponseHead*> head = co_await ReadFinalHead();
  if (!head) {
    UpstreamFailed(std::move(head.error()));
    co_return;
  }
  if (options_.declines && options_.declines(**head)) {
    outcome_.declined = true;
    UpstreamFailed(Error{Errc::kUnavailable, "the upstream's answer was declined"});
    co_return;
  }
  if (options_.takes && options_.takes(**head, uploaded_)) {
    outcome_.kind = Kind::kTaken;
    co_return;
  }
  if ((*head)->status == 101) {
    co_await RelayUpgrade(**head);
    co_return;
  }
  Result<void> started = StartResponse(**head);
  if (!started) {
    UpstreamFailed(std::move(started.error()));
    co_return;
  }
  co_await RelayBody();
}

io::Task<Result<const ResponseHead*>> RelayRun::ReadFinalHead() {
  TimePoint until = options_.head_deadline.at;
  for (;;) {
    Result<const ResponseHead*> head = co_await to_.ReadHead(until);
    if (!head && head.error().code == Errc::kTimeout && from_.loop().Now() >= until) {
      until = options_.head_deadline.extend(outcome_.body_taken);
      if (until > from_.loop().Now()) continue;
    }
    if (!head || !(*head)->is_interim()) co_return head;
    if ((*head)->status == 100) {
      may_continue_ = true;
      continue_queue_.WakeAll();
      continue;
    }
    HeaderFields fields;
    CopyForwardable((*head)->fields, (*head)->nominates_fields, &fields);
    if (options_.edit_interim) options_.edit_interim(fields);
    Result<void> sent = co_await from_.SendInterim((*head)->status, fields);
    if (!sent) {
      ClientFailed(sent.error());
      co_return Fail(std::move(sent.error()));
    }
  }
}

HeaderFields RelayRun::ForwardedFields(const ResponseHead& head) const {
  HeaderFields fields;
  CopyForwardable(head.fields, head.nominates_fields, &fields);
  if (options_.edit_response) options_.edit_response(head, fields);
  return fields;
}

Result<void> RelayRun::StartResponse(const ResponseHead& head) {
  HeaderFields fields = ForwardedFields(head);
  return from_.Start({.status = head.status,
                      .reason = head.reason,
                      .fields = fields,
                      .upgrade = head.fields.Find("Upgrade").value_or(""),
                      .leaves_body = uploading_,
                      .content_length = head.content_length});
}

io::Task<void> RelayRun::RelayBody() {
  Result<Bytes> data = to_.BodyAtHand();
  for (;;) {
    if (!data) {
      UpstreamFailed(std::move(data.error()));
      co_return;
    }
    bool ended = to_.body_ended();
    Result<void> sent;
    if (ended) {
      sent = co_await from_.Finish(*data, to_.trailers());
    } else {
      // Without body bytes the head is sent alone.
      sent = co_await (data->empty() ? from_.Flush() : from_.Write(*data));
    }
    if (!sent) {
      ClientFailed(std::move(sent.error()));
      co_return;
    }
    if (ended) co_return;
    data = co_await to_.ReadBody();
  }
}

io::Task<void> RelayRun::RelayUpgrade(const ResponseHead& head) {
  HeaderFields fields = ForwardedFields(head);
  Result<Upgraded> client = co_await from_.Upgrade(head.upgrade, fields);
  if (!client) {
    from_.started() ? ClientFailed(std::move(client.error()))
                    : UpstreamFailed(std::move(client.error()));
    co_return;
  }
  Result<void> ended =
      co_await Tunnel(from_.loop(), *client, to_.TakeUpgraded(), options_.tunnel_idle_timeout);
  if (!ended) {
    outcome_.kind = Kind::kBroken;
    outcome_.error = std::move(ended.error());
  }
}

void RelayRun::UpstreamFailed(Error error) {
  if (outcome_.kind != Kind::kAnswered) return;  // this failure only follows from the client's
  outcome_.kind = from_.started() ? Kind::kBroken : Kind::kUnanswered;
  // The server cancels the handler's fiber when the client is lost.
  outcome_.client_failed = error.code == Errc::kCancelled;
  outcome_.error = std::move(error);
  if (from_.started()) from_.Break();
}

void RelayRun::ClientFailed(Error error) {
  if (outcome_.kind != Kind::kAnswered) return;
  outcome_.kind = from_.started() ? Kind::kBroken : Kind::kUnanswered;
  outcome_.error = std::move(error);
  outcome_.client_failed = true;
  if (from_.started()) from_.Break();
  to_.Abort();
}

}  // namespace

namespace {

// Appends to `to` the fields of `from` that are forwarded and that `passes` accepts.
template <class Passes>
void CopyFields(const HeaderFields& from, bool nominates_fields, HeaderFields* to, Passes passes) {
  wire::http::ForwardFilter filter(from, nominates_fields);
  to->Reserve(to->size() + from.size() + kAddedFields);
  for (const HeaderField& field : from) {
    bool is_length = wire::http::EqualsIgnoreCase(field.name, "content-length");
    if (is_length || !filter.Forwards(field.name) || !passes(field.name)) continue;
    to->Add(field);
  }
}

}  // namespace

void CopyForwardable(const HeaderFields& from, bool nominates_fields, HeaderFields* to) {
  CopyFields(from, nominates_fields, to, [](std::string_view /*name*/) { return true; });
}

void CopyRequestFields(const wire::http::RequestHead& request, wire::http::SenderTrust sender,
                       HeaderFields* to) {
  CopyFields(request.fields, request.nominates_fields, to,
             [&](std::string_view name) { return wire::http::PassesOn(name, sender); });
}

Request ForwardedRequest(Exchange& exchange, const HeaderFields& fields) {
  const wire::http::RequestHead& head = exchange.request();
  bool websocket = wire::http::EqualsIgnoreCase(head.upgrade, "websocket");
  return {.method = head.method,
          .path = head.path,
          .query = head.query,
          .host = head.authority,
          .fields = fields,
          .upgrade = websocket && !head.body.has_body() ? head.upgrade : std::string_view{},
          .body = head.body,
          .content = exchange.BodyAtHand().value_or(Bytes{})};
}

io::Task<RelayOutcome> Relay(Exchange& from, ClientExchange& to, const RelayOptions& options) {
  RelayRun run(from, to, options);
  bool uploads = from.request().body.has_body() && !from.BodyAtHand();
  co_return co_await run.Run(uploads);
}

}  // namespace meridian::http
