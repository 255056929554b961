// docs/queue.md has each limit of the tier, as it is.
#include "queue/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "queue/partition/limits.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "store/limits.hpp"
#include "wire/kafka/limits.hpp"

namespace meridian::queue {
namespace {

// Numbers as docs/queue.md writes them.
std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}
std::string Mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }
std::string Kibibytes(uint64_t bytes) { return std::to_string(bytes >> 10) + " KiB"; }
std::string InSeconds(Duration duration) { return fmt::format("{:.0f} s", Seconds(duration)); }
std::string InMinutes(Duration duration) {
  return fmt::format("{:.0f} min", Seconds(duration) / 60);
}
std::string InHours(Duration duration) { return fmt::format("{:.0f} h", Seconds(duration) / 3600); }
std::string InDays(Duration duration) {
  return fmt::format("{} days", std::chrono::floor<std::chrono::days>(duration).count());
}

struct Documented {
  std::vector<std::string_view> constants;
  std::string text;
};

std::string Row(std::string text) { return "\n| " + std::move(text); }

std::vector<Documented> LimitsOfConnections() {
  return {
      {{"kMaxClients"}, Row("`max_clients` | " + Grouped(kMaxClients) + ", or fewer")},
      {{"kIdleTimeout"}, Row("a connection without a request | " + InMinutes(kIdleTimeout))},
      {{"kMinRequestBytes", "kMaxRequestBytes"},
       Row(fmt::format("a request | {} bytes to {} |", kMinRequestBytes,
                       Mebibytes(kMaxRequestBytes)))},
      {{"kRequestTimeout"},
       Row("a request, from its first byte to its last | " + InSeconds(kRequestTimeout))},
      {{"kWriteTimeout", "kMinSendRate"},
       Row(fmt::format("a response that the client does not read | {}, and 1 s more for each {} |",
                       InSeconds(kWriteTimeout), Kibibytes(kMinSendRate)))},
      {{"kMaxPipelinedRequests"},
       Row(fmt::format("requests of one connection that are not answered | {} |",
                       kMaxPipelinedRequests))},
      {{"kMaxRequestBytesInFlight"},
       Row("requests of all connections that are not answered, and neither a Fetch nor waiting for "
           "a group | " +
           Mebibytes(kMaxRequestBytesInFlight))},
      {{"kMemoryTimeout"}, Row("a request's wait for that memory | " + InSeconds(kMemoryTimeout))},
      {{"kMinArrivalBytes", "kArrivalWindow"},
       Row("a request that arrives while others wait for memory | at least " +
           Kibibytes(kMinArrivalBytes) + " in each second |")},
      {{}, Row("a string in a request | " + Grouped(wire::kafka::kMaxStringBytes) + " bytes |")},
      {{}, Row("the arrays of one request, in memory | " + Mebibytes(wire::kafka::kMaxArrayBytes))},
      {{"kMaxSmallRequestBytes"},
       Row("a request other than Produce and SyncGroup | " + Mebibytes(kMaxSmallRequestBytes))},
      {{"kMaxLagSeries"},
       Row("partitions of groups whose lag `/metrics` shows | " + Grouped(kMaxLagSeries) + " |")},
      {{"kMaxGroupMembers"}, Row("assignments of one SyncGroup | " + Grouped(kMaxGroupMembers))},
      {{"kMaxAutoCreatedTopics"},
       Row(fmt::format("topics that one Metadata request creates | {} |", kMaxAutoCreatedTopics))},
      {{"kMinDrainGrace"},
       Row("after SIGTERM, for requests that were read | " + InSeconds(kMinDrainGrace))},
  };
}

std::vector<Documented> LimitsOfMessages() {
  const std::string largest = Mebibytes(static_cast<uint64_t>(kMaxMaxMessageBytes));
  return {
      {{"kMaxMaxMessageBytes", "kDefaultMaxMessageBytes"},
       Row("a batch | `max.message.bytes`: " +
           Mebibytes(static_cast<uint64_t>(kDefaultMaxMessageBytes)) + ", at most " + largest)},
      {{},
       fmt::format("| `max.message.bytes` | {} | 1024 to {} |", kDefaultMaxMessageBytes,
                   kMaxMaxMessageBytes)},
      {{},
       Row("a batch, after decompression | " + Mebibytes(wire::kafka::kMaxRecordsBytes) + " |")},
      {{"kMaxInFlightBytes"},
       Row("batches that wait for the disk | " + Mebibytes(kMaxInFlightBytes) + " |")},
      {{"kMaxWaitingProducers"},
       Row("producers' requests that wait | " + Grouped(kMaxWaitingProducers) + " |")},
      {{"kMinProduceTimeout", "kMaxProduceTimeout"},
       Row(fmt::format("a producer's wait for the disk | its request timeout: {:.0f} ms to {} |",
                       Milliseconds(kMinProduceTimeout), InMinutes(kMaxProduceTimeout)))},
      {{"kMaxProducers"},
       Row("idempotent producers, counted in each partition | " + Grouped(kMaxProducers) + " |")},
      {{"kProducerExpiry"},
       "A producer that has sent nothing to a partition for " + InHours(kProducerExpiry)},
      {{"kRememberedBatches"}, "The last five batches of each producer and partition"},
      {{}, "With less than " + Mebibytes(store::kHeadroomBytes) + " free"},
  };
}

std::vector<Documented> LimitsOfReading() {
  return {
      {{"kMaxFetchBytes"}, Row("one Fetch | " + Mebibytes(kMaxFetchBytes) + ", and")},
      {{"kMaxFetchFiles"},
       Row(fmt::format("partitions of which one Fetch gets messages | {} |", kMaxFetchFiles))},
      {{"kMaxFetchWait"}, Row("a Fetch that waits for messages | " + InSeconds(kMaxFetchWait))},
      {{"kMaxDataWaits"},
       Row("partitions that all readers wait for together | " + Grouped(kMaxDataWaits))},
      {{"kMaxSegmentFiles"},
       Row("segment files that are open | " + Grouped(kMaxSegmentFiles) + ", or fewer")},
      {{"kMaxEpochs"}, Row("leader epochs of a partition | " + Grouped(kMaxEpochs) + " |")},
  };
}

std::vector<Documented> LimitsOfTopics() {
  return {
      {{"kMaxPartitions"}, Row("partitions of all topics | " + Grouped(kMaxPartitions) + " |")},
      {{"kMaxPartitionsOfTopic"},
       Row("`[queue] partitions` | " + Grouped(kMaxPartitionsOfTopic) + " |")},
      {{"kMaxTopicNameBytes"},
       Row(fmt::format("a topic's name | {} characters |", kMaxTopicNameBytes))},
      {{"kMaxTopicOverrides", "kMaxConfigValueBytes"},
       Row(fmt::format("keys that a topic sets; the length of a value | {}; {} bytes |",
                       kMaxTopicOverrides, kMaxConfigValueBytes))},
      {{"kMinRetention", "kMaxRetention", "kMinRetentionBytes", "kMaxRetentionBytes"},
       Row(fmt::format("`[queue] retention`, `retention_size` | {} to {}; {} or more |",
                       InMinutes(kMinRetention), "3,650 days", Mebibytes(kMinRetentionBytes)))},
      {{"kMaxSegmentBytes", "kDefaultSegmentBytes"},
       fmt::format("| `segment.bytes` | {} | 1 MiB to {} GiB |", kDefaultSegmentBytes,
                   kMaxSegmentBytes >> 30)},
      {{"kDefaultSegmentMs", "kMinAgedSegmentBytes"},
       fmt::format("| `segment.ms` | {} | 1000 or more | the age at which a new segment file is "
                   "begun, if it has {} |",
                   kDefaultSegmentMs, Kibibytes(kMinAgedSegmentBytes))},
      {{"kUpkeepInterval"}, "**Retention** is applied every " + InSeconds(kUpkeepInterval)},
      {{"kCheckpointInterval"},
       "A checkpoint is made every " +
           fmt::format("{:.0f} minutes", Seconds(kCheckpointInterval) / 60)},
  };
}

std::vector<Documented> LimitsOfGroups() {
  return {
      {{"kMaxActiveGroups"}, Row("groups with members | " + Grouped(kMaxActiveGroups) + " |")},
      {{"kMaxLagSeries"},
       Row("partitions of groups whose lag `/metrics` shows | " + Grouped(kMaxLagSeries) + " |")},
      {{"kMaxGroupMembers"}, Row("members of a group | " + Grouped(kMaxGroupMembers) + " |")},
      {{"kMaxGroupBytes"},
       Row("what all groups take in memory, about | " + Mebibytes(kMaxGroupBytes) + " |")},
      {{"kMaxGroupIdBytes"}, Row(fmt::format("a group's name | {} bytes |", kMaxGroupIdBytes))},
      {{"kMaxInstanceIdBytes"},
       Row(fmt::format("`group.instance.id` | {} bytes |", kMaxInstanceIdBytes))},
      {{"kMaxMemberProtocols", "kMaxMemberMetadataBytes"},
       Row(fmt::format("a member's assignment strategies; their names and metadata | {}; {} |",
                       kMaxMemberProtocols, Kibibytes(kMaxMemberMetadataBytes)))},
      {{"kMaxAssignmentBytes"},
       Row("a member's assignment | " + Kibibytes(kMaxAssignmentBytes) + " |")},
      {{"kMinSessionTimeout", "kMaxSessionTimeout"},
       Row(fmt::format("`session.timeout.ms` | {} to {} |", InSeconds(kMinSessionTimeout),
                       InMinutes(kMaxSessionTimeout)))},
      {{"kMinRebalanceTimeout", "kMaxRebalanceTimeout"},
       fmt::format("which count as {} at least and {} at most", InSeconds(kMinRebalanceTimeout),
                   InMinutes(kMaxRebalanceTimeout))},
      {{"kInitialRebalanceDelay"},
       fmt::format("The first generation of an empty group waits {:.0f} ms",
                   Milliseconds(kInitialRebalanceDelay))},
      {{"kMaxGroups", "kMaxCommittedOffsets"},
       Row(fmt::format("groups with committed offsets; their offsets | {}; {} |",
                       Grouped(kMaxGroups), Grouped(kMaxCommittedOffsets)))},
      {{"kMaxOffsetMetadataBytes"},
       Row("the metadata of a committed offset | " + Grouped(kMaxOffsetMetadataBytes) + " bytes")},
      {{"kMaxAllMetadataBytes"},
       Row("the metadata of all committed offsets | " + Mebibytes(kMaxAllMetadataBytes) + " |")},
      {{"kOffsetsRetention"}, "A group's offsets stay for " + InDays(kOffsetsRetention)},
      {{"kGroupsReturnWithin"},
       fmt::format("For the first {:.0f} minutes after a start",
                   Seconds(kGroupsReturnWithin) / 60)},
  };
}

std::vector<Documented> LimitsOfDataCenters() {
  return {
      {{"kMaxCopyWait"},
       Row("a message's wait for its copies in other data centers | " + InSeconds(kMaxCopyWait))},
      {{"kMaxContactWait"},
       Row("a start's wait for the other data centers | " + InSeconds(kMaxContactWait))},
      {{"kMaxPromotionWait"},
       Row("a promotion's wait for what is mirrored to be applied and in a checkpoint | " +
           InSeconds(kMaxPromotionWait))},
      {{"kCreateElsewhereTimeout", "kMaxPeerCalls"},
       Row(fmt::format("a Metadata request's wait for another data center to create a topic | {}, "
                       "{} at a time",
                       InSeconds(kCreateElsewhereTimeout), kMaxPeerCalls))},
      {{"kMaxDeletedTopics"},
       Row("deleted topics that are remembered | " + Grouped(kMaxDeletedTopics))},
      {{},
       Row(fmt::format("data centers and edge places of a site with a queue | {}", kMaxNodeId))},
  };
}

std::vector<Documented> LimitsOfWorkers() {
  constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;
  return {
      {{"kMaxDelayMs"},
       Row(fmt::format("`meridian.delay.ms` | 0 | 0 to {} days |", kMaxDelayMs / kDayMs))},
      {{"kFirstRetryDelay"}, Row("`uploads.thumbnail.retry.1` | " + InSeconds(kFirstRetryDelay))},
      {{"kRetryDelayFactor", "kMaxRetryDelay"},
       Row(fmt::format("`uploads.thumbnail.retry.3` | {}; each further one three times as long, at "
                       "most {};",
                       InSeconds(kFirstRetryDelay * kRetryDelayFactor * kRetryDelayFactor),
                       InHours(kMaxRetryDelay)))},
      {{"kMaxRetryTime"}, "and two days more"},
      {{"kDeadLetterRetention"},
       fmt::format("dead letters for {:.0f} days longer", Seconds(kDeadLetterRetention) / 86'400)},
      {{"kTopicSetupInterval"}, "tried again every " + InSeconds(kTopicSetupInterval)},
  };
}

// How work is divided and how often it is done, and what bounds the tier's own memory and files: no
// limits for clients.
constexpr std::string_view kPaces[] = {
    "kReadBytes",
    "kFirstRequestBytes",
    "kRequestGrowth",
    "kItemsPerSlice",
    "kReportInterval",
    "kMaxClientIdInMemberId",
    "kMaxWriteGroupBytes",
    "kWriteGroupShare",
    "kSyncShare",
    "kSegmentRetry",
    "kProducerIdBlock",
    "kEvictionReportInterval",
    "kMaxGroupNameBytes",
    "kPartitionsPerSlice",
    "kSnapshotItemBytes",
    "kIndexIntervalBytes",
    "kIndexFlushEntries",
    "kScanBlockBytes",
    "kCheckBlockBytes",
    "kMaxCheckedBatchBytes",
    "kHeavyBatchBytes",
    "kMaxBadPlaces",
    "kMaxDeclaredTopics",
    "kCopyLook",
    "kCopyPause",
    "kContactPause",
    "kApplyPause",
    "kFarBehind",
    "kPeerCallTimeout",
    "kMaxPeerResponseBytes",
    "kFillBytes",
    "kFillPause",
    "kMendLook",
    "kMinMendPause",
    "kMaxMendPause",
    "kMaxPeerRequestBytes",
    "kCutPause",
    "kSetAsideRetry",
    "kCheckpointLook",
    "kCheckBytesPerSecond",
    "kCheckInterval",
    "kFirstCheckPause",
    "kCheckPause",
    "kSuspectBytesPerSecond",
    "kSuspectPause",
    "kMaxToldEpochs",
    "kMaxOpenSegments",
    "kWriterShare",
    "kMaxIndexLoads",
    "kRecentPositions",
    "kMaxCompactionKeyBytes",
    "kCompactionWriteBytes",
};

std::string TextOf(const char* path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(QueueLimits, EachStandsInTheDocumentation) {
  std::string documentation = TextOf("docs/queue.md");
  std::set<std::string_view> known(std::begin(kPaces), std::end(kPaces));
  for (const auto& limits :
       {LimitsOfConnections(), LimitsOfMessages(), LimitsOfReading(), LimitsOfTopics(),
        LimitsOfGroups(), LimitsOfDataCenters(), LimitsOfWorkers()}) {
    for (const Documented& limit : limits) {
      EXPECT_TRUE(documentation.contains(limit.text)) << limit.text;
      known.insert(limit.constants.begin(), limit.constants.end());
    }
  }
  for (const char* path :
       {"src/queue/limits.hpp", "src/queue/state/limits.hpp", "src/queue/partition/limits.hpp"}) {
    std::istringstream lines(TextOf(path));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("constexpr ")) continue;
      std::string name = line.substr(0, line.find(" ="));
      name = name.substr(name.rfind(' ') + 1);
      EXPECT_TRUE(known.contains(name))
          << path << ": " << name << " is neither documented nor a pace";
    }
  }
}

}  // namespace
}  // namespace meridian::queue
