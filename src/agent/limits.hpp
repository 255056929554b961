// The agent's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::agent {

// Health checks of instances, while an instance starts and afterwards.
constexpr Duration kStartPollInterval = std::chrono::milliseconds{50};
constexpr Duration kHealthInterval = std::chrono::seconds{1};
constexpr Duration kHealthTimeout = std::chrono::seconds{2};
constexpr uint32_t kHealthMisses = 3;  // in a row: unhealthy
constexpr size_t kMaxHealthBody = 64 * 1024;
// The time that a leaving instance has to finish its requests.
constexpr Duration kLeaveTimeout = std::chrono::seconds{30};
// The maximum wait between replacements while all instances are unhealthy.
constexpr Duration kMaxReplacementWait = std::chrono::minutes{10};

// Probes of tiers at their ops ports. A tier is hung after kHungAfter without an answer, and killed
// after [agent] hung_timeout. A new process gets kFirstAnswerTimeout for its first answer.
constexpr Duration kProbeInterval = std::chrono::seconds{1};
constexpr Duration kProbeTimeout = std::chrono::seconds{1};
constexpr Duration kHungAfter = std::chrono::seconds{5};
constexpr Duration kFirstAnswerTimeout = std::chrono::seconds{60};
// The maximum restart time of a tier or of the last instance before dns servers send visitors
// elsewhere.
constexpr Duration kRestartGrace = std::chrono::milliseconds{1500};

// Output on its way to the watch tier. What a source may hold is a share of all, within bounds:
// with more than 64 sources all of them together may hold more. A frame also counts for the memory
// around it, and takes output of so much time.
constexpr size_t kMaxOutputBufferBytes = size_t{4} * 1024 * 1024;
constexpr size_t kMinSourceBufferBytes = size_t{64} * 1024;
constexpr size_t kMaxSourceBufferBytes = size_t{1} * 1024 * 1024;
constexpr size_t kOutputFrameCost = 192;
constexpr Duration kMaxOutputFrameTime = std::chrono::milliseconds{100};
// Bytes of frames that were sent and not taken; past it nothing is sent.
constexpr size_t kMaxOutputInFlight = size_t{256} * 1024;
// For the tier to answer the first request of a connection, and between connections.
constexpr Duration kWatchAnswerTimeout = std::chrono::seconds{5};
constexpr Duration kMinWatchRetry = std::chrono::milliseconds{50};
constexpr Duration kMaxWatchRetry = std::chrono::seconds{2};
// At the end of a data center, for the tier to take the last lines.
constexpr Duration kOutputFlushTimeout = std::chrono::seconds{1};
// How often the log says of one process that its output is dropped.
constexpr Duration kOutputDropLogInterval = std::chrono::seconds{1};
// For a page of the log: longer than the tier searches and a follower waits.
constexpr Duration kLogPageTimeout = std::chrono::seconds{25};
// Requests for pages of the log that are answered at the same time; further ones get a 503.
constexpr size_t kMaxLogRequests = 32;

// The last lines of an instance's output, kept to explain its end.
constexpr size_t kLastLines = 12;

// The ports for instances: below the usual ephemeral range, and outside the tiers' public, ops and
// peer ports.
constexpr uint16_t kFirstInstancePort = 10000;
constexpr uint16_t kLastInstancePort = 14999;

// Polls of the agents of other data centers.
constexpr Duration kPeerInterval = std::chrono::seconds{1};
constexpr Duration kStartingPeerInterval = std::chrono::milliseconds{100};  // of a peer that starts
constexpr Duration kSettleTimeout = std::chrono::seconds{4};
constexpr Duration kPeerTimeout = std::chrono::milliseconds{800};
// The timeout of a poll that needs a new connection: two more round trips, each up to a third of a
// second.
constexpr Duration kPeerConnectTimeout = std::chrono::milliseconds{1500};

// Added to the TTL of DNS answers in a drain, because resolvers may be a little late.
constexpr Duration kDrainGrace = std::chrono::seconds{10};
// A drain does not wait longer for connections to cease: some clients keep an address for ever, and
// each of them would prolong it. At least the TTL and the grace, where those are longer.
constexpr Duration kMaxDrainTime = std::chrono::minutes{5};
// The time after that in which a drain waits for requests in flight.
constexpr Duration kRequestDrainTimeout = std::chrono::seconds{60};

// From SIGTERM to SIGKILL of a tier, so that it can finish its requests. For the application,
// site.toml sets this time.
constexpr Duration kTierStopTimeout = std::chrono::seconds{10};

// Failed starts of a tier after which the data center's start has failed.
constexpr uint32_t kTierStartAttempts = 3;

// The interval of checks whether certificates must be renewed.
constexpr Duration kCertificateInterval = std::chrono::hours{1};

// The purge journal: the orders that it keeps for unreachable edges, the size of its file, and the
// orders in one write.
constexpr size_t kMaxPurges = 10'000;
constexpr size_t kMaxPurgeBytes = size_t{4} * 1024 * 1024;
constexpr size_t kMaxPurgeFileBytes = size_t{64} * 1024 * 1024;
constexpr size_t kMaxPurgesInBatch = 1000;
// The maximum wait of an edge's poll for new orders, and the default and maximum wait of a purge
// for the edges.
constexpr Duration kPurgePollTimeout = std::chrono::seconds{2};
constexpr Duration kPurgeTimeout = std::chrono::seconds{5};
constexpr Duration kMaxPurgeTimeout = std::chrono::seconds{60};
constexpr size_t kMaxPendingPurges = 1000;
// The timeout for the CDN report of this data center's edge.
constexpr Duration kEdgeAnswerTimeout = std::chrono::milliseconds{1500};

// Readings of the host's state, for the metrics: how often at most, and how long an answer waits
// for one.
constexpr Duration kHostReadInterval = std::chrono::seconds{1};
constexpr Duration kHostReadTimeout = std::chrono::seconds{2};
// Series of block devices and of network devices, each; names in /sys/block; series of processes.
constexpr size_t kMaxHostDevices = 32;
constexpr size_t kMaxDeviceName = 32;
constexpr size_t kMaxBlockDeviceNames = 4096;
constexpr size_t kMaxProcessSubjects = 256;
// Entries of /proc: on a host with more processes, those of the agent's children are not measured.
constexpr size_t kMaxHostProcesses = 16 * 1024;
constexpr size_t kMaxHostFile = size_t{4} * 1024 * 1024;

// The admin port.
constexpr size_t kMaxAdminConnections = 256;
constexpr size_t kMaxAdminBody = 64 * 1024;
// Size and timeout of a tier's answer to an operator.
constexpr size_t kMaxTierAnswer = size_t{1024} * 1024;
constexpr Duration kTierAnswerTimeout = std::chrono::seconds{20};
// The same of a tier's metrics.
constexpr size_t kMaxTierMetrics = size_t{8} * 1024 * 1024;
constexpr Duration kTierMetricsTimeout = std::chrono::milliseconds{1500};
constexpr Duration kTierOrderTimeout = std::chrono::seconds{60};
constexpr Duration kAdminHandshakeTimeout = std::chrono::seconds{5};
constexpr Duration kAdminDrainTimeout = std::chrono::seconds{1};

}  // namespace meridian::agent
