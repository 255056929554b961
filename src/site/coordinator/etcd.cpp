#include "site/coordinator/etcd.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "http/client/fetch.hpp"
#include "http/limits.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "site/coordinator/etcd_message.hpp"
#include "site/coordinator/key_store.hpp"
#include "site/coordinator/limits.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {
namespace {

// The final head and the first bytes of the body, which a member sends at once. The exchange keeps
// the bytes until it is read again.
io::Task<Result<Bytes>> BeginWatch(http::ClientExchange& exchange) {
  do {
    auto head = co_await exchange.ReadHead();
    if (!head) co_return Fail(std::move(head.error()));
  } while (exchange.head().is_interim());
  if (exchange.head().status != 200) {
    co_return Fail(Errc::kUnavailable, "status {}", exchange.head().status);
  }
  co_return co_await exchange.ReadBody();
}

}  // namespace

Etcd::Etcd(io::Loop& loop, io::Network& network, std::vector<http::Upstream> members)
    : loop_(loop) {
  CHECK(!members.empty() && members.size() <= kMaxEtcdMembers);
  for (http::Upstream& member : members) {
    members_.push_back(std::make_unique<http::Client>(
        loop, network, std::move(member), http::ClientLimits{.connect_timeout = kEtcdTimeout}));
  }
}

Etcd::~Etcd() = default;

io::Task<Result<StoredKey>> Etcd::Read(std::string key, TimePoint deadline) {
  Result<std::string> answer = co_await Ask(kEtcdRangePath, EtcdRead(key), deadline);
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return ReadEtcdKey(*answer);
}

io::Task<Result<KeyWrite>> Etcd::Write(std::string key, std::string value, int64_t revision,
                                       TimePoint deadline) {
  if (key.size() > kMaxEtcdKeyBytes || value.size() > kMaxEtcdValueBytes) {
    co_return Fail(Errc::kTooLarge, "a key or value for etcd is too long");
  }
  Result<std::string> answer =
      co_await Ask(kEtcdTxnPath, EtcdWrite(key, value, revision), deadline);
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return ReadEtcdWrite(*answer, std::move(value));
}

// Other requests may have moved on meanwhile.
void Etcd::LeaveMember(size_t asked) {
  if (member_ == asked) member_ = (asked + 1) % members_.size();
}

io::Task<Result<StoredKey>> Etcd::AwaitChange(std::string key, int64_t revision,
                                              TimePoint deadline) {
  const size_t asked = member_;
  deadline = std::min(deadline, loop_.After(kMaxWatch));
  auto changed = co_await Watch(*members_[asked], EtcdWatch(key, revision),
                                std::min(deadline, loop_.After(kEtcdTimeout)), deadline);
  const bool too_early =
      !changed && changed.error().code == Errc::kTimeout && loop_.Now() < deadline;
  if (too_early) changed = Fail(Errc::kUnavailable, "no answer in time");
  if (changed || changed.error().code == Errc::kTimeout ||
      changed.error().code == Errc::kCancelled) {
    co_return changed;
  }
  LeaveMember(asked);
  co_return Fail(changed.error().code, "etcd at {}: {}",
                 members_[asked]->upstream().address.ToString(), changed.error().message);
}

io::Task<Result<StoredKey>> Etcd::Watch(http::Client& member, std::string body,
                                        TimePoint begin_deadline, TimePoint deadline) {
  const std::string host = member.upstream().address.ToString();
  const http::Request request = {
      .method = "POST",
      .path = kEtcdWatchPath,
      .host = host,
      .body = {wire::http::BodyFraming::Kind::kContentLength, body.size()},
      .content = AsBytes(body)};
  http::Sent sent = co_await io::Within(begin_deadline, member.Send(request));
  if (!sent) co_return Fail(std::move(sent.error().error));
  Result<Bytes> read = co_await io::Within(begin_deadline, BeginWatch(*sent));
  std::string text;
  for (;;) {
    if (!read) co_return Fail(std::move(read.error()));
    if (read->empty()) co_return Fail(Errc::kUnavailable, "it has ended the watch");
    if (read->size() > kMaxEtcdAnswerBytes - text.size()) {
      co_return Fail(Errc::kTooLarge, "a message of a watch has more than {} bytes",
                     kMaxEtcdAnswerBytes);
    }
    text += AsText(*read);
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      auto changed = ReadEtcdWatch(std::string_view(text).substr(0, end));
      if (!changed) co_return Fail(std::move(changed.error()));
      if (*changed) co_return std::move(**changed);
      text.erase(0, end + 1);
    }
    read = co_await io::Within(deadline, sent->ReadBody());
  }
}

io::Task<Result<std::string>> Etcd::Ask(std::string_view path, std::string body,
                                        TimePoint deadline) {
  const size_t asked = member_;
  http::Client& member = *members_[asked];
  const std::string host = member.upstream().address.ToString();
  const http::Request request = {
      .method = "POST",
      .path = path,
      .host = host,
      .body = {wire::http::BodyFraming::Kind::kContentLength, body.size()},
      .content = AsBytes(body)};
  auto answer = co_await http::Fetch(member, request, kMaxEtcdAnswerBytes,
                                     std::min(deadline, loop_.After(kEtcdTimeout)));
  if (answer && answer->status == 200) co_return std::move(answer->body);
  LeaveMember(asked);
  if (!answer) {
    co_return Fail(answer.error().code, "etcd at {}: {}", host, answer.error().message);
  }
  co_return Fail(Errc::kUnavailable, "etcd at {}: status {}: {}", host, answer->status,
                 EtcdProblem(answer->body));
}

}  // namespace meridian::site
