#include "visit/visitor.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "http/limits.hpp"
#include "io/fiber.hpp"
#include "io/net/datagram.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/tier/internal_fields.hpp"
#include "visit/dns.hpp"
#include "visit/limits.hpp"
#include "visit/record.hpp"
#include "visit/route.hpp"
#include "visit/target.hpp"
#include "wire/dns/message.hpp"
#include "wire/http/message.hpp"

namespace meridian::visit {
namespace {

using wire::dns::Question;
using wire::dns::RecordType;

// The concurrent queries, and their results.
struct LookUps {
  struct One {
    Question question;
    std::vector<DnsTry> tries{};
    Result<DnsAnswer> answer{};
  };
  std::vector<One> all;

  const DnsAnswer* Find(RecordType type) const {
    for (const One& one : all) {
      if (one.question.type == type && one.answer) return &*one.answer;
    }
    return nullptr;
  }
};

io::Task<void> LookUp(DnsClient& dns, LookUps::One* one) {
  one->answer = co_await dns.LookUp(one->question, &one->tries);
}

// The reason why there is no address, from the answers to A and AAAA.
Error NoAddress(const Target& target, const LookUps& lookups) {
  for (const LookUps::One& one : lookups.all) {
    if (!one.answer) {
      return Error{one.answer.error().code,
                   fmt::format("no name server of the site answered for {} ({})", target.host,
                               one.answer.error().message)};
    }
    if (one.answer->kind == DnsAnswer::Kind::kNoName) {
      return Error{Errc::kNotFound, fmt::format("there is no name {} (NXDOMAIN)", target.host)};
    }
  }
  return Error{Errc::kNotFound, fmt::format("{} has no address", target.host)};
}

// Records the time at which its single connection was made.
class ConnectWatch final : public io::Network {
 public:
  ConnectWatch(io::Network& network, const Clock& clock) : network_(network), clock_(clock) {}

  const std::optional<TimePoint>& connected() const { return connected_; }

  io::Task<Result<std::unique_ptr<io::Stream>>> Connect(Endpoint to,
                                                        io::ConnectOptions options) override {
    auto stream = co_await network_.Connect(to, options);
    if (stream) connected_ = clock_.Now();
    co_return stream;
  }
  Result<std::unique_ptr<io::Listener>> Listen(Endpoint at, io::ListenOptions options) override {
    return network_.Listen(at, options);
  }
  Result<std::unique_ptr<io::Datagrams>> Bind(Endpoint at) override { return network_.Bind(at); }

 private:
  io::Network& network_;
  const Clock& clock_;
  std::optional<TimePoint> connected_;
};

http::ClientLimits LimitsOf(const VisitLimits& limits) {
  http::ClientLimits client;
  client.max_body_bytes = limits.max_body_bytes;
  client.max_connections = 1;
  client.max_idle = 0;
  client.connect_timeout = limits.connect_timeout;
  client.head_timeout = limits.silence_timeout;
  client.body_timeout = limits.silence_timeout;
  client.write_timeout = limits.silence_timeout;
  return client;
}

void NoteHead(const wire::http::ResponseHead& head, Attempt* attempt) {
  attempt->status = head.status;
  attempt->path = ParseResponsePath(head.fields.Find(site::kPathField).value_or(""));
  attempt->location = head.fields.Find("location").value_or("").substr(0, kMaxShownBytes);
}

io::Task<Result<void>> ReadResponse(http::ClientExchange& exchange, Attempt* attempt) {
  do {
    auto head = co_await exchange.ReadHead();
    if (!head) co_return Fail(std::move(head.error()));
  } while (exchange.head().is_interim());
  NoteHead(exchange.head(), attempt);
  for (;;) {
    Result<Bytes> data = co_await exchange.ReadBody();
    if (!data) co_return Fail(std::move(data.error()));
    if (data->empty()) co_return Result<void>{};
    attempt->body_bytes += data->size();
  }
}

struct Request {
  http::Client& client;
  const ConnectWatch& watch;
  const Clock& clock;
  const Target& target;
};

// Sends the GET and reads its response, and records the times of the steps that began.
io::Task<Result<void>> Exchange(const Request& request, Attempt* attempt) {
  wire::http::HeaderFields fields;
  fields.Add("User-Agent", "meridian-visit");
  fields.Add("Accept", "*/*");
  fields.Add(site::kDebugField, "1");
  TimePoint began = request.clock.Now();
  http::Sent sent = co_await request.client.Send({.path = request.target.path,
                                                  .query = request.target.query,
                                                  .host = request.target.authority,
                                                  .fields = fields});
  TimePoint ready = request.clock.Now();
  TimePoint connected = request.watch.connected().value_or(ready);
  attempt->connect = connected - began;
  if (request.target.https && request.watch.connected()) attempt->secure = ready - connected;
  if (!sent) co_return Fail(std::move(sent.error().error));
  Result<void> response = co_await ReadResponse(*sent, attempt);
  attempt->request = request.clock.Now() - (request.target.https ? ready : connected);
  co_return response;
}

}  // namespace

Visitor::Visitor(const Parts& parts, VisitorOptions options)
    : parts_(parts), options_(std::move(options)) {}

io::Task<Visit> Visitor::Go(TimePoint due) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  Visit visit;
  Result<std::vector<Address>> route = co_await FindRoute(&visit);
  if (!route) {
    visit.problem = std::move(route.error());
  } else {
    if (!options_.fallback) route->resize(1);
    for (Address& address : *route) {
      visit.attempts.push_back(co_await Get(std::move(address)));
      const std::optional<Error>& error = visit.attempts.back().error;
      if (fiber.cancelled() || !error || !MayFallBack(*error)) break;
    }
  }
  visit.took = parts_.loop.driver().Now() - due;
  co_return visit;
}

io::Task<Result<std::vector<Address>>> Visitor::FindRoute(Visit* visit) {
  const Target& target = options_.target;
  LookUps lookups;
  lookups.all.push_back({{.name = target.name, .type = RecordType::kA}});
  lookups.all.push_back({{.name = target.name, .type = RecordType::kAaaa}});
  if (options_.fallback) {
    lookups.all.push_back({{.name = target.service_name, .type = RecordType::kHttps}});
  }
  io::Scope asking(parts_.loop);
  for (LookUps::One& one : lookups.all) asking.Spawn(LookUp(parts_.dns, &one));
  co_await asking.Join();
  for (LookUps::One& one : lookups.all) {
    std::ranges::move(one.tries, std::back_inserter(visit->dns));
  }
  RouteAnswers answers{.a = lookups.Find(RecordType::kA),
                       .aaaa = lookups.Find(RecordType::kAaaa),
                       .https = lookups.Find(RecordType::kHttps)};
  std::vector<Address> route = MakeRoute(target, answers, parts_.site);
  if (route.empty()) co_return Fail(NoAddress(target, lookups));
  co_return route;
}

io::Task<Attempt> Visitor::Get(Address address) {
  const Target& target = options_.target;
  const Clock& clock = parts_.loop.driver();
  Attempt attempt{.address = std::move(address)};
  ConnectWatch watch(parts_.network, clock);
  http::Client client(parts_.loop, watch,
                      {.address = attempt.address.endpoint,
                       .tls = target.https ? options_.tls : nullptr,
                       .tls_name = target.host},
                      LimitsOf(options_.limits));
  Request request{client, watch, clock, target};
  TimePoint deadline = parts_.loop.After(options_.limits.response_timeout);
  Result<void> done = co_await io::Within(deadline, Exchange(request, &attempt));
  if (!done) attempt.error = std::move(done.error());
  co_return attempt;
}

}  // namespace meridian::visit
