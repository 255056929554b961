#include "io/sim/world.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "io/sim/event_queue.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/limits.hpp"
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"

namespace meridian::io::sim {

World::World(uint64_t seed, TraceMode trace)
    : seed_(seed), random_(seed), trace_(trace), fabric_(*this, random_.Next()) {}

World::~World() { End(); }

void World::End() {
  // A failed run stopped midway; its processes must still end.
  events_.Clear();
  for (auto& process : processes_) process->End();
}

SimProcess& World::AddProcess(SimProcessOptions options, Main main) {
  HostId host = fabric_.AddHost(options.name, options.address);
  processes_.push_back(
      std::make_unique<SimProcess>(*this, host, std::move(options), std::move(main)));
  processes_.back()->Restart();
  return *processes_.back();
}

void World::Fail(std::string why) {
  if (failure_) return;
  failure_ = fmt::format("after {:.6f} s: {}", Seconds(elapsed()), why);
  trace_.Record(elapsed(), "world", *failure_);
}

bool World::RunOneProcess() {
  runnable_.clear();
  for (const auto& process : processes_) {
    if (process->NextWork() <= now_) runnable_.push_back(process.get());
  }
  if (runnable_.empty()) return false;
  size_t chosen = runnable_.size() == 1 ? 0 : random_.Below(runnable_.size());
  in_iteration_ = true;
  runnable_[chosen]->RunIteration();
  in_iteration_ = false;
  return true;
}

TimePoint World::NextWork() const {
  TimePoint next = events_.Next();
  for (const auto& process : processes_) next = std::min(next, process->NextWork());
  return next;
}

bool World::Step(TimePoint limit) {
  if (++steps_at_this_instant_ > kMaxStepsAtOneInstant) {
    Fail("time stands still: processes wake each other and never wait");
    return false;
  }
  if (events_.Next() <= now_) {
    events_.TakeFirst()();
    return true;
  }
  if (RunOneProcess()) return true;
  TimePoint next = NextWork();
  if (next == kNever || next > limit) return false;
  CHECK(next > now_);
  now_ = next;
  steps_at_this_instant_ = 0;
  return true;
}

void World::RunUntil(TimePoint when) {
  while (!failure_ && Step(when)) {
  }
  if (failure_ || when <= now_) return;
  now_ = when;
  steps_at_this_instant_ = 0;
}

const SimProcess* World::FirstRunningProcess() const {
  for (const auto& process : processes_) {
    if (process->options().must_end && !process->ended()) return process.get();
  }
  return nullptr;
}

void World::FailForOneThatHasNotEnded(std::string_view when) {
  Fail(fmt::format("process {} {}", FirstRunningProcess()->name(), when));
}

void World::RunToEnd(TimePoint limit) {
  while (!failure_ && FirstRunningProcess() != nullptr) {
    if (Step(limit)) continue;
    if (failure_) return;
    FailForOneThatHasNotEnded(NextWork() == kNever
                                  ? "waits for ever: nothing is left that could wake it"
                                  : "has not ended in time");
  }
}

}  // namespace meridian::io::sim
