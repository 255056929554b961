// The edge's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::edge {

// To the balancer of one other data center.
constexpr size_t kMaxUpstreamConnections = 4096;
constexpr size_t kMaxWaitingRequests = 4096;
constexpr Duration kWaitTimeout = std::chrono::seconds{5};
constexpr Duration kConnectTimeout = std::chrono::seconds{2};
// Whether the balancer beside the edge answers: connections to one that hangs, or does not come
// back, wait in the kernel and would not tell.
constexpr Duration kBalancerCheckInterval = std::chrono::seconds{1};
constexpr Duration kBalancerCheckTimeout = std::chrono::milliseconds{800};
constexpr int kBalancerMisses = 2;
constexpr size_t kMaxCheckBody = 1024;
constexpr Duration kLoadInterval = std::chrono::seconds{1};
// The journals of purges answer within two seconds, with news or without. An edge that has heard
// none of other data centers' for kIsolatedAfter counts as isolated.
constexpr Duration kPurgeAnswerTimeout = std::chrono::seconds{4};
constexpr Duration kPurgeOrderTimeout = std::chrono::seconds{8};
constexpr Duration kPurgeRetryInterval = std::chrono::milliseconds{500};
constexpr Duration kIsolatedAfter = std::chrono::seconds{6};
// Between two slices of a purge.
constexpr Duration kSweepPause = std::chrono::milliseconds{1};
// Requests that miss wait for each other so long for a head; then each goes by itself.
constexpr Duration kCollapseTimeout = std::chrono::seconds{10};
// So often a request joins another that comes to nothing (its visitor left, it was purged
// meanwhile) before it goes by itself.
constexpr int kMaxWaits = 4;
// Of a body that is not going to be stored, so much is held for readers of different pace.
constexpr uint64_t kFetchWindowBytes = uint64_t{256} * 1024;
// A body that is for storing is finished when nobody reads it any more. So many at the same time,
// and so many bytes that they have still to fetch (of a body whose length is not told,
// max_object_bytes less what there is); past either it is given up. One always goes on.
constexpr size_t kMaxUnreadFetches = 64;
constexpr uint64_t kMaxUnreadFetchBytes = uint64_t{256} * 1024 * 1024;
// The head of a small body waits so long for the rest, to say truly whether it was stored.
constexpr uint64_t kMaxAwaitedBytes = uint64_t{64} * 1024;
constexpr Duration kMaxStoredWait = std::chrono::milliseconds{10};
// Fetches behind visitors' backs, to confirm what is stale, that go on at the same time; past it
// there is none.
constexpr size_t kMaxBackgroundFetches = 256;
// Of a content that is to have a version: its hash is computed in one go (5 ms).
constexpr uint64_t kMaxVersionedBytes = uint64_t{8} * 1024 * 1024;
// For how long visitors and this cache may keep what a versioned path names (a year).
constexpr Duration kVersionLifetime = std::chrono::hours{24 * 365};
// The URLs whose headers waste most: so many are followed, so many told, and those with longer
// names left out.
constexpr size_t kMaxWastefulUrls = 256;
constexpr size_t kMaxWastefulUrlsTold = 32;
constexpr size_t kMaxWastefulUrlBytes = 1024;
// Of so many URLs it is remembered what they answered last; one whose hash falls on another's place
// takes it.
constexpr size_t kRememberedAnswers = 8192;
// Edges that a request may have passed before one that stands alone; past it, it goes in circles.
constexpr int kMaxEdgesPassed = 16;
// What balancers add to an application's head, which had room where it was read.
constexpr size_t kMaxBalancerFields = 4;
constexpr size_t kMaxBalancerHeadBytes = size_t{1} * 1024;
// The access log: a buffer has so much room, of which there are two, and is written when it has so
// many bytes or after so long.
constexpr size_t kAccessBufferBytes = size_t{512} * 1024;
constexpr size_t kAccessFlushBytes = size_t{64} * 1024;
constexpr Duration kAccessFlushInterval = std::chrono::seconds{1};
// In a 503: when to come back.
constexpr uint32_t kRetryAfterSeconds = 1;

}  // namespace meridian::edge
