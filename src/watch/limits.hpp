// The limits of the watch tier; those of its log store are in log/limits.hpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "watch/log/limits.hpp"

namespace meridian::watch {

// [watch] log_size. The minimum leaves room for a few segments.
constexpr uint64_t kMinLogBytes = uint64_t{64} * 1024 * 1024;
constexpr uint64_t kMaxLogBytes = uint64_t{1} << 50;
static_assert(kMinLogBytes >= kMinStoreBytes);

// [watch] metrics_retention and metrics_size. Prometheus keeps two hours in memory anyway.
constexpr Duration kMinRetention = std::chrono::hours{2};
constexpr Duration kMaxRetention = std::chrono::days{3650};
constexpr uint64_t kMinMetricsBytes = uint64_t{256} * 1024 * 1024;
constexpr uint64_t kMaxMetricsBytes = uint64_t{1} << 50;

// Threads for the log store: one closes segments, the others write and search.
constexpr size_t kPoolThreads = 4;

// Until a store that could not be opened is tried again.
constexpr Duration kOpenRetryInterval = std::chrono::seconds{5};

// --- the port
// Connections. Past it one that waits for its client is closed: strangers cannot lock agents out.
constexpr size_t kMaxPortConnections = 256;
// The head and the body of a request must have come in this time.
constexpr Duration kRequestTimeout = std::chrono::seconds{5};
// A search. Before the agent's timeout, so that the client gets what was found until then.
constexpr Duration kSearchTimeout = std::chrono::seconds{10};
// A follower waits so long for a new entry; then it gets an empty page, and asks again.
constexpr Duration kMaxFollowWait = std::chrono::seconds{10};
// Requests for pages that wait or are being answered; further ones get a 503. A page may have
// kMaxPageMessageBytes.
constexpr size_t kMaxPageRequests = 32;
// Of these, those that search at the same time; further ones wait.
constexpr size_t kMaxAnsweredSearches = 8;

// --- output of processes
// Agents that send output at the same time: one, and those of connections that are not known to be
// dead yet.
constexpr size_t kMaxOutputStreams = 8;
// Sources of one agent: instances of the application and of workers.
constexpr size_t kMaxSources = 8192;
// Bytes of one read.
constexpr size_t kOutputReadBytes = size_t{64} * 1024;
// For an agent to read how much was taken. An agent that hangs has its connection closed.
constexpr Duration kTakenTimeout = std::chrono::seconds{10};

// --- the end of the process
// For requests in flight; then the store has the rest of site::kDrainTimeout to be closed.
constexpr Duration kDrainTime = std::chrono::seconds{2};

// --- reports
constexpr Duration kReportInterval = std::chrono::seconds{1};
// The status tells of refused and lost entries for so long after the last of them.
constexpr Duration kRecentLoss = std::chrono::minutes{5};

}  // namespace meridian::watch
