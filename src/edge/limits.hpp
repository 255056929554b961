// The edge's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::edge {

// To the balancer of one other data center, of all loops together.
constexpr size_t kMaxUpstreamConnections = 4096;
constexpr size_t kMaxWaitingRequests = 4096;
constexpr Duration kWaitTimeout = std::chrono::seconds{5};
constexpr Duration kConnectTimeout = std::chrono::seconds{2};
// Health checks of the balancer of the own data center: without them, connections to a balancer
// that hangs would wait in the kernel and never fail.
constexpr Duration kBalancerCheckInterval = std::chrono::seconds{1};
constexpr Duration kBalancerCheckTimeout = std::chrono::milliseconds{800};
constexpr int kBalancerMisses = 2;
constexpr size_t kMaxCheckBody = 1024;
// An upstream that failed counts as well again when it answers this long after its last failure.
constexpr Duration kUpstreamSolvedAfter = std::chrono::seconds{10};
constexpr Duration kLoadInterval = std::chrono::seconds{1};
// An agent answers a question about its purge journal within two seconds, with new entries or
// without. An edge that has heard no other data center's journal for kIsolatedAfter is isolated.
constexpr Duration kPurgeAnswerTimeout = std::chrono::seconds{4};
constexpr Duration kPurgeOrderTimeout = std::chrono::seconds{8};
constexpr Duration kPurgeRetryInterval = std::chrono::milliseconds{500};
constexpr Duration kIsolatedAfter = std::chrono::seconds{6};
// Between two slices of a purge.
constexpr Duration kSweepPause = std::chrono::milliseconds{1};
// How long a request waits for the head of a coalesced fetch; then it asks the origin itself.
constexpr Duration kCollapseTimeout = std::chrono::seconds{10};
// How many fetches without a usable response (its visitor left, a purge came meanwhile) a request
// waits for before it asks the origin itself.
constexpr int kMaxWaits = 4;
// Parts of the table of coalesced fetches, by key, each with its mutex.
constexpr size_t kFetchTableParts = 16;
// HotResponses: responses of one loop, how many of them may have the same hash of their key or
// share its place, and how long a response stays without use. All loops' hot responses together are
// at most this part of the cache's memory.
constexpr size_t kMaxHotResponses = 256;
constexpr size_t kHotResponsesOfHash = 4;
constexpr Duration kHotLife = std::chrono::milliseconds{100};
constexpr size_t kHotBudgetShare = 8;
// Window of a body that is not stored: the fetch waits while its slowest reader is further behind.
constexpr uint64_t kFetchWindowBytes = uint64_t{256} * 1024;
// Fetches of bodies to be stored that go on after all their readers have left, and the bytes that
// these fetches have still to receive (for a body of unknown length: max_object_bytes less the
// bytes received). A fetch past either limit is aborted, but one fetch may always go on.
constexpr size_t kMaxUnreadFetches = 64;
constexpr uint64_t kMaxUnreadFetchBytes = uint64_t{256} * 1024 * 1024;
// For a body of up to kMaxAwaitedBytes, the head waits up to kMaxStoredWait for the end of the
// body, so that Cache-Status can say whether the response was stored.
constexpr uint64_t kMaxAwaitedBytes = uint64_t{64} * 1024;
constexpr Duration kMaxStoredWait = std::chrono::milliseconds{10};
// Concurrent background fetches (stale-while-revalidate); at the limit, none is begun.
constexpr size_t kMaxBackgroundFetches = 256;
// The largest body that can have a version: its hash is computed in one loop iteration (5 ms).
constexpr uint64_t kMaxVersionedBytes = uint64_t{8} * 1024 * 1024;
// Freshness lifetime of the content at a versioned path: a year.
constexpr Duration kVersionLifetime = std::chrono::hours{24 * 365};
// The URLs whose headers waste most: how many are tracked, how many are reported; longer URLs are
// left out.
constexpr size_t kMaxWastefulUrls = 256;
constexpr size_t kMaxWastefulUrlsReported = 32;
constexpr size_t kMaxWastefulUrlBytes = 1024;
// URLs whose last content is remembered; a URL whose hash has the same slot overwrites it.
constexpr size_t kRememberedAnswers = 8192;
// Edges that a request may have passed before it reaches an edge without a site; a request that has
// passed more is a loop.
constexpr int kMaxEdgesPassed = 16;
// Room for the fields that balancers add to the head of an application's response.
constexpr size_t kMaxBalancerFields = 4;
constexpr size_t kMaxBalancerHeadBytes = size_t{1} * 1024;
// The access log: the size of each of its two buffers; a buffer is written when it holds
// kAccessFlushBytes, or after kAccessFlushInterval.
constexpr size_t kAccessBufferBytes = size_t{512} * 1024;
constexpr size_t kAccessFlushBytes = size_t{64} * 1024;
constexpr Duration kAccessFlushInterval = std::chrono::seconds{1};
// Retry-After of a 503.
constexpr uint32_t kRetryAfterSeconds = 1;

}  // namespace meridian::edge
