// For tests: the queues of several data centers, each on a machine of its own, and calls to one of
// them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/mirror/mirror_fixture.hpp"
#include "queue/state/journal_record.hpp"

namespace meridian::queue {

class MirrorSiteTest : public testing::Test {
 protected:
  // In the order of their ids, from 1 on.
  void AddNode(MirrorNode::Options options) {
    options.on_failure = [](const std::string& why) { ADD_FAILURE() << why; };
    nodes_.push_back(std::make_unique<MirrorNode>(std::move(options)));
  }
  void StartNode(NodeId id) {
    MirrorNode& started = node(id);
    processes_.push_back(
        &world_.AddProcess({.name = MirrorNode::NameOf(id), .address = MirrorNode::AddressOf(id)},
                           [&started](Machine& machine) { return started.Run(machine); }));
    world_.RunFor(seconds{12});
    ASSERT_NE(started.engine(), nullptr);
  }
  void StartNodes() {
    for (NodeId id = 1; id <= nodes_.size(); ++id) StartNode(id);
  }
  MirrorNode& node(NodeId id) { return *nodes_[id - 1]; }
  io::sim::SimProcess& process(NodeId id) { return *processes_[id - 1]; }
  io::sim::DiskImage& disk(NodeId id) { return process(id).disk(); }
  Engine& engine(NodeId id) { return *node(id).engine(); }
  // The machine loses power.
  void Kill(NodeId id) {
    process(id).Crash(CrashKind::kMachine);
    disk(id).LoseUnsynced();
  }
  void Restart(NodeId id) {
    process(id).Restart();
    world_.RunFor(seconds{12});
    ASSERT_NE(node(id).engine(), nullptr);
  }
  // Between the first two.
  void Cut(bool cut) { world_.fabric().CutBothWays(0, 1, cut); }
  void TearDown() override {
    EXPECT_EQ(world_.failure(), std::nullopt);
    world_.End();
  }

  // Runs `task` on the machine of `id` to its end, at most a minute.
  template <class T>
  T On(NodeId id, std::function<Task<T>(Engine&)> task) {
    std::optional<T> result;
    auto run = [&result](Engine& engine, std::function<Task<T>(Engine&)> body) -> Task<void> {
      result = co_await body(engine);
    };
    node(id).calls()->Spawn(run(engine(id), std::move(task)));
    for (int i = 0; i < 6000 && !result; ++i) world_.RunFor(milliseconds{10});
    EXPECT_TRUE(result.has_value()) << "nothing within a minute";
    return result.value_or(T{});
  }
  // The values of partition 0 of the topic `orders`, as EngineTest::Values gives them.
  std::string Values(NodeId id) {
    return On<std::string>(
        id, [](Engine& engine) { return EngineTest::Values(engine, {"orders", 0}); });
  }

  io::sim::World world_{1};
  std::vector<std::unique_ptr<MirrorNode>> nodes_;
  std::vector<io::sim::SimProcess*> processes_;
};

}  // namespace meridian::queue
