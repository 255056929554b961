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
// An instance that is replaced because it stays unhealthy: the longest wait for the next try.
constexpr Duration kMaxReplacementWait = std::chrono::minutes{10};

// Probes of tiers at their ops ports. After so much silence a tier is hung; [agent] hung_timeout
// says when it is killed. A process that starts may take longer to answer for the first time.
constexpr Duration kProbeInterval = std::chrono::seconds{1};
constexpr Duration kProbeTimeout = std::chrono::seconds{1};
constexpr Duration kHungAfter = std::chrono::seconds{5};
constexpr Duration kFirstAnswerTimeout = std::chrono::seconds{60};
// A tier or the last instance that is started again takes so long at the most before dns servers
// send visitors elsewhere.
constexpr Duration kRestartGrace = std::chrono::milliseconds{1500};

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
// Where a connection must be made first: that takes two more round trips, of a third of a second
// from one side of the Earth to the other.
constexpr Duration kPeerConnectTimeout = std::chrono::milliseconds{1500};

// A drained data center: answers live for the TTL, and resolvers may be a little late.
constexpr Duration kDrainGrace = std::chrono::seconds{10};
// How long, beyond that, requests that go on are waited for.
constexpr Duration kRequestDrainTimeout = std::chrono::seconds{60};

// From SIGTERM to SIGKILL of a tier, which lets its requests finish first; the application's is in
// site.toml.
constexpr Duration kTierStopTimeout = std::chrono::seconds{10};

// Tiers that cannot be started: the data center's start has failed.
constexpr uint32_t kTierStartAttempts = 3;

// How often it is looked whether certificates are to be renewed.
constexpr Duration kCertificateInterval = std::chrono::hours{1};

// The journal of purges: what it keeps for edges that were away, how large its file may be, and
// how many orders one write to it may take.
constexpr size_t kMaxPurges = 10'000;
constexpr size_t kMaxPurgeBytes = size_t{4} * 1024 * 1024;
constexpr size_t kMaxPurgeFileBytes = size_t{64} * 1024 * 1024;
constexpr size_t kMaxPurgesInBatch = 1000;
// How long an edge's question waits for news, and a purge for the edges unless it says otherwise.
constexpr Duration kPurgePollTimeout = std::chrono::seconds{2};
constexpr Duration kPurgeTimeout = std::chrono::seconds{5};
constexpr Duration kMaxPurgeTimeout = std::chrono::seconds{60};
constexpr size_t kMaxPurgesAwaited = 1000;
// For the edge beside the agent to tell of its work.
constexpr Duration kEdgeAnswerTimeout = std::chrono::milliseconds{1500};

// The admin port.
constexpr size_t kMaxAdminConnections = 256;
constexpr size_t kMaxAdminBody = 64 * 1024;
// What a tier says to operators, and how long it may take.
constexpr size_t kMaxTierAnswer = size_t{1024} * 1024;
constexpr Duration kTierAnswerTimeout = std::chrono::seconds{20};
constexpr Duration kAdminHandshakeTimeout = std::chrono::seconds{5};
constexpr Duration kAdminDrainTimeout = std::chrono::seconds{1};

}  // namespace meridian::agent
