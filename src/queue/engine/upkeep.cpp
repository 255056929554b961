#include "queue/engine/upkeep.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/partition.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/retention.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/topic_config.hpp"

namespace meridian::queue {
namespace {

int64_t SaturatingSum(int64_t a, int64_t b) {
  return a > std::numeric_limits<int64_t>::max() - b ? std::numeric_limits<int64_t>::max() : a + b;
}

int64_t Milliseconds(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

}  // namespace

Upkeep::Upkeep(io::Loop& loop, DurableState& durable, IsActive is_active, Duration interval)
    : loop_(loop),
      durable_(durable),
      is_active_(std::move(is_active)),
      interval_(interval),
      started_(loop.Wall()),
      scope_(loop) {}

void Upkeep::Start() { scope_.Spawn(Run()); }

io::Task<void> Upkeep::Stop() {
  scope_.Cancel();
  co_await scope_.Join();
}

io::Task<void> Upkeep::Run() {
  while (co_await io::Sleep(interval_)) {
    Result<void> done = co_await ApplyRetention();
    if (!done && done.error().code == Errc::kCancelled) co_return;
    Report("retention", done, retention_problem_);
    ReportEvictions();
    if (!durable_.Writable()) continue;
    ExpireOffsets();
    done = co_await Compact();
    if (!done && done.error().code == Errc::kCancelled) co_return;
    Report("compaction", done, compaction_problem_);
  }
}

void Upkeep::Report(std::string_view work, const Result<void>& done, RecurringProblem& problem) {
  if (!done && problem.OnProblem(done.error().message, loop_.Now())) {
    LOG_WARNING("upkeep of the queue fails", {"work", work}, {"problem", done.error().message});
  }
  if (done && problem.OnSolved()) LOG_INFO("upkeep of the queue goes on", {"work", work});
}

// However many there are, one line in a while.
void Upkeep::ReportEvictions() {
  const uint64_t evicted = durable_.state().producers().evicted();
  if (evicted == reported_evictions_ || loop_.Now() < next_report_) return;
  LOG_WARNING("idempotent producers were forgotten, because there are too many",
              {"producers", evicted - reported_evictions_}, {"limit", kMaxProducers});
  reported_evictions_ = evicted;
  next_report_ = loop_.After(kEvictionReportInterval);
}

io::Task<Result<void>> Upkeep::ApplyRetention() {
  std::vector<std::shared_ptr<Partition>> all;
  for (const auto& [id, partition] : durable_.partitions()) {
    if (partition->log() != nullptr) all.push_back(partition);
  }
  std::span<const std::shared_ptr<Partition>> left = all;
  while (!left.empty()) {
    size_t count = std::min(left.size(), kPartitionsPerSlice);
    Result<void> done = co_await ApplyRetention(left.first(count));
    if (done) done = co_await io::Sleep(Duration::zero());
    if (!done) co_return done;
    left = left.subspan(count);
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Upkeep::ApplyRetention(std::span<const std::shared_ptr<Partition>> slice) {
  std::vector<std::pair<std::shared_ptr<Partition>, int64_t>> moved;
  bool writable = durable_.Writable().has_value();
  for (const std::shared_ptr<Partition>& partition : slice) {
    const PartitionState* state = durable_.state().FindPartition(partition->id());
    if (partition->gone() || state == nullptr) continue;
    const bool at_home =
        durable_.state().IsHome(*durable_.state().FindTopic(partition->id().topic));
    const PartitionLog& log = *partition->log();
    int64_t log_start = at_home ? NewLogStart(*partition) : state->log_start_offset;
    if (log_start < log.log_start_offset()) continue;  // its home has not said so yet
    bool recorded = log_start <= state->log_start_offset;
    // Where the wait for the record failed, its segments are still there, or their names.
    if (recorded && log_start <= log.log_start_offset() && !log.has_emptied()) continue;
    moved.emplace_back(partition, log_start);
    if (writable && !recorded) durable_.Append(LogStartMovedRecord{partition->id(), log_start});
  }
  Result<void> done = co_await durable_.AwaitDurable(writable ? durable_.journal_end() : 0);
  for (const auto& [partition, log_start] : moved) {
    if (!done) break;
    done = co_await (writable ? durable_.DropBefore(partition, log_start)
                              : durable_.EmptyBefore(partition, log_start));
  }
  co_return done;
}

io::Task<Result<void>> Upkeep::Compact() {
  std::vector<std::shared_ptr<Partition>> compacted;
  for (const auto& [id, partition] : durable_.partitions()) {
    const TopicConfig& config = durable_.state().FindTopic(id.topic)->config;
    // With a delay, the last message of a key may be one that nobody sees yet.
    if (config.compacts && config.delay_ms == 0) compacted.push_back(partition);
  }
  for (const std::shared_ptr<Partition>& partition : compacted) {
    const Topic* topic = durable_.state().FindTopic(partition->id().topic);
    if (topic == nullptr) continue;
    Result<void> done = co_await durable_.Compact(
        partition, {.now_ms = Milliseconds(loop_.Wall()),
                    .delete_retention_ms = topic->config.delete_retention_ms});
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

int64_t Upkeep::NewLogStart(const Partition& partition) const {
  const TopicConfig& config = durable_.state().FindTopic(partition.id().topic)->config;
  RetentionLimits limits;
  // A message stays for the retention after consumers can see it.
  if (config.deletes && config.retention_ms >= 0) {
    limits.ms = SaturatingSum(config.retention_ms, config.delay_ms);
  }
  if (config.deletes && config.retention_bytes >= 0) {
    limits.bytes = static_cast<uint64_t>(config.retention_bytes);
  }
  const PartitionLog& log = *partition.log();
  int64_t by_retention =
      LogStartAfterRetention(log.segments(), {.limits = limits,
                                              .now_ms = Milliseconds(loop_.Wall()),
                                              .log_start_offset = log.log_start_offset(),
                                              .limit_offset = partition.high_watermark()});
  // What was removed while the disk was full is not in the state yet.
  return std::max(by_retention, log.log_start_offset());
}

void Upkeep::ExpireOffsets() {
  if (!durable_.state().is_controller()) return;
  WallTime now = loop_.Wall();
  // Members that come back after a restart need time for it.
  if (now < started_ + kGroupsReturnWithin) return;
  std::vector<std::string> expired;
  for (const auto& [name, group] : durable_.state().groups().groups()) {
    if (is_active_(name)) last_active_[name] = now;
    auto seen = last_active_.find(name);
    WallTime last = group.last_commit.Wall();
    if (seen != last_active_.end()) last = std::max(last, seen->second);
    if (last + kOffsetsRetention < now) expired.push_back(name);
  }
  for (const std::string& name : expired) {
    LOG_INFO("offsets of a group have expired", {"group", name});
    durable_.Append(OffsetsRemovedRecord{name, {}});
  }
  std::erase_if(last_active_, [this](const auto& entry) {
    return durable_.state().groups().Find(entry.first) == nullptr;
  });
}

}  // namespace meridian::queue
