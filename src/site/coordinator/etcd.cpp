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
  // Others may have moved on meanwhile.
  if (member_ == asked) member_ = (asked + 1) % members_.size();
  if (!answer) {
    co_return Fail(answer.error().code, "etcd at {}: {}", host, answer.error().message);
  }
  co_return Fail(Errc::kUnavailable, "etcd at {}: status {}: {}", host, answer->status,
                 EtcdProblem(answer->body));
}

}  // namespace meridian::site
