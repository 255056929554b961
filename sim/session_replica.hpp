// One data center of `sim session`: the session tier except its main, and clients that write. Owned
// by one run; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "session/engine/engine.hpp"
#include "sim/session_oracle.hpp"

namespace meridian::sim {

// A bug that is planted in a run that must fail.
enum class SessionBug : uint8_t {
  kNone,
  kDropsTombstones,    // tombstones are dropped before every replica has applied the deletion
  kAnswersBeforeSync,  // a write is acknowledged before it is on disk
};

struct SessionRunOptions {
  SessionBug bug = SessionBug::kNone;
  size_t replicas = 3;
  bool flushes = false;  // FLUSHALL is among the commands: then only convergence is promised
};

class SessionReplica {
 public:
  SessionReplica(io::sim::World& world, SessionOracle& oracle, size_t replica,
                 const SessionRunOptions& options)
      : world_(world), oracle_(oracle), replica_(replica), options_(options) {}

  io::Task<void> Run(io::sim::Machine& machine);
  void StopWriting() { writing_ = false; }
  // The contents, and the number of tombstones, of the process that runs.
  Contents ReadContents() const;
  size_t Tombstones() const;
  // Its disk was lost; the next process has an empty disk.
  void TakeNewDisk() { ++disks_; }
  bool running() const { return engine_ != nullptr; }

 private:
  struct Parts;
  struct InMemoryClient;
  io::Task<void> Serve(io::sim::Machine& machine, Parts& parts);
  io::Task<void> Accept(io::sim::Machine& machine, Parts& parts);
  io::Task<void> Sweep(Parts& parts);
  io::Task<void> Write(io::sim::Machine& machine, Parts& parts);
  io::Task<void> WriteOne(io::sim::Machine& machine, Parts& parts, InMemoryClient& client);
  void WriteAnything(io::sim::Machine& machine, InMemoryClient& client);
  std::string SomeOnce(Random& random) const;
  bool flushes() const { return options_.flushes; }

  io::sim::World& world_;
  SessionOracle& oracle_;
  size_t replica_;
  SessionRunOptions options_;
  uint64_t disks_ = 0;  // number of lost disks
  session::Engine* engine_ = nullptr;
  bool writing_ = true;
};

}  // namespace meridian::sim
