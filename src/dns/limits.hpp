// Every limit of the dns tier, with the behavior beyond it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::dns {

// Data centers of a site, as site::kMaxDataCenters. An index of one fits a byte.
inline constexpr size_t kMaxDataCenters = 64;
// Configured places and map entries together; more are refused when the site is loaded.
inline constexpr size_t kMaxPrefixes = 100'000;

// All clients of a block get the same data center. These are the prefix lengths that public
// resolvers send (RFC 7871 section 11.1).
inline constexpr int kIpv4BlockBits = 24;
inline constexpr int kIpv6BlockBits = 56;

// HTTPS records in an answer, for the nearest data centers; a client needs no more.
inline constexpr size_t kMaxHttpsRecords = 8;
// The buffer of a response over TCP. Longer responses are truncated.
inline constexpr size_t kMaxTcpResponseBytes = size_t{16} * 1024;

// TCP (RFC 7766). A longer query is answered with FORMERR and the connection closed; past either
// number of connections a new one is closed at once. A client is an IPv4 address or an IPv6 block.
inline constexpr size_t kMaxTcpQueryBytes = 4096;
inline constexpr size_t kMaxTcpConnections = 1000;
inline constexpr size_t kMaxTcpConnectionsPerClient = 20;
// Timeouts to receive the next whole query, and to send the answers.
inline constexpr Duration kTcpIdleTimeout = std::chrono::seconds{10};
inline constexpr Duration kTcpWriteTimeout = std::chrono::seconds{5};
// After a failed accept (no descriptors left, say).
inline constexpr Duration kTcpAcceptPause = std::chrono::milliseconds{100};

// A UDP thread that has done nothing for so long hangs: the agent starts the tier anew.
inline constexpr Duration kMaxUdpSilence = std::chrono::seconds{3};

// Probes of each data center's edge. Any result but a 200 within the timeout is a miss.
inline constexpr Duration kProbeInterval = std::chrono::seconds{1};
inline constexpr Duration kProbeTimeout = std::chrono::milliseconds{800};
inline constexpr size_t kMaxProbeAnswerBytes = 4096;

// The maximum wait of a new server for its first probes, before it answers queries.
inline constexpr Duration kFirstProbesTimeout = std::chrono::seconds{1};

// Health of a data center: consecutive misses until it is out, and consecutive hits until it is
// back.
inline constexpr int kMissesUntilOut = 3;
inline constexpr int kHitsUntilBack = 2;

// TTL of the answers: bounds in site.toml, and defaults.
inline constexpr Duration kMinTtl = std::chrono::seconds{1};
inline constexpr Duration kMaxTtl = std::chrono::hours{24};
inline constexpr Duration kDefaultTtl = std::chrono::seconds{30};
inline constexpr Duration kLabTtl = std::chrono::seconds{5};

// Spill. A data center above its capacity keeps a share of its clients that reduces its load to
// kSpillTargetShare; below kSpillRelaxShare it takes clients back, in steps.
inline constexpr double kSpillTargetShare = 0.95;
inline constexpr double kSpillRelaxShare = 0.85;
inline constexpr double kSpillRelaxStep = 1.25;
inline constexpr double kMinKeptShare = 0.02;  // 18 steps from here to 1

}  // namespace meridian::dns
