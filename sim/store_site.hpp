// The machines of `sim store`: a leader that writes a log and serves it to followers, the followers
// that keep copies, and the oracle that knows every durable record. Owned by one run; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "base/ip.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "store/log/log.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::sim {

inline constexpr uint16_t kMirrorPort = 26379;
IpAddress StoreAddress(size_t machine);  // 0: the leader

// The planted bug of a disk in a run that must fail.
enum class PlantedBug : uint8_t {
  kNone,
  kSyncsNothing,        // acts as a log that acknowledges before its fdatasync
  kForgetsFolderSyncs,  // acts as a log that does not sync the folder of a new segment
};

// All records that were ever durable on any machine: at most one per offset.
class StoreOracle {
 public:
  explicit StoreOracle(io::sim::World& world) : world_(world) {}

  // `who` has seen the record durable.
  void SawDurable(std::string_view who, uint64_t offset, std::string_view body);
  // A machine has acknowledged all below `end_offset`; it starts with all below `end_offset`, which
  // must not be less.
  void Acknowledged(size_t machine, uint64_t end_offset);
  void Started(size_t machine, uint64_t end_offset);
  uint64_t acknowledged(size_t machine) const;

 private:
  io::sim::World& world_;
  std::map<uint64_t, std::string> durable_;
  std::map<size_t, uint64_t> acknowledged_;
};

// The state after applying a log: the number of records, and a hash over all of them in order.
struct StoreState {
  uint64_t end_offset = 0;
  uint64_t hash = 0;

  bool operator==(const StoreState&) const = default;
  void Apply(const store::Record& record);
};

// Loads the newest snapshot into `state`, if it covers more records.
io::Task<Result<void>> LoadState(store::Snapshots& snapshots, StoreState& state);
io::Task<Result<void>> SaveState(store::Snapshots& snapshots, const store::Log& log,
                                 StoreState state, HybridTime time);

class StoreLeader {
 public:
  StoreLeader(io::sim::World& world, StoreOracle& oracle, PlantedBug bug)
      : world_(world), oracle_(oracle), bug_(bug) {}
  io::Task<void> Run(io::sim::Machine& machine);
  // The state of the present life, or of the last one while none runs.
  const StoreState& state() const { return state_; }
  uint64_t durable_end_offset() const { return log_ == nullptr ? 0 : log_->durable_end_offset(); }
  void StopWriting() { writing_ = false; }

 private:
  struct Parts;
  io::Task<void> Serve(io::sim::Machine& machine, Parts& parts);
  io::Task<void> Accept(io::sim::Machine& machine, Parts& parts);
  io::Task<void> Write(io::sim::Machine& machine, Parts& parts);
  io::Task<void> Follow(Parts& parts);
  io::Task<void> TakeSnapshots(io::sim::Machine& machine, Parts& parts);

  io::sim::World& world_;
  StoreOracle& oracle_;
  PlantedBug bug_;
  StoreState state_;
  const store::Log* log_ = nullptr;
  bool writing_ = true;
  uint64_t written_ = 0;
};

class StoreFollower {
 public:
  StoreFollower(size_t machine, StoreOracle& oracle, PlantedBug bug)
      : machine_(machine), oracle_(oracle), bug_(bug) {}
  io::Task<void> Run(io::sim::Machine& machine);
  const StoreState& state() const { return state_; }

 private:
  io::Task<void> Apply(store::Log& copy, store::Snapshots& snapshots, std::string_view who);

  size_t machine_;
  StoreOracle& oracle_;
  PlantedBug bug_;
  StoreState state_;
};

}  // namespace meridian::sim
