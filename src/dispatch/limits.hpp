// The dispatcher's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::dispatch {

constexpr size_t kMaxHealthBody = 64 * 1024;
constexpr size_t kMaxRetries = 10;  // of one request; the bound of the key `retries`
constexpr size_t kMaxQueued = 20'000;
constexpr size_t kMaxConnectionsPerInstance = 16 * 1024;
constexpr Duration kConnectTimeout = std::chrono::seconds{2};
// A loop chooses instances by a snapshot for at most this time, as ejections end and slow starts
// advance by the clock alone.
constexpr Duration kSnapshotLife = std::chrono::milliseconds{10};
// The loops' counts of requests are added to the instances' recent counts at least this often while
// requests arrive.
constexpr Duration kCollectInterval = std::chrono::milliseconds{100};
// How long a loop that must connect to an instance waits for the other loops to close idle
// connections to it, when the process has max_in_flight of them. Then it connects all the same: a
// loop that is so slow closes its own soon.
constexpr Duration kMaxCloseWait = std::chrono::milliseconds{100};
// Retry-After of a 503.
constexpr uint32_t kRetryAfterSeconds = 1;

}  // namespace meridian::dispatch
