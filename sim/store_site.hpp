// The machines of `sim store`: a leader that writes two logs and mirrors them, followers that keep
// copies of both, each over one connection, and an oracle for each log that knows every durable
// record. Owned by one run; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "base/ip.hpp"
#include "io/file/disk.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "store/clock_file.hpp"
#include "store/log/log.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::sim {

inline constexpr uint16_t kMirrorPort = 26379;
IpAddress StoreAddress(size_t machine);  // 0: the leader
inline constexpr std::array<std::string_view, 2> kStoreLogs = {"session", "journal"};

// The planted bug of a disk in a run that must fail.
enum class PlantedBug : uint8_t {
  kNone,
  kSyncsNothing,        // acts as a log that acknowledges before its fdatasync
  kForgetsFolderSyncs,  // acts as a log that does not sync the folder of a new segment
};

// All records of a log that were ever durable on any machine: at most one per offset.
class StoreOracle {
 public:
  StoreOracle(io::sim::World& world, std::string_view log) : world_(world), log_(log) {}

  // `who` has seen the record durable.
  void SawDurable(std::string_view who, uint64_t offset, std::string_view body);
  // A machine has acknowledged all below `end_offset`; it starts with all below `end_offset`, which
  // must not be less.
  void Acknowledged(size_t machine, uint64_t end_offset);
  void Started(size_t machine, uint64_t end_offset);
  uint64_t acknowledged(size_t machine) const;

 private:
  io::sim::World& world_;
  std::string_view log_;
  std::map<uint64_t, std::string> durable_;
  std::map<size_t, uint64_t> acknowledged_;
};

using StoreOracles = std::array<StoreOracle, kStoreLogs.size()>;  // as kStoreLogs

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
  StoreLeader(io::sim::World& world, StoreOracles& oracles, PlantedBug bug)
      : world_(world), oracles_(oracles), bug_(bug) {}
  io::Task<void> Run(io::sim::Machine& machine);
  // The state of the present life, or of the last one while none runs.
  const StoreState& state(size_t log) const { return states_[log]; }
  uint64_t durable_end_offset(size_t log) const {
    return logs_[log] == nullptr ? 0 : logs_[log]->durable_end_offset();
  }
  void StopWriting() { writing_ = false; }

 private:
  struct OwnLog;
  struct Parts;
  io::Task<bool> OpenLogs(io::sim::Machine& machine, io::Disk& disk, std::vector<OwnLog>& logs);
  io::Task<void> Serve(io::sim::Machine& machine, Parts& parts);
  io::Task<void> Accept(io::sim::Machine& machine, Parts& parts);
  io::Task<void> Write(io::sim::Machine& machine, Parts& parts, OwnLog& own);
  io::Task<void> Follow(OwnLog& own);
  io::Task<void> TakeSnapshots(io::sim::Machine& machine, Parts& parts, OwnLog& own);

  io::sim::World& world_;
  StoreOracles& oracles_;
  PlantedBug bug_;
  std::array<StoreState, kStoreLogs.size()> states_;
  std::array<const store::Log*, kStoreLogs.size()> logs_{};
  bool writing_ = true;
  uint64_t written_ = 0;
};

class StoreFollower {
 public:
  StoreFollower(size_t machine, StoreOracles& oracles, PlantedBug bug)
      : machine_(machine), oracles_(oracles), bug_(bug) {}
  io::Task<void> Run(io::sim::Machine& machine);
  const StoreState& state(size_t log) const { return states_[log]; }
  // There is no room for the copy of this log from now on.
  void Stall(size_t log) { full_folder_ = kStoreLogs[log]; }
  void EndStall() { full_folder_.clear(); }

 private:
  struct Copy;
  io::Task<bool> OpenCopies(io::sim::Machine& machine, io::Disk& disk, std::vector<Copy>& copies);
  io::Task<void> FollowAll(io::sim::Machine& machine, store::ClockFile& clock_file,
                           HybridClock& clock, std::vector<Copy>& copies);
  io::Task<void> Apply(Copy& copy, size_t log);

  size_t machine_;
  StoreOracles& oracles_;
  PlantedBug bug_;
  std::array<StoreState, kStoreLogs.size()> states_;
  std::string full_folder_;
};

}  // namespace meridian::sim
