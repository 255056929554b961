#include "io/sim/process.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/sim/disk.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/limits.hpp"
#include "io/sim/network.hpp"
#include "io/sim/world.hpp"

namespace meridian::io::sim {
namespace {

constexpr int64_t kMillion = 1'000'000;
// The start of wall clocks: 2026-01-01.
constexpr WallTime kWallStart{std::chrono::sys_days{std::chrono::January / 1 / 2026}};

// The lead of a clock that is `ppm` parts per million too fast, after `elapsed`.
Duration Drift(Duration elapsed, int64_t ppm) {
  int64_t count = elapsed.count();
  return Duration{count / kMillion * ppm + count % kMillion * ppm / kMillion};
}

}  // namespace

class SimProcess::Life {
 public:
  explicit Life(SimProcess& process)
      : driver_(process),
        loop_(driver_),
        network_(process.world_.fabric(), process.host_),
        disk_(process.world_, process.disk_),
        machine_{loop_, network_, disk_, process.random_, process},
        fibers_(loop_) {}

  void Start(const Main& main) { fibers_.Spawn(main(machine_)); }
  bool ended() const { return fibers_.empty(); }
  Loop& loop() { return loop_; }
  const Loop& loop() const { return loop_; }
  SimDisk& disk() { return disk_; }

  // False: fibers did not end although they were cancelled.
  bool Drain() {
    fibers_.Cancel();
    for (int i = 0; i < kMaxDrainIterations && !ended(); ++i) loop_.RunIteration(loop_.Now());
    return ended();
  }

 private:
  class ProcessDriver final : public Driver {
   public:
    explicit ProcessDriver(const SimProcess& process) : process_(process) {}
    TimePoint Now() const override { return process_.Now(); }
    WallTime Wall() const override { return process_.Wall(); }
    void Wait(TimePoint /*until*/) override {
    }  // the world starts an iteration only when there is work
    void Wake() override {}

   private:
    const SimProcess& process_;
  };

  ProcessDriver driver_;
  Loop loop_;
  SimNetwork network_;
  SimDisk disk_;
  Machine machine_;
  Scope fibers_;
};

SimProcess::SimProcess(World& world, HostId host, SimProcessOptions options, Main main)
    : world_(world),
      host_(host),
      options_(std::move(options)),
      main_(std::move(main)),
      disk_(world.random().Next()),
      random_(world.random().Next()) {}

SimProcess::~SimProcess() = default;

bool SimProcess::ended() const { return life_ != nullptr && life_->ended(); }

TimePoint SimProcess::Now() const {
  return world_.now() + Drift(world_.elapsed(), options_.drift_ppm);
}

WallTime SimProcess::Wall() const {
  Duration elapsed = world_.elapsed();
  return kWallStart + elapsed + Drift(elapsed, options_.drift_ppm) + options_.wall_skew;
}

TimePoint SimProcess::NextWork() const {
  if (life_ == nullptr) return kNever;
  TimePoint next = life_->loop().NextWork();
  if (next != kNever && world_.now() < paused_until_) return paused_until_;
  TimePoint local = Now();
  if (next == kNever || options_.drift_ppm == 0) return next;
  if (next <= local) return world_.now();
  // Converts local time to world time. The estimate errs by the square of the drift; waking early
  // is harmless, as long as time advances.
  Duration left = next - local;
  Duration guess = left - Drift(left, options_.drift_ppm);
  return world_.now() + std::max(guess, Duration{1});
}

void SimProcess::RunIteration() {
  if (iterations_until_crash_ && (*iterations_until_crash_)-- == 0) {
    iterations_until_crash_.reset();
    world_.After({}, [this] { Crash(crash_kind_); });
    return;
  }
  life_->loop().RunIteration(TimePoint::min());
}

void SimProcess::Pause(Duration duration) {
  CHECK(!world_.in_iteration());
  if (!running()) return;
  world_.Record(name(), "pauses", static_cast<uint64_t>(duration.count()));
  paused_until_ = world_.now() + duration;
}

void SimProcess::CrashAfterIterations(uint64_t iterations, CrashKind kind) {
  iterations_until_crash_ = iterations;
  crash_kind_ = kind;
}

void SimProcess::Crash(CrashKind kind) {
  CHECK(!world_.in_iteration());
  iterations_until_crash_.reset();
  if (!running()) return;
  world_.Record(name(), kind == CrashKind::kMachine ? "machine crashes" : "process crashes");
  if (kind == CrashKind::kMachine) {
    world_.fabric().SilenceHost(host_);
    disk_.LoseUnsynced();
  } else {
    world_.fabric().CloseHost(host_);
  }
  End();
}

void SimProcess::End() {
  if (life_ == nullptr) return;
  world_.fabric().SeverHost(host_);
  life_->disk().Sever();
  if (!life_->Drain()) {
    world_.Fail(fmt::format("process {}: a fiber does not end although it was cancelled", name()));
    [[maybe_unused]] Life* kept = life_.release();  // its fibers still refer to it
    return;
  }
  life_.reset();
}

void SimProcess::Restart() {
  CHECK(!world_.in_iteration());
  iterations_until_crash_.reset();
  if (running()) return;
  paused_until_ = TimePoint::min();
  life_.reset();
  ++lives_;
  world_.Record(name(), "starts", static_cast<uint64_t>(lives_));
  world_.fabric().RaiseHost(host_);
  life_ = std::make_unique<Life>(*this);
  life_->Start(main_);
}

}  // namespace meridian::io::sim
