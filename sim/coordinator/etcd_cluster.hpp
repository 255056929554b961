// An etcd cluster as `sim coordinator` needs it: its members answer the requests of the JSON
// gateway over HTTP, and share one store. A request is executed at once and whole, after a delay in
// which its client may have given up. Owned by one run; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "http/exchange.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "site/coordinator/key_store.hpp"

namespace meridian::sim {

class EtcdCluster {
 public:
  static constexpr uint16_t kPort = 2379;

  explicit EtcdCluster(io::sim::World& world) : world_(world) {}

  // The main of a member.
  io::Task<void> Serve(io::sim::Machine& machine);
  // While it elects a leader, requests wait; those that wait for kMaxWait are refused.
  void SetLeader(bool has_leader) { has_leader_ = has_leader; }
  // How long requests take at most before they are executed, and again before they are answered.
  void SetDelay(Duration delay) { delay_ = delay; }
  void RemoveKeys() {
    keys_.clear();
    ++revision_;
  }

 private:
  static constexpr Duration kMaxWait = std::chrono::seconds{7};

  io::Task<void> Answer(http::Exchange& exchange, io::sim::Machine& machine);
  io::Task<bool> AwaitLeader(io::sim::Machine& machine);
  std::string Execute(std::string_view path, std::string_view body);

  io::sim::World& world_;
  std::map<std::string, site::StoredKey> keys_;
  int64_t revision_ = 1;
  bool has_leader_ = true;
  Duration delay_{};
};

}  // namespace meridian::sim
