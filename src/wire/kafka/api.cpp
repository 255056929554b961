#include "wire/kafka/api.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>

namespace meridian::wire::kafka {
namespace {

constexpr ApiDescription kApis[] = {
    // key, name, min, max, flexible from, served from
    {ApiKey::kProduce, "Produce", 0, 11, 9, 3},
    {ApiKey::kFetch, "Fetch", 4, 13, 12, 4},
    {ApiKey::kListOffsets, "ListOffsets", 1, 7, 6, 1},
    {ApiKey::kMetadata, "Metadata", 0, 12, 9, 0},
    {ApiKey::kOffsetCommit, "OffsetCommit", 2, 9, 8, 2},
    {ApiKey::kOffsetFetch, "OffsetFetch", 1, 9, 6, 1},
    {ApiKey::kFindCoordinator, "FindCoordinator", 0, 4, 3, 0},
    {ApiKey::kJoinGroup, "JoinGroup", 0, 9, 6, 0},
    {ApiKey::kHeartbeat, "Heartbeat", 0, 4, 4, 0},
    {ApiKey::kLeaveGroup, "LeaveGroup", 0, 5, 4, 0},
    {ApiKey::kSyncGroup, "SyncGroup", 0, 5, 4, 0},
    {ApiKey::kDescribeGroups, "DescribeGroups", 0, 5, 5, 0},
    {ApiKey::kListGroups, "ListGroups", 0, 4, 3, 0},
    {ApiKey::kApiVersions, "ApiVersions", 0, 4, 3, 0},
    {ApiKey::kCreateTopics, "CreateTopics", 2, 7, 5, 2},
    {ApiKey::kDeleteTopics, "DeleteTopics", 1, 6, 4, 1},
    {ApiKey::kDeleteRecords, "DeleteRecords", 0, 2, 2, 0},
    {ApiKey::kInitProducerId, "InitProducerId", 0, 4, 2, 0},
    {ApiKey::kOffsetForLeaderEpoch, "OffsetForLeaderEpoch", 2, 4, 4, 2},
    {ApiKey::kDescribeConfigs, "DescribeConfigs", 1, 4, 4, 1},
    {ApiKey::kAlterConfigs, "AlterConfigs", 0, 2, 2, 0},
    {ApiKey::kCreatePartitions, "CreatePartitions", 0, 3, 2, 0},
    {ApiKey::kDeleteGroups, "DeleteGroups", 0, 2, 2, 0},
    {ApiKey::kIncrementalAlterConfigs, "IncrementalAlterConfigs", 0, 1, 1, 0},
    {ApiKey::kOffsetDelete, "OffsetDelete", 0, 0, kNoVersion, 0},
    {ApiKey::kDescribeCluster, "DescribeCluster", 0, 1, 0, 0},
};

}  // namespace

std::span<const ApiDescription> SupportedApis() { return kApis; }

const ApiDescription* FindApi(int16_t key) {
  const auto* api = std::ranges::find(kApis, static_cast<ApiKey>(key), &ApiDescription::key);
  return api == std::end(kApis) ? nullptr : api;
}

}  // namespace meridian::wire::kafka
