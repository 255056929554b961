// The producers of `sim mirrors`. Each has a topic of its own, and asks whichever data center
// takes itself for its home; it outlives the crashes of all. Owned by one run; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/sim/world.hpp"
#include "io/task.hpp"

namespace meridian::queue {
class Engine;
class MirrorNode;
class Mirrors;
struct ProduceOutcome;
}  // namespace meridian::queue

namespace meridian::sim {

class MirrorsOracle;

class MirrorsClients {
 public:
  MirrorsClients(io::sim::World& world, MirrorsOracle& oracle);

  // A node serves clients: begins what they do there.
  void OnUp(queue::MirrorNode& node);
  void StopWriting() { writing_ = false; }
  // All that was sent is acknowledged.
  bool settled() const;
  static std::vector<std::string> Topics();

 private:
  struct Producer {
    std::string topic;
    int64_t id = -1;
    int32_t sequence = 0;  // of the batch that is being sent
    int64_t next_number = 0;
    std::vector<std::string> values = {};  // of that batch; none: it was acknowledged
    bool busy = false;                     // a node is being asked
    int32_t leader_epoch = 0;              // the newest that it has heard of
  };
  class Turn;

  io::Task<void> Serve(queue::MirrorNode& node);
  io::Task<void> CreateTopics(queue::Engine& engine);
  io::Task<void> Send(queue::Engine& engine, queue::Mirrors& mirrors, Producer& producer);
  void TakeOutcome(Producer& producer, const queue::ProduceOutcome& outcome, bool certain);

  io::sim::World& world_;
  MirrorsOracle& oracle_;
  std::vector<Producer> producers_;
  bool writing_ = true;
};

}  // namespace meridian::sim
