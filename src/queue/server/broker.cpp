#include "queue/server/broker.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/config.hpp"
#include "queue/engine/engine.hpp"
#include "queue/groups/group_service.hpp"
#include "queue/limits.hpp"
#include "queue/server/answers.hpp"
#include "queue/server/pace.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/uuid.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/fetch.hpp"

namespace meridian::queue {
namespace {

using wire::kafka::ApiKey;
using Answer = Answered (*)(Broker&, const Call&);

const std::map<ApiKey, Answer>& Answers() {
  static const std::map<ApiKey, Answer> kAnswers = {
      {ApiKey::kApiVersions, &AnswerApiVersions},
      {ApiKey::kMetadata, &AnswerMetadata},
      {ApiKey::kDescribeCluster, &AnswerDescribeCluster},
      {ApiKey::kFindCoordinator, &AnswerFindCoordinator},
      {ApiKey::kInitProducerId, &AnswerInitProducerId},
      {ApiKey::kCreateTopics, &AnswerCreateTopics},
      {ApiKey::kDeleteTopics, &AnswerDeleteTopics},
      {ApiKey::kCreatePartitions, &AnswerCreatePartitions},
      {ApiKey::kDeleteRecords, &AnswerDeleteRecords},
      {ApiKey::kDescribeConfigs, &AnswerDescribeConfigs},
      {ApiKey::kAlterConfigs, &AnswerAlterConfigs},
      {ApiKey::kIncrementalAlterConfigs, &AnswerIncrementalAlterConfigs},
      {ApiKey::kListOffsets, &AnswerListOffsets},
      {ApiKey::kOffsetForLeaderEpoch, &AnswerOffsetForLeaderEpoch},
      {ApiKey::kOffsetCommit, &AnswerOffsetCommit},
      {ApiKey::kOffsetFetch, &AnswerOffsetFetch},
      {ApiKey::kOffsetDelete, &AnswerOffsetDelete},
      {ApiKey::kJoinGroup, &AnswerJoinGroup},
      {ApiKey::kSyncGroup, &AnswerSyncGroup},
      {ApiKey::kHeartbeat, &AnswerHeartbeat},
      {ApiKey::kLeaveGroup, &AnswerLeaveGroup},
      {ApiKey::kDescribeGroups, &AnswerDescribeGroups},
      {ApiKey::kListGroups, &AnswerListGroups},
      {ApiKey::kDeleteGroups, &AnswerDeleteGroups},
  };
  return kAnswers;
}

size_t AtLeastZero(int32_t number) { return static_cast<size_t>(std::max(number, 0)); }

}  // namespace

Broker::Broker(const Parts& parts, BrokerIdentity identity, const Config& config)
    : parts_(parts), identity_(std::move(identity)), config_(config) {}

const BrokerAddress* Broker::controller() const {
  const auto node = static_cast<int32_t>(engine().controller().node);
  if (node == here().node_id) return &identity_.here;
  auto found = std::ranges::find(identity_.others, node, &BrokerAddress::node_id);
  return found == identity_.others.end() ? nullptr : &*found;
}

io::Task<Result<wire::kafka::Frame>> Broker::Answer(Call call) {
  auto found = Answers().find(call.header.api->key);
  if (found == Answers().end()) {
    co_return Fail(Errc::kInvalid, "requests of the API {} are not answered here",
                   call.header.api->name);
  }
  co_return co_await found->second(*this, call);
}

io::Task<std::vector<ProduceOutcome>> Broker::Produce(std::span<const ProducePart> parts,
                                                      Acknowledge acknowledge, Duration timeout) {
  const Duration bounded = std::clamp(timeout, kMinProduceTimeout, kMaxProduceTimeout);
  co_return co_await engine().Produce(parts, acknowledge, loop().After(bounded));
}

void Broker::Cancel(Cancellation& cancellation) {
  cancellation.requested = true;
  groups().Abandon(cancellation.ticket);
  auto found = data_waits_.find(cancellation.ticket);
  if (found != data_waits_.end()) found->second->Cancel();
}

// --- Fetch

// What was read of each partition of a request.
struct Broker::Collected {
  std::vector<FetchedPartition> partitions;
  std::vector<SeenPartition> seen;
  std::deque<std::string> names;  // of topics that were asked for by their ids
  size_t bytes = 0;
  size_t files = 0;
  bool failed = false;  // at one of them
};

io::Task<std::vector<FetchedPartition>> Broker::Fetch(FetchCall call) {
  const wire::kafka::FetchRequest& request = call.request;
  const Duration wait = std::min<Duration>(
      std::chrono::milliseconds{AtLeastZero(request.max_wait_ms)}, kMaxFetchWait);
  const TimePoint deadline = loop().After(wait);
  const size_t min_bytes = std::min(AtLeastZero(request.min_bytes), kMaxFetchBytes);
  Collected collected = co_await Collect(call);
  // What a waiting request takes is bounded by its partitions. Past the limit of files, some of
  // them may have messages already.
  const bool may_wait = !collected.failed && collected.files < kMaxFetchFiles &&
                        request.topics.size() <= collected.seen.size();
  if (may_wait && collected.bytes < min_bytes && wait > Duration::zero()) {
    collected.partitions.clear();  // they keep files open
    co_await AwaitData(collected.seen, min_bytes - collected.bytes, *call.cancellation, deadline);
    collected = co_await Collect(call);
  }
  co_return std::move(collected.partitions);
}

io::Task<Broker::Collected> Broker::Collect(const FetchCall& call) {
  const wire::kafka::FetchRequest& request = call.request;
  FetchAs as = FetchAs::kConsumer;
  if (call.from_peer) as = request.replica_id >= 0 ? FetchAs::kRepairer : FetchAs::kMirror;
  Collected collected;
  Pace pace;
  const size_t max_bytes = std::min(AtLeastZero(request.max_bytes), kMaxFetchBytes);
  for (const auto& topic : request.topics) {
    std::string_view name = topic.name;
    const bool by_id = topic.id != wire::kafka::Uuid{};
    if (by_id) {
      name = collected.names.emplace_back(engine().NameOf(FromWire(topic.id)).value_or(""));
    }
    for (const auto& partition : topic.partitions) {
      co_await pace.Step();
      if (by_id && name.empty()) {
        collected.failed = true;
        collected.partitions.push_back({.error = wire::kafka::ErrorCode::kUnknownTopicId});
        continue;
      }
      const size_t left = max_bytes - std::min(max_bytes, collected.bytes);
      const TopicPartition where = PartitionOf(name, partition.index);
      const FetchPosition position{.where = where,
                                   .offset = partition.fetch_offset,
                                   .leader_epoch = partition.current_leader_epoch,
                                   .as = as};
      const bool full = left == 0 && collected.bytes > 0;
      auto view =
          full || collected.files >= kMaxFetchFiles
              ? engine().Look(position)
              : co_await engine().Fetch(position, std::min(left, AtLeastZero(partition.max_bytes)));
      if (!view) {
        collected.failed = true;
        collected.partitions.push_back({.error = ErrorCodeOf(view.error().error)});
        continue;
      }
      // Only the first batch of a response may be larger than what was asked for.
      if (collected.bytes > 0 && view->range.bytes > left) view->range = {};
      collected.bytes += view->range.bytes;
      if (view->range.file != nullptr) ++collected.files;
      collected.seen.push_back({.where = where, .high_watermark = view->high_watermark});
      collected.partitions.push_back({.view = std::move(*view)});
    }
  }
  co_return collected;
}

io::Task<void> Broker::AwaitData(std::span<const SeenPartition> seen, size_t min_bytes,
                                 const Cancellation& cancellation, TimePoint deadline) {
  if (cancellation.requested) co_return;
  io::Scope wait(loop());
  data_waits_[cancellation.ticket] = &wait;
  auto await = [&]() -> io::Task<void> {
    (void)co_await engine().AwaitData(seen, min_bytes, deadline);
  };
  wait.Spawn(await());
  co_await wait.Join();
  data_waits_.erase(cancellation.ticket);
}

}  // namespace meridian::queue
