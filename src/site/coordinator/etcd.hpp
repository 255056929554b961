// Etcd: the keys of an etcd cluster, by its JSON gateway. Requests go to one member, as long as it
// answers; after a failure the next one gets the next request, since most members may well serve
// while one is dead, hangs or has no leader.
//
// One thread: the loop's. No request may be on its way when it is destroyed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "site/coordinator/key_store.hpp"

namespace meridian::site {

class Etcd final : public KeyStore {
 public:
  // `members`: at least 1, at most kMaxEtcdMembers (CHECK).
  Etcd(io::Loop& loop, io::Network& network, std::vector<http::Upstream> members);
  ~Etcd() override;

  // Each takes at most kEtcdTimeout.
  io::Task<Result<StoredKey>> Read(std::string key, TimePoint deadline) override;
  io::Task<Result<KeyWrite>> Write(std::string key, std::string value, int64_t revision,
                                   TimePoint deadline) override;

 private:
  io::Task<Result<std::string>> Ask(std::string_view path, std::string body, TimePoint deadline);

  io::Loop& loop_;
  std::vector<std::unique_ptr<http::Client>> members_;
  size_t member_ = 0;  // that is asked next
};

}  // namespace meridian::site
