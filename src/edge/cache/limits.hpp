// The cache's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::edge {

// The smallest budget, and the bytes of the budget per bucket of the index.
constexpr size_t kMinCacheBytes = size_t{1} * 1024 * 1024;
constexpr size_t kBytesPerBucket = 2048;
// Buckets of the index per bucket of the tag index.
constexpr size_t kBucketsPerTagBucket = 4;
// A host as long as DNS allows; a request for a longer one is not looked up.
constexpr size_t kMaxKeyHostBytes = 255;
// Field names of one Vary; a response that names more is not stored.
constexpr size_t kMaxVaryNames = 16;
// VariantKey of a stored response; a response with a longer one is not stored.
constexpr size_t kMaxVariantKeyBytes = size_t{4} * 1024;
// Codings in Accept-Encoding that are compared; a longer field matches only an equal field.
constexpr ptrdiff_t kMaxComparedCodings = 16;
// Variants of one URL; a further one replaces the oldest.
constexpr size_t kMaxVariants = 64;
// Tags of one response, and bytes of a tag; a response past either limit is not stored, as a purge
// by its further tags would miss it.
constexpr size_t kMaxTags = 128;
constexpr size_t kMaxTagBytes = 1024;
// A longer purge matches no stored response.
constexpr size_t kMaxPurgeBytes = size_t{16} * 1024;
// Purges that are remembered to be matched with fetches that began before them. A fetch that is
// older than all of them is not stored.
constexpr size_t kMaxRememberedPurges = 1024;
// A purge goes through the store in slices, between which the loop serves requests. Per slice:
// buckets of the index, URLs and responses that it looks at, and responses that it removes (with
// bodies of up to max_object_bytes each).
constexpr size_t kSweepBuckets = 64 * 1024;
constexpr size_t kSweepResponses = 4096;
constexpr size_t kSweepRemovals = 256;
// Parts of the store of a process with several loops, by the hash of the key (a power of two), each
// with its mutex. The buckets that a purge goes through while it holds the mutex, and the entries
// that an eviction looks at: a few microseconds of work.
constexpr size_t kStoreShards = 64;
constexpr size_t kSweepLockedBuckets = 32;
constexpr size_t kEvictionSteps = 32;
// How often the hand may go around a shard for one eviction: an entry is passed when it was used,
// and when a loop has served it without the store.
constexpr size_t kEvictionRounds = 3;
// A tag with at most so many responses in one of several shards is purged there by the tag's own
// list, with the mutex held.
constexpr size_t kMaxFewInShard = 16;
// A stored piece is combined with an arriving part up to this size, as the bytes are copied in one
// loop iteration.
constexpr uint64_t kMaxCombinedBytes = uint64_t{8} * 1024 * 1024;
// Bodies are kept in chunks of at most this size.
constexpr size_t kChunkBytes = size_t{64} * 1024;
// Room in each body for its version.
constexpr size_t kMaxVersionBytes = 32;
// PassTable (hit-for-miss): how long a key is remembered, and the number of slots.
constexpr Duration kPassTime = std::chrono::seconds{5};
constexpr size_t kPassSlots = 4096;
constexpr size_t kPassMutexes = 16;
// How long a key is remembered whose object is over max_object_bytes: its ranges are fetched alone.
constexpr Duration kTooLargeTime = std::chrono::minutes{10};
// Lifetimes of at least kMinJitteredLifetime are shortened by up to 1/kJitterDivisor, so that
// responses stored together do not expire together.
constexpr int kJitterDivisor = 20;
constexpr Duration kMinJitteredLifetime = std::chrono::seconds{10};
// Heuristic freshness (RFC 9111 4.2.2): a tenth of the time since Last-Modified, at most a day.
constexpr int kHeuristicDivisor = 10;
constexpr Duration kMaxHeuristicLifetime = std::chrono::hours{24};
// A Last-Modified is a strong validator when it is so much older than Date (RFC 9110 8.8.2.2).
constexpr Duration kStrongDateMargin = std::chrono::seconds{1};

}  // namespace meridian::edge
