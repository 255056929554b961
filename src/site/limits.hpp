// Every limit of site/. Input beyond a limit is refused with an error that names the limit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::site {

// site.toml.
constexpr size_t kMaxSiteFileBytes = size_t{1024} * 1024;
constexpr size_t kMaxSiteLineBytes = 2048;  // bounds the nesting that dotted keys can build
constexpr size_t kMaxTomlDepth = 16;
constexpr size_t kMaxDiagnostics = 100;
constexpr size_t kMaxDataCenters = 64;
constexpr size_t kMaxPublicAddresses = 8;
constexpr size_t kMaxArrayEntries = 4096;  // of any array, such as [[dns.place]]
constexpr size_t kMaxTextBytes = 1024;
constexpr uint32_t kMaxThreads = 64;  // of a tier, and of [agent] cores
constexpr int64_t kMaxWeight = 1000;
constexpr int64_t kMaxCapacityRps = 100'000'000;

// The application.
constexpr size_t kMaxCommandWords = 64;
constexpr size_t kMaxEnvironmentVariables = 128;
constexpr int64_t kMaxInstancesPerDataCenter = 64;
constexpr size_t kMaxWorkers = 64;
constexpr int64_t kMaxWorkerRetries = 10;
constexpr size_t kMaxWorkerGroupBytes = 255;  // as the queue's own limit
constexpr size_t kMaxReleaseBytes = 64;
constexpr size_t kMaxHealthPathBytes = 256;
constexpr Duration kMaxStartTimeout = std::chrono::minutes{10};
constexpr Duration kMaxStopTimeout = std::chrono::minutes{10};
constexpr Duration kMinUnhealthyTimeout = std::chrono::seconds{1};
constexpr Duration kMaxUnhealthyTimeout = std::chrono::hours{1};

// The agent. Below the minimum, tiers of a busy host would count as hung.
constexpr Duration kMinHungTimeout = std::chrono::seconds{6};
constexpr Duration kMaxHungTimeout = std::chrono::hours{1};

// DNS names (RFC 1035 section 2.3.4). The domain leaves room for `<data center>.` before it.
constexpr size_t kMaxLabelBytes = 63;
constexpr size_t kMaxDomainBytes = 253 - kMaxLabelBytes - 1;

// Ports. The highest public port still has its peer port (public + 20000) below 65536.
constexpr uint16_t kOpsPortOffset = 10000;
constexpr uint16_t kPeerPortOffset = 20000;
constexpr uint16_t kMaxPublicPort = 65535 - kPeerPortOffset;

// A tier's process.
constexpr Duration kDrainTimeout = std::chrono::seconds{8};
// A process that has not ended so long after the signal, because a loop hangs, ends at once. Within
// the agent's kTierStopTimeout of 10 s.
constexpr Duration kEndTimeout = std::chrono::seconds{9};
// A probe of readiness waits so long for a loop that hangs. The agent's kProbeTimeout is shorter:
// to it a tier that hangs gives no answer.
constexpr Duration kLoopAnswerTimeout = std::chrono::seconds{5};
// Wait for the agent's first view, after which the tier serves by site.toml alone.
constexpr Duration kFirstViewTimeout = std::chrono::seconds{5};
constexpr size_t kMaxOpsConnections = 64;
constexpr Duration kLoadReportInterval = std::chrono::seconds{1};

// SiteView and the control stream.
constexpr size_t kMaxViewBytes = size_t{1024} * 1024;
constexpr size_t kMaxControlLineBytes = kMaxViewBytes + 64;    // a view and the JSON around it
constexpr size_t kMaxReportedNameBytes = kMaxLabelBytes + 16;  // of an instance: "us-east-12"
// An escaped detail, for each instance its escaped name and some numbers, and the JSON around them.
constexpr size_t kMaxReportBytes =
    8192 + kMaxInstancesPerDataCenter * (6 * kMaxReportedNameBytes + 128);
constexpr size_t kMaxDetailBytes = 1024;
constexpr size_t kMaxViewNameBytes = 255;  // of a data center, instance or release
constexpr size_t kMaxViewInstances = kMaxDataCenters * kMaxInstancesPerDataCenter;
constexpr size_t kMaxAgreementEntries = 64 + 2 * kMaxDataCenters;
constexpr size_t kMaxViewLinks = kMaxDataCenters * (kMaxDataCenters - 1);

// Purges. A value holds any URL of a cache; an answer holds kMaxPurgesInAnswer values of the
// maximum length.
constexpr size_t kMaxPurgeKindBytes = 16;
constexpr size_t kMaxPurgeValueBytes = 8192;
constexpr size_t kMaxPurgesInAnswer = 100;
constexpr size_t kMaxPurgeMessageBytes = kMaxPurgesInAnswer * (kMaxPurgeValueBytes + 128) * 2;

// The CDN report of an edge.
constexpr size_t kMaxCdnTypes = 32;
constexpr size_t kMaxCdnWastes = 64;
constexpr size_t kMaxCdnUrlBytes = 4096;
constexpr size_t kMaxCdnTextBytes = 256;
constexpr size_t kMaxCdnReportBytes = size_t{1024} * 1024;

// The state directory and the site CA.
constexpr size_t kTokenBytes = 32;
constexpr size_t kMaxPemBytes = size_t{64} * 1024;
constexpr Duration kSetupTimeout = std::chrono::seconds{10};  // for another process's setup
constexpr Duration kAuthorityLifetime = std::chrono::days{3652};
constexpr Duration kLeafLifetime = std::chrono::days{365};
constexpr double kRenewedBelowShare = 1.0 / 3;
constexpr Duration kClockSkewAllowed = std::chrono::hours{1};

// At a tier's peer port: connections of other data centers, whose certificate was valid; past the
// limit a further one is closed. Connections in their handshake are counted apart; past that limit
// the oldest of them is closed, so strangers take no room from data centers.
constexpr size_t kMaxPeerConnections = 256;
constexpr size_t kMaxPeerHandshakes = 256;
constexpr Duration kPeerHandshakeTimeout = std::chrono::seconds{5};

}  // namespace meridian::site
