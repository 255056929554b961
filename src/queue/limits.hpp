// The limits of the queue tier.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::queue {

// --- connections
// Of a data center. Past it the connection that has been idle longest is closed; else the new one.
constexpr size_t kMaxClients = 10'000;
// Of one read, when no request is known to be longer.
constexpr size_t kReadBytes = size_t{16} * 1024;
// A frame without its length: the smallest has API key, version and correlation id.
constexpr size_t kMinRequestBytes = 8;
constexpr size_t kMaxRequestBytes = size_t{32} * 1024 * 1024;
// Requests of all connections that are read and not answered, nor wait for something to happen;
// each loop has its share, in which one request of the largest size fits. Past it clients are read
// from no further, but for one request of each loop.
constexpr size_t kMaxRequestBytesInFlight = size_t{256} * 1024 * 1024;
// A request takes so much when its length is known, and when that has arrived, the next step: so
// many times what it has. Of kMaxClients that send nothing further, 96 MiB are left.
constexpr size_t kFirstRequestBytes = size_t{16} * 1024;
constexpr size_t kRequestGrowth = 4;
// How long a request waits for memory before its connection is closed.
constexpr Duration kMemoryTimeout = std::chrono::seconds{30};
// While others wait for memory, a request of which less arrives in this time is given up.
constexpr Duration kArrivalWindow = std::chrono::seconds{1};
constexpr size_t kMinArrivalBytes = size_t{64} * 1024;
// Requests of one connection that are read and not answered.
constexpr size_t kMaxPipelinedRequests = 32;
// From the first byte of a request to its last; and how long a response may take to be sent.
constexpr Duration kRequestTimeout = std::chrono::seconds{30};
constexpr Duration kWriteTimeout = std::chrono::seconds{60};
// A connection without a request is closed after this, as Kafka does.
constexpr Duration kIdleTimeout = std::chrono::minutes{10};

// --- requests
// What a Fetch may wait and hold; a client that asks for more gets this.
constexpr Duration kMaxFetchWait = std::chrono::seconds{60};
constexpr size_t kMaxFetchBytes = size_t{64} * 1024 * 1024;
// Partitions of which one response has messages: each keeps a file open until it is sent.
constexpr size_t kMaxFetchFiles = 100;
// How long a Produce request waits for the disk: what the client says, within these.
constexpr Duration kMinProduceTimeout = std::chrono::milliseconds{100};
constexpr Duration kMaxProduceTimeout = std::chrono::minutes{5};
// Topics that one Metadata request creates; the client asks again for the others.
constexpr size_t kMaxAutoCreatedTopics = 100;
// Of a request that publishes no messages and assigns no partitions: 10,000 partitions fit.
constexpr size_t kMaxSmallRequestBytes = size_t{2} * 1024 * 1024;
// Items of a request (partitions, groups, members) that are handled before other fibers run.
constexpr size_t kItemsPerSlice = 256;
// How slowly a client may read a response, beyond kWriteTimeout.
constexpr size_t kMinSendRate = size_t{64} * 1024;  // bytes a second
// How often `status` and the gauges are updated.
constexpr Duration kReportInterval = std::chrono::seconds{1};
// How often topics of site.toml that could not be made or changed are tried again.
constexpr Duration kTopicSetupInterval = std::chrono::seconds{10};
// A drain gives requests at least this long.
constexpr Duration kMinDrainGrace = std::chrono::seconds{2};

// --- topics
constexpr int32_t kMaxPartitionsOfTopic = 1'000;
constexpr Duration kMinRetention = std::chrono::minutes{1};
constexpr Duration kMaxRetention = std::chrono::days{3'650};
constexpr uint64_t kMinRetentionBytes = uint64_t{1} << 20;
constexpr uint64_t kMaxRetentionBytes = uint64_t{1} << 50;

constexpr size_t kMaxDeclaredTopics = 1'000;  // in site.toml

// --- workers
// The delays of retry topics: the first, how much longer each further one is, and the longest.
constexpr Duration kFirstRetryDelay = std::chrono::seconds{10};
constexpr int kRetryDelayFactor = 3;
constexpr Duration kMaxRetryDelay = std::chrono::hours{6};
// More than all delays of a worker's retry topics together.
constexpr Duration kMaxRetryTime = std::chrono::days{2};
// How long dead letters stay, unless site.toml says otherwise.
constexpr Duration kDeadLetterRetention = std::chrono::days{30};
// --- other data centers
// How long a batch waits for its copies elsewhere; then it is acknowledged without, with an alert.
constexpr Duration kMaxCopyWait = std::chrono::seconds{10};
// How often it is looked whether missing copies exist again.
constexpr Duration kCopyLook = std::chrono::seconds{1};
constexpr Duration kCopyPause = std::chrono::milliseconds{20};
// How long a start waits to hear from the other data centers.
constexpr Duration kMaxContactWait = std::chrono::seconds{10};
// A mirror that is so far behind is a problem.
constexpr Duration kFarBehind = std::chrono::seconds{10};
constexpr Duration kContactPause = std::chrono::milliseconds{20};
// How long a promotion waits until what was copied is applied and in a checkpoint.
constexpr Duration kMaxPromotionWait = std::chrono::seconds{30};
constexpr Duration kApplyPause = std::chrono::milliseconds{5};
// One request to another data center, and its response.
constexpr Duration kPeerCallTimeout = std::chrono::seconds{20};
constexpr size_t kMaxPeerCalls = 16;  // to one data center, under way or waiting
constexpr Duration kCreateElsewhereTimeout = std::chrono::seconds{5};
constexpr size_t kMaxPeerResponseBytes = size_t{16} * 1024 * 1024;
// Of one request for missing messages; the pause before the next look at what is missing.
constexpr int32_t kFillBytes = 4 * 1024 * 1024;
constexpr Duration kFillPause = std::chrono::milliseconds{500};
// How often it is looked for damage to repair; the pauses after a repair that failed.
constexpr Duration kMendLook = std::chrono::milliseconds{500};
constexpr Duration kMinMendPause = std::chrono::seconds{1};
constexpr Duration kMaxMendPause = std::chrono::minutes{5};
// Connections of another data center's queue that ask for messages or topics.
constexpr size_t kMaxPeerRequestBytes = kMaxRequestBytes;

// --- metrics
constexpr size_t kMaxLagSeries = 500;  // partitions of groups whose lag /metrics shows

// --- consumer groups
constexpr size_t kMaxActiveGroups = 10'000;  // with members; past it JoinGroup gets an error
// Of one group, with new members that were told their id and have not joined yet.
constexpr size_t kMaxGroupMembers = 1'000;
constexpr size_t kMaxGroupIdBytes = 255;
constexpr size_t kMaxInstanceIdBytes = 249;
// Of a client's id, as the beginning of its member ids.
constexpr size_t kMaxClientIdInMemberId = 128;
// Of one member: the names and metadata of its protocols; its assignment.
constexpr size_t kMaxMemberProtocols = 32;
constexpr size_t kMaxMemberMetadataBytes = size_t{256} * 1024;
constexpr size_t kMaxAssignmentBytes = size_t{256} * 1024;
// About what all groups take in memory.
constexpr size_t kMaxGroupBytes = size_t{256} * 1024 * 1024;
// What a member may ask for as its session timeout.
constexpr Duration kMinSessionTimeout = std::chrono::seconds{6};
constexpr Duration kMaxSessionTimeout = std::chrono::minutes{30};
// A rebalance timeout outside of these counts as the nearer of them.
constexpr Duration kMinRebalanceTimeout = std::chrono::seconds{1};
constexpr Duration kMaxRebalanceTimeout = std::chrono::minutes{30};
// An empty group waits so long for further members before its first generation, anew after each
// that joins; at most the rebalance timeout in all. Members often start together.
constexpr Duration kInitialRebalanceDelay = std::chrono::milliseconds{500};

}  // namespace meridian::queue
