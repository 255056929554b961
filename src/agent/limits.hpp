// The agent's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::agent {

// Health checks of instances: while one starts, and afterwards.
constexpr Duration kStartPollInterval = std::chrono::milliseconds{50};
constexpr Duration kHealthInterval = std::chrono::seconds{1};
constexpr Duration kHealthTimeout = std::chrono::seconds{2};
constexpr uint32_t kHealthMisses = 3;  // in a row: unhealthy
constexpr size_t kMaxHealthBody = 64 * 1024;
// An instance that is to be restarted finishes its requests; longer ones are cut short.
constexpr Duration kLeaveTimeout = std::chrono::seconds{30};
// What an instance printed last, kept to explain why it ended.
constexpr size_t kLastLines = 12;

// The ports that instances are given: below the usual ephemeral range, and apart from the tiers'
// ports with theirs for operation and peers.
constexpr uint16_t kFirstInstancePort = 10000;
constexpr uint16_t kLastInstancePort = 14999;

// Questions to the agents of other data centers.
constexpr Duration kPeerInterval = std::chrono::seconds{1};
constexpr Duration kStartingPeerInterval = std::chrono::milliseconds{100};  // of one that starts
constexpr Duration kSettleTimeout = std::chrono::seconds{4};
constexpr Duration kPeerTimeout = std::chrono::milliseconds{800};

// A drained data center: answers live for the TTL, and resolvers may be a little late.
constexpr Duration kDrainGrace = std::chrono::seconds{10};

// Tiers that cannot be started: the data center's start has failed.
constexpr uint32_t kTierStartAttempts = 3;

// The admin port.
constexpr size_t kMaxAdminConnections = 256;
constexpr size_t kMaxAdminBody = 64 * 1024;
constexpr Duration kAdminHandshakeTimeout = std::chrono::seconds{5};
constexpr Duration kAdminDrainTimeout = std::chrono::seconds{1};

// A tier's log file that has grown past this is moved aside (one older file is kept).
constexpr uint64_t kMaxLogBytes = 32 * 1024 * 1024;
constexpr Duration kLogCheckInterval = std::chrono::seconds{5};

}  // namespace meridian::agent
