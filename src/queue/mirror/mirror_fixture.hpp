// For tests and simulations: the queue of one data center on a simulated machine, without clients.
// Each Run is one life of its process.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/task.hpp"
#include "queue/config.hpp"
#include "queue/engine/engine.hpp"
#include "queue/groups/group_service.hpp"
#include "queue/mirror/mirrors.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/peer_server.hpp"
#include "store/limits.hpp"

namespace meridian::queue {

class MirrorNode {
 public:
  struct Options {
    NodeId id = 0;
    size_t count = 2;  // of all nodes
    size_t min_copies = 1;
    uint64_t checkpoint_bytes = store::kSnapshotLogBytes;
    int64_t segment_bytes = static_cast<int64_t>(kDefaultSegmentBytes);
    Duration check_interval = kCheckInterval;
    // The queue cannot be opened.
    std::function<void(const std::string& problem)> on_failure;
    // Whether whoever connects has the certificate of this data center.
    std::function<bool(std::string_view)> allowed = [](std::string_view) { return true; };
    // The node serves clients from now on, until engine() is null.
    std::function<void(MirrorNode&)> on_up = [](MirrorNode&) {};
  };

  explicit MirrorNode(Options options) : options_(std::move(options)) {}

  static std::string NameOf(NodeId node) { return "dc" + std::to_string(node); }
  static IpAddress AddressOf(NodeId node) {
    return IpAddress::V4(10, 0, 0, static_cast<uint8_t>(node));
  }

  static constexpr Duration kRestart = std::chrono::seconds{1};

  io::Task<void> Run(io::sim::Machine& machine) {
    Life life(*this);
    HybridClock clock(machine.loop.driver(), store::kMaxClockSkew);
    auto opened = co_await Engine::Open(machine.loop, machine.disk, clock,
                                        EngineOptionsOf(machine.random.Next()));
    // An agent starts a queue again that found a full disk.
    while (!opened && opened.error().code == Errc::kUnavailable && co_await io::Sleep(kRestart)) {
      opened = co_await Engine::Open(machine.loop, machine.disk, clock,
                                     EngineOptionsOf(machine.random.Next()));
    }
    if (!opened) {
      // A crash while it starts is none.
      if (opened.error().code != Errc::kCancelled) options_.on_failure(opened.error().message);
      co_return;
    }
    GroupService groups(machine.loop, options_.id);
    Mirrors mirrors(
        machine.loop, clock, **opened,
        {.site = "photos",
         .here = NameOf(options_.id),
         .seed = options_.id,
         .dial = [&machine](const std::string& name) { return DialOf(machine, name); }});
    Broker broker({.loop = machine.loop, .engine = **opened, .groups = groups, .mirrors = &mirrors},
                  {.here = {.node_id = static_cast<int32_t>(options_.id)}}, config_);
    io::Scope broker_calls(machine.loop);
    PeerServer server({machine.loop, broker, broker_calls, mirrors});
    mirrors.Start(nullptr);
    io::Scope connections(machine.loop);
    io::Scope calls(machine.loop);
    auto listener = machine.network.Listen({AddressOf(options_.id), kPort}, {});
    if (!listener) co_return options_.on_failure(listener.error().message);
    calls.Spawn(ServeClients(**opened, mirrors, calls, machine.disk));
    for (;;) {
      auto stream = co_await (*listener)->Accept();
      if (!stream) break;
      connections.Spawn(server.Serve(std::move(*stream), options_.allowed));
    }
    Forget();
    calls.Cancel();
    co_await calls.Join();
    connections.Cancel();
    co_await connections.Join();
    co_await mirrors.Close();
    co_await groups.Close();
    co_await (*opened)->Close();
  }

  NodeId id() const { return options_.id; }
  // Null while it does not serve clients, as are the others.
  Engine* engine() const { return engine_; }
  Mirrors* mirrors() const { return mirrors_; }
  io::Scope* calls() const { return calls_; }  // for what clients do
  io::Disk* disk() const { return disk_; }

 private:
  static constexpr uint16_t kPort = 29092;

  // Whatever ends a life.
  struct Life {
    explicit Life(MirrorNode& owner) : node(owner) {}
    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;
    ~Life() { node.Forget(); }
    MirrorNode& node;
  };

  static store::MirrorClient::Dial DialOf(io::sim::Machine& machine, const std::string& name) {
    const auto node = static_cast<NodeId>(name.back() - '0');
    return [&machine, node](TimePoint deadline) {
      return machine.network.Connect({AddressOf(node), kPort}, {.deadline = deadline});
    };
  }

  EngineOptions EngineOptionsOf(uint64_t random_seed) const {
    EngineOptions options{
        .node = options_.id,
        .first_controller = 1,
        .min_copies = options_.min_copies,
        .folder = "queue",
        .journal_id = std::max<uint64_t>(random_seed, 1),
        .random_seed = random_seed,
        .topic_defaults = {.retention_ms = -1, .segment_bytes = options_.segment_bytes},
        .checkpoint_bytes = options_.checkpoint_bytes,
        .check_interval = options_.check_interval,
        .headroom_bytes = 0};
    for (NodeId each = 1; each <= options_.count; ++each) {
      if (each != options_.id) options.peers.push_back({.node = each, .name = NameOf(each)});
    }
    return options;
  }

  io::Task<void> ServeClients(Engine& engine, Mirrors& mirrors, io::Scope& calls, io::Disk& disk) {
    co_await mirrors.AwaitContact([] { return false; });
    engine_ = &engine;
    mirrors_ = &mirrors;
    calls_ = &calls;
    disk_ = &disk;
    options_.on_up(*this);
  }

  void Forget() {
    engine_ = nullptr;
    mirrors_ = nullptr;
    calls_ = nullptr;
    disk_ = nullptr;
  }

  Options options_;
  Config config_;
  Engine* engine_ = nullptr;
  Mirrors* mirrors_ = nullptr;
  io::Scope* calls_ = nullptr;
  io::Disk* disk_ = nullptr;
};

}  // namespace meridian::queue
