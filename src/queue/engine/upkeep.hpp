// Upkeep: what the engine does by itself every few seconds: moves the log start of partitions by
// their retention, compacts those that ask for it, and removes the offsets of groups that have long
// been empty.
//
// While the disk is full, the journal cannot take the records that move log starts. Segments are
// emptied all the same, which makes room; their names go when there is room for the records.
//
// Owned by the Engine; one thread: the loop's. Await Stop before destroying it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/partition.hpp"

namespace meridian::queue {

class Upkeep {
 public:
  using IsActive = std::function<bool(std::string_view group)>;

  Upkeep(io::Loop& loop, DurableState& durable, IsActive is_active, Duration interval);
  void Start();
  io::Task<void> Stop();

 private:
  io::Task<void> Run();
  io::Task<Result<void>> ApplyRetention();
  io::Task<Result<void>> ApplyRetention(std::span<const std::shared_ptr<Partition>> slice);
  io::Task<Result<void>> Compact();
  int64_t NewLogStart(const Partition& partition) const;
  void ExpireOffsets();
  void ReportEvictions();
  void Report(std::string_view work, const Result<void>& done, RecurringProblem& problem);

  io::Loop& loop_;
  DurableState& durable_;
  IsActive is_active_;
  Duration interval_;
  WallTime started_;
  // When each group that has offsets was last seen with members.
  std::map<std::string, WallTime, std::less<>> last_active_;
  uint64_t reported_evictions_ = 0;
  TimePoint next_report_{};
  RecurringProblem retention_problem_;
  RecurringProblem compaction_problem_;
  io::Scope scope_;
};

}  // namespace meridian::queue
