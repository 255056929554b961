#include "dns/tcp_server.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "dns/answer_counts.hpp"
#include "dns/limits.hpp"
#include "dns/responder.hpp"
#include "dns/snapshot.hpp"
#include "dns/steering.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/net/accept_loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "wire/dns/limits.hpp"

namespace meridian::dns {
namespace {

constexpr size_t kLengthBytes = 2;  // before each message (RFC 1035 section 4.2.2)
constexpr size_t kInputBytes = kLengthBytes + kMaxTcpQueryBytes;
constexpr size_t kOutputBytes = 2 * (kLengthBytes + kMaxTcpResponseBytes);

// The received queries and pending answers of a connection.
struct Exchange {
  Buffer input{kInputBytes};
  Buffer output{kOutputBytes};
  bool ended = false;  // the rest of the input is unreadable
  AnswerCounts counts;
};

// The message at the front of the input, or of too long a message the header; empty while it is
// incomplete.
Bytes FirstMessage(const Exchange& exchange) {
  ByteReader reader(exchange.input.readable());
  size_t length = reader.U16();
  if (!reader.ok()) return {};
  // The header of too long a message is enough for a FORMERR with its id.
  return reader.Take(length > kMaxTcpQueryBytes ? wire::dns::kHeaderBytes : length);
}

size_t FirstLength(const Exchange& exchange) {
  ByteReader reader(exchange.input.readable());
  return reader.U16();
}

void AnswerOne(const Snapshot& snapshot, const IpAddress& source, Bytes message,
               Exchange* exchange) {
  MutableBytes space = exchange->output.Prepare(kLengthBytes + kMaxTcpResponseBytes);
  QueryPacket packet{message, source, Transport::kTcp};
  Reply reply = Respond(snapshot, packet, space.subspan(kLengthBytes));
  exchange->counts.Add(reply);
  if (reply.bytes == 0) {
    exchange->ended = true;  // not a query: the client does not speak DNS
    return;
  }
  ByteWriter length(space);
  length.U16(static_cast<uint16_t>(reply.bytes));
  exchange->output.Commit(kLengthBytes + reply.bytes);
}

// Answers the queries, while the output has room. False: a whole query is left.
bool AnswerAll(const Snapshot& snapshot, const IpAddress& source, Exchange* exchange) {
  while (!exchange->ended) {
    if (exchange->input.size() < kLengthBytes) return true;
    size_t length = FirstLength(*exchange);
    if (length < wire::dns::kHeaderBytes) {
      exchange->ended = true;
      return true;
    }
    Bytes message = FirstMessage(*exchange);
    if (message.empty()) return true;
    size_t room = exchange->output.limit() - exchange->output.size();
    if (room < kLengthBytes + kMaxTcpResponseBytes) return false;
    AnswerOne(snapshot, source, message, exchange);
    exchange->ended |= length > kMaxTcpQueryBytes;
    if (!exchange->ended) exchange->input.Consume(kLengthBytes + length);
  }
  return true;
}

}  // namespace

TcpMetrics::TcpMetrics(Metrics& metrics)
    : connections(metrics.AddGauge("meridian_dns_tcp_connections", "Open TCP connections.")),
      evicted(metrics.AddCounter("meridian_dns_tcp_evicted_total",
                                 "Idle TCP connections closed to make room for new ones.")),
      refused_site(metrics.AddCounter("meridian_dns_tcp_refused_total",
                                      "TCP connections closed at once, by the limit they met.",
                                      {{"limit", "all"}})),
      refused_client(metrics.AddCounter("meridian_dns_tcp_refused_total",
                                        "TCP connections closed at once, by the limit they met.",
                                        {{"limit", "client"}})) {}

// A connection's entries in the count of its client and in the list of idle connections.
class TcpServer::Admission {
 public:
  Admission(TcpServer& server, const IpAddress& block) : server_(server), block_(block) {
    ++server_.by_client_[block_];
    server_.parts_.metrics.connections.Add(1);
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission() {
    SetBusy();
    if (fiber_ != nullptr && fiber_->cancelled() && server_.evicted_ > 0) --server_.evicted_;
    auto found = server_.by_client_.find(block_);
    if (--found->second == 0) server_.by_client_.erase(found);
    server_.parts_.metrics.connections.Add(-1);
  }

  // Call when all its queries are answered and `fiber` waits for the next.
  void SetIdle(io::Fiber& fiber) {
    SetBusy();
    fiber_ = &fiber;
    server_.idle_.push_back(fiber_);
  }
  void SetBusy() {
    if (fiber_ != nullptr) server_.idle_.remove(fiber_);
  }

 private:
  TcpServer& server_;
  IpAddress block_;
  io::Fiber* fiber_ = nullptr;
};

TcpServer::TcpServer(const Parts& parts, std::unique_ptr<io::Listener> listener, TcpOptions options)
    : parts_(parts), listener_(std::move(listener)), options_(options), connections_(parts.loop) {}

io::Task<void> TcpServer::Run() {
  io::AcceptLoop accept(
      *listener_,
      {.name = "dns over TCP",
       .admit = [this](std::unique_ptr<io::Stream> stream) { Admit(std::move(stream)); },
       .make_room = [this] { return EvictLongestIdle(); }});
  co_await accept.Run();
  connections_.Cancel();
  co_await connections_.Join();
}

bool TcpServer::EvictLongestIdle() {
  if (idle_.empty()) return false;
  io::Fiber* fiber = idle_.front();
  idle_.pop_front();
  ++evicted_;
  parts_.metrics.evicted.Add();
  fiber->Cancel();
  return true;
}

void TcpServer::Admit(std::unique_ptr<io::Stream> stream) {
  IpAddress peer = stream->peer().address.Unmapped();
  IpAddress block = peer.Masked(BlockBits(peer));
  if (peer.is_v4()) block = peer;  // an IPv4 address is a client or a resolver
  auto found = by_client_.find(block);
  if (found != by_client_.end() && found->second >= options_.max_connections_per_client) {
    parts_.metrics.refused_client.Add();
  } else if (connections_.size() - evicted_ >= options_.max_connections && !EvictLongestIdle()) {
    parts_.metrics.refused_site.Add();
  } else {
    connections_.Spawn(Serve(std::move(stream), std::make_unique<Admission>(*this, block)));
  }
}

io::Task<void> TcpServer::Serve(std::unique_ptr<io::Stream> stream,
                                std::unique_ptr<Admission> admitted) {
  // A local variable, because parameters would outlive the fiber that the admission refers to.
  const std::unique_ptr<Admission> admission = std::move(admitted);
  io::Fiber& fiber = co_await io::ThisFiber{};
  IpAddress source = stream->peer().address;
  Exchange exchange;
  TimePoint idle_until = parts_.loop.After(options_.idle_timeout);
  admission->SetIdle(fiber);
  while (!exchange.ended) {
    exchange.input.ReleaseIfEmpty();
    exchange.output.ReleaseIfEmpty();
    Result<void> ready = co_await stream->Readable(idle_until);
    if (!ready) break;
    Result<size_t> got = co_await stream->Read(
        exchange.input.Prepare(kInputBytes - exchange.input.size()), idle_until);
    if (!got || *got == 0) break;
    exchange.input.Commit(*got);
    const TimePoint read_at = parts_.loop.Now();
    bool answered_all = false;
    while (!answered_all) {
      answered_all = AnswerAll(parts_.snapshots.newest(), source, &exchange);
      const AnswerCounts counts = std::exchange(exchange.counts, AnswerCounts());
      if (exchange.output.empty()) {
        parts_.answers.Add(Transport::kTcp, counts, Duration::zero());
        break;
      }
      admission->SetBusy();
      Result<void> sent = co_await stream->Write(exchange.output.readable(),
                                                 parts_.loop.After(options_.write_timeout));
      parts_.answers.Add(Transport::kTcp, counts, parts_.loop.driver().Now() - read_at);
      if (!sent) co_return;
      exchange.output.Consume(exchange.output.size());
      idle_until = parts_.loop.After(options_.idle_timeout);
      admission->SetIdle(fiber);
    }
  }
  admission->SetBusy();
  if (exchange.ended) co_await Linger(*stream);
}

// Closing with unread bytes would reset the connection, and lose answers in flight.
io::Task<void> TcpServer::Linger(io::Stream& stream) {
  stream.ShutdownWrite();
  std::array<uint8_t, kLengthBytes + kMaxTcpQueryBytes> discarded;
  TimePoint until = parts_.loop.After(options_.write_timeout);
  for (size_t bytes = 0; bytes < wire::dns::kMaxMessageBytes;) {
    Result<size_t> got = co_await stream.Read(discarded, until);
    if (!got || *got == 0) co_return;
    bytes += *got;
  }
}

}  // namespace meridian::dns
