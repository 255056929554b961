#include "http/client/client.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client_connection.hpp"
#include "http/client/client_exchange.hpp"
#include "http/client/client_exchange_state.hpp"
#include "http/limits.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/framing.hpp"
#include "wire/http/head_writer.hpp"
#include "wire/http/hop_by_hop.hpp"
#include "wire/http/message.hpp"
#include "wire/http/status.hpp"

namespace meridian::http {
namespace {

using wire::http::HeaderField;
using Kind = wire::http::BodyFraming::Kind;

// Whether the client writes this field itself, or the field has no meaning any more: Expect, when
// the body is sent without waiting for 100 (Continue).
bool IsWrittenByClient(std::string_view name, const Request& request) {
  return wire::http::IsHopByHop(name) || wire::http::EqualsIgnoreCase(name, "host") ||
         wire::http::EqualsIgnoreCase(name, "content-length") ||
         (!request.content.empty() && wire::http::EqualsIgnoreCase(name, "expect"));
}

bool WriteHead(const Request& request, Buffer* out) {
  wire::http::HeadWriter head(out);
  head.RequestLine(request.method, request.path, request.query);
  head.Field("Host", request.host);
  for (const HeaderField& field : request.fields) {
    if (!IsWrittenByClient(field.name, request)) head.Field(field);
  }
  if (!request.upgrade.empty()) {
    head.Field("Connection", "Upgrade");
    head.Field("Upgrade", request.upgrade);
  }
  if (request.body.kind == Kind::kContentLength) {
    head.Field("Content-Length", request.body.length);
  } else if (request.body.kind == Kind::kChunked) {
    head.Field("Transfer-Encoding", "chunked");
  }
  return head.Finish();
}

// The time for which the server promises to keep an idle connection ("Keep-Alive: timeout=5", as
// Node sends).
std::optional<Duration> PromisedIdleTime(const wire::http::ResponseHead& head) {
  std::optional<std::string_view> value = head.fields.Find("keep-alive");
  if (!value) return {};
  constexpr std::string_view kTimeout = "timeout=";
  size_t at = value->find(kTimeout);
  if (at == std::string_view::npos) return {};
  uint32_t seconds = 0;
  const char* begin = value->data() + at + kTimeout.size();
  auto [end, error] = std::from_chars(begin, value->data() + value->size(), seconds);
  if (error != std::errc{}) return {};
  return std::chrono::seconds{seconds};
}

}  // namespace

Client::Client(io::Loop& loop, io::Network& network, Upstream upstream, ClientLimits limits)
    : loop_(loop), network_(network), upstream_(std::move(upstream)), limits_(limits) {}

Client::~Client() {
  CloseIdle();
  loop_.timers().Disarm(*this);
  CHECK(open_ == 0);
}

io::Task<Sent> Client::Send(const Request& request) {
  for (;;) {
    Result<std::unique_ptr<ClientConnection>> acquired = co_await Acquire(request);
    if (!acquired) co_return std::unexpected(SendFailure{std::move(acquired.error()), true});
    std::unique_ptr<ClientConnection> connection = std::move(*acquired);
    Result<size_t> taken = TakeMemoryAndWrite(request, *connection);
    if (taken) co_return co_await Begin(request, std::move(connection), *taken);

    // The kernel took no byte. If the reused connection was closed meanwhile, another connection
    // may work.
    bool stale = connection->reused && taken.error().code != Errc::kInvalid;
    Release(std::move(connection), false);
    if (!stale) co_return std::unexpected(SendFailure{std::move(taken.error()), true});
  }
}

Result<size_t> Client::TakeMemoryAndWrite(const Request& request, ClientConnection& connection) {
  connection.memory = memories_.Take([this] { return std::make_unique<ResponseMemory>(limits_); });
  Buffer& out = connection.memory->out;
  if (!WriteHead(request, &out)) return Fail(Errc::kInvalid, "the request cannot be written");
  const Bytes pieces[] = {out.readable(), request.content};
  size_t count = request.content.empty() ? 1 : 2;
  Result<size_t> taken = connection.stream->TryWrite(std::span(pieces).first(count));
  return taken && *taken == io::Stream::kBlocked ? Result<size_t>(size_t{0}) : taken;
}

io::Task<Sent> Client::Begin(const Request& request, std::unique_ptr<ClientConnection> connection,
                             size_t taken) {
  Buffer& out = connection->memory->out;
  size_t taken_of_head = std::min(taken, out.size());
  out.Consume(taken_of_head);
  Bytes content = request.content.subspan(taken - taken_of_head);

  ClientExchange exchange(std::unique_ptr<ClientExchange::State, ClientExchange::StateDeleter>(
      new ClientExchange::State(*this, loop_, limits_, std::move(connection))));
  ClientExchange::State& state = *exchange.state_;
  state.request_kind = wire::http::RequestKindOf(request.method);
  bool whole = !request.body.has_body() || !request.content.empty();
  wire::http::BodyFraming left = request.body;
  if (!request.content.empty()) left.length = content.size();
  state.writer.BeginBody(left);
  Result<void> rest = co_await (whole ? state.writer.Finish(content, {}) : state.writer.Flush());
  if (!rest) co_return std::unexpected(SendFailure{std::move(rest.error()), false});
  co_return exchange;
}

io::Task<Result<std::unique_ptr<ClientConnection>>> Client::Acquire(const Request& request) {
  // Waiting requests come first.
  if (!waiting_.empty() || Free() <= reserved_) {
    Result<void> waited = co_await WaitForFreeConnection();
    if (!waited) co_return Fail(std::move(waited.error()));
  }
  if (std::unique_ptr<ClientConnection> connection = TakeIdle(request)) co_return connection;
  co_return co_await Connect();
}

io::Task<Result<void>> Client::WaitForFreeConnection() {
  if (waiting_.size() >= limits_.max_waiting) {
    co_return Fail(Errc::kUnavailable, "{}: {} requests wait for a connection already",
                   upstream_.address.ToString(), waiting_.size());
  }
  TimePoint deadline = loop_.After(limits_.wait_timeout);
  Result<void> woken = co_await waiting_.Wait(deadline);
  if (!woken) {
    co_return Fail(woken.error().code, "{}: no connection came free", upstream_.address.ToString());
  }
  --reserved_;
  co_return Result<void>{};
}

std::unique_ptr<ClientConnection> Client::TakeIdle(const Request& request) {
  // An idempotent request may be sent again, so it does not need the system call.
  bool ask = !wire::http::IsIdempotentMethod(request.method);
  while (!idle_.empty()) {
    std::unique_ptr<ClientConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->IsFresh(ask)) return connection;
    --open_;
  }
  return nullptr;
}

io::Task<Result<std::unique_ptr<ClientConnection>>> Client::Connect() {
  ++open_;
  io::ConnectOptions options{.from = upstream_.from,
                             .deadline = loop_.After(limits_.connect_timeout)};
  Result<std::unique_ptr<io::Stream>> stream =
      co_await network_.Connect(upstream_.address, options);
  if (stream && upstream_.tls != nullptr) {
    auto shaken = co_await io::TlsConnect(upstream_.tls, std::move(*stream), upstream_.tls_name,
                                          loop_.After(limits_.connect_timeout));
    if (shaken) {
      stream = std::move(*shaken);
    } else {
      stream = Fail(std::move(shaken.error()));
    }
  }
  if (!stream) {
    Release(nullptr, false);
    co_return Fail(std::move(stream.error()));
  }
  auto connection = std::make_unique<ClientConnection>();
  connection->stream = std::move(*stream);
  co_return connection;
}

void Client::Release(std::unique_ptr<ClientConnection> connection, bool reusable) {
  if (connection != nullptr && connection->memory != nullptr) {
    ResponseMemory& memory = *connection->memory;
    memory.body.Settle(memory.in);
    Duration keep = limits_.idle_timeout;
    if (auto promised = PromisedIdleTime(memory.head)) {
      keep = std::min(keep, *promised - kKeepAliveMargin);
    }
    connection->idle_until = loop_.After(keep);
    // Bytes after the response belong to no request.
    reusable = reusable && memory.in.empty() && keep > Duration::zero();
    memory.Clear();
    memories_.Give(std::move(connection->memory));
  }
  if (reusable && idle_.size() < limits_.max_idle) {
    connection->reused = true;
    idle_.push_back(std::move(connection));
    ScheduleSweep();
  } else {
    --open_;
  }
  if (waiting_.WakeOne()) ++reserved_;
}

void Client::CloseIdle() {
  open_ -= idle_.size();
  idle_.clear();
}

void Client::ScheduleSweep() {
  if (!armed()) loop_.timers().Arm(*this, loop_.After(kIdleSweepInterval));
}

void Client::OnTimer() {
  size_t before = idle_.size();
  TimePoint now = loop_.Now();
  std::erase_if(idle_, [now](const std::unique_ptr<ClientConnection>& connection) {
    return connection->idle_until <= now || !connection->IsFresh(false);
  });
  open_ -= before - idle_.size();
  if (!idle_.empty()) ScheduleSweep();
}

}  // namespace meridian::http
