// The cache's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::edge {

// The smallest budget, and how much of a budget there is to each slot of the index.
constexpr size_t kLeastCacheBytes = size_t{1} * 1024 * 1024;
constexpr size_t kBytesPerBucket = 2048;
// Slots of the tag index to each of those.
constexpr size_t kBucketsPerTagBucket = 4;
// A host as long as DNS allows; a request for a longer one is not looked up.
constexpr size_t kMaxKeyHostBytes = 255;
// Field names of one Vary; a response that names more is not stored.
constexpr size_t kMaxVaryNames = 16;
// The normalised values that one variant is told from others by; past it a response is not stored.
constexpr size_t kMaxVariantKeyBytes = size_t{4} * 1024;
// Codings in Accept-Encoding; fields with more get only what answered the same field.
constexpr ptrdiff_t kMaxComparedCodings = 16;
// Variants of one URL; the oldest goes for one more.
constexpr size_t kMaxVariants = 64;
// Of one object: tags past either limit make it unstorable, as it could not be purged by them.
constexpr size_t kMaxTags = 128;
constexpr size_t kMaxTagBytes = 1024;
// A longer purge matches nothing that is stored.
constexpr size_t kMaxPurgeBytes = size_t{16} * 1024;
// Purges that are kept to be held against fetches that began before them. A fetch that is older
// than all of them is not stored.
constexpr size_t kMaxRememberedPurges = 1024;
// A purge goes through the store by slices, between which the loop serves others. A slice looks at
// so many places of the index and so many URLs and responses, and removes so many (with bodies of
// up to max_object_bytes each).
constexpr size_t kSweepBuckets = 64 * 1024;
constexpr size_t kSweepResponses = 4096;
constexpr size_t kSweepRemovals = 256;
// Of a response that is there in part, one contiguous piece is kept. It is put together with a part
// that arrives up to this size, as its bytes are copied in one go.
constexpr uint64_t kMaxCombinedBytes = uint64_t{8} * 1024 * 1024;
// Bodies are kept in chunks of at most this size.
constexpr size_t kChunkBytes = size_t{64} * 1024;
// The name of a content, which each body has room for.
constexpr size_t kMaxVersionBytes = 32;
// For how long, and of how many keys, it is remembered that their answers are not for storing.
constexpr Duration kPassTime = std::chrono::seconds{5};
constexpr size_t kPassSlots = 4096;
// The same of objects that are larger than may be stored: their ranges are fetched by themselves.
constexpr Duration kTooLargeTime = std::chrono::minutes{10};
// Lifetimes are shortened by up to this part of them, so that what was stored together does not
// expire together. Shorter ones than the least are kept as they are.
constexpr int kJitterDivisor = 20;
constexpr Duration kLeastJittered = std::chrono::seconds{10};
// Heuristic freshness (RFC 9111 4.2.2): a tenth of the time since Last-Modified, at most a day.
constexpr int kHeuristicDivisor = 10;
constexpr Duration kMaxHeuristicLifetime = std::chrono::hours{24};
// A Last-Modified is a strong validator when it is so much older than Date (RFC 9110 8.8.2.2).
constexpr Duration kStrongDateMargin = std::chrono::seconds{1};

}  // namespace meridian::edge
