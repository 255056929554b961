#include "visit/dns.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/datagram.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "visit/limits.hpp"
#include "visit/record.hpp"
#include "visit/resolver.hpp"
#include "wire/dns/limits.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/query.hpp"
#include "wire/dns/response.hpp"

namespace meridian::visit {
namespace {

using wire::dns::Query;
using wire::dns::Question;
using wire::dns::Response;

constexpr size_t kLengthBytes = 2;  // before each message over TCP (RFC 1035 section 4.2.2)
using QueryBuffer = std::array<uint8_t, kLengthBytes + wire::dns::kMinUdpResponseBytes>;

// Any local address of the server's family and any port: each query uses a new port, which a forged
// answer must guess.
Endpoint LocalFor(const Endpoint& server) {
  if (server.address.is_v4()) return {};
  constexpr std::array<uint8_t, 16> kAny{};
  return {IpAddress::FromBytes(kAny).value(), 0};
}

io::Task<Result<void>> ReadAll(io::Stream& stream, MutableBytes into) {
  while (!into.empty()) {
    Result<size_t> got = co_await stream.Read(into);
    if (!got) co_return Fail(std::move(got.error()));
    if (*got == 0) co_return Fail(Errc::kReset, "the connection ended before the answer");
    into = into.subspan(*got);
  }
  co_return Result<void>{};
}

// The message `query`, with its length in front.
Bytes EncodeWithLength(const Query& query, QueryBuffer* buffer) {
  size_t bytes = wire::dns::EncodeQuery(query, std::span(*buffer).subspan(kLengthBytes));
  ByteWriter length(*buffer);
  length.U16(static_cast<uint16_t>(bytes));
  return std::span(*buffer).first(kLengthBytes + bytes);
}

io::Task<Result<Response>> AskOnStream(io::Stream& stream, const Query& query) {
  QueryBuffer buffer;
  Result<void> sent = co_await stream.Write(EncodeWithLength(query, &buffer));
  if (!sent) co_return Fail(std::move(sent.error()));
  std::array<uint8_t, kLengthBytes> length{};
  Result<void> got = co_await ReadAll(stream, length);
  if (!got) co_return Fail(std::move(got.error()));
  std::vector<uint8_t> message(ByteReader(length).U16());
  got = co_await ReadAll(stream, message);
  if (!got) co_return Fail(std::move(got.error()));
  Result<Response> response = wire::dns::DecodeResponse(message);
  if (response && !wire::dns::Answers(*response, query)) {
    co_return Fail(Errc::kInvalid, "the answer is to another question");
  }
  co_return response;
}

}  // namespace

DnsClient::DnsClient(io::Loop& loop, io::Network& network, DnsClientOptions options)
    : loop_(loop), network_(network), options_(std::move(options)), resolver_(options_.servers) {}

std::shared_ptr<DnsClient::PendingLookUp> DnsClient::FindPending(const Question& question) const {
  auto same = [&](const auto& pending) { return pending->question == question; };
  auto found = std::ranges::find_if(pending_, same);
  return found == pending_.end() ? nullptr : *found;
}

io::Task<Result<DnsAnswer>> DnsClient::LookUp(Question question, std::vector<DnsTry>* tries) {
  if (const DnsAnswer* known = resolver_.Find(question, Now())) co_return *known;
  std::shared_ptr<PendingLookUp> pending = FindPending(question);
  if (pending != nullptr) {
    Result<void> answered = co_await pending->answered.Wait();
    if (!answered) co_return Fail(std::move(answered.error()));
    co_return pending->outcome;
  }
  pending = std::make_shared<PendingLookUp>();
  pending->question = question;
  pending_.push_back(pending);
  pending->outcome = co_await AskServers(question, tries);
  std::erase(pending_, pending);
  pending->answered.WakeAll();
  co_return pending->outcome;
}

io::Task<Result<DnsAnswer>> DnsClient::AskServers(const Question& question,
                                                  std::vector<DnsTry>* tries) {
  Result<DnsAnswer> answer = Fail(Errc::kUnavailable, "no server was queried");
  for (size_t index : resolver_.ServersToAsk(Now())) {
    DnsTry attempt{.question = question, .server = resolver_.server(index)};
    TimePoint began = Now();
    answer = co_await AskServer(attempt.server, question, &attempt.tcp);
    if (!answer && answer.error().code == Errc::kCancelled) break;
    attempt.took = Now() - began;
    attempt.answer = answer;
    tries->push_back(std::move(attempt));
    if (answer) {
      resolver_.OnAnswer(index, question, *answer, Now());
      break;
    }
    resolver_.OnSilence(index, Now());
  }
  co_return answer;
}

io::Task<Result<DnsAnswer>> DnsClient::AskServer(const DnsServer& server, const Question& question,
                                                 bool* tcp) {
  ++questions_;
  Query query{.id = static_cast<uint16_t>(EntropySeed()),
              .question = question,
              .edns = wire::dns::Edns{.udp_size = wire::dns::kMaxUdpResponseBytes,
                                      .subnet = options_.subnet}};
  Duration timeout = options_.limits.dns_try_timeout;
  Result<Response> response =
      co_await io::Within(Now() + timeout, AskByUdp(query, server.endpoint));
  if (response && response->header.truncated) {
    *tcp = true;
    response = co_await io::Within(Now() + timeout, AskByTcp(query, server.endpoint));
  }
  if (!response) co_return Fail(std::move(response.error()));
  co_return ReadAnswer(*response, question);
}

io::Task<Result<Response>> DnsClient::AskByUdp(const Query& query, Endpoint server) {
  Result<std::unique_ptr<io::Datagrams>> socket = network_.Bind(LocalFor(server));
  if (!socket) co_return Fail(std::move(socket.error()));
  std::array<uint8_t, wire::dns::kMinUdpResponseBytes> message{};
  size_t bytes = wire::dns::EncodeQuery(query, message);
  Result<void> sent = (*socket)->Send(std::span(message).first(bytes), server);
  if (!sent) co_return Fail(std::move(sent.error()));
  std::vector<uint8_t> space(kUdpResponseBytes);
  for (;;) {
    Result<io::Datagrams::Received> received = co_await (*socket)->Receive(space);
    if (!received) co_return Fail(std::move(received.error()));
    // Other datagrams may be forged: continues to wait.
    if (received->from != server) continue;
    Result<Response> response = wire::dns::DecodeResponse(std::span(space).first(received->bytes));
    if (response && wire::dns::Answers(*response, query)) co_return response;
  }
}

io::Task<Result<Response>> DnsClient::AskByTcp(const Query& query, Endpoint server) {
  Result<std::unique_ptr<io::Stream>> stream = co_await network_.Connect(server, {});
  if (!stream) co_return Fail(std::move(stream.error()));
  co_return co_await AskOnStream(**stream, query);
}

}  // namespace meridian::visit
