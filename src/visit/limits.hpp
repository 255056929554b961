// Every limit of `meridian visit`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::visit {

// Queries of a look-up, to one server after the other; then the look-up fails.
constexpr size_t kMaxDnsTries = 6;
constexpr size_t kDnsRounds = 2;  // the maximum of queries to the same server
// The time for which a server that did not answer is tried last.
constexpr Duration kSilentServerPause = std::chrono::seconds{10};
// An answer is cached for its TTL, at most this time (RFC 8767 section 4 suggests a week).
constexpr Duration kMaxKeepAnswer = std::chrono::hours{24 * 7};
constexpr size_t kUdpResponseBytes = 4096;  // a longer response is truncated, and then ignored

// Addresses that one visit tries.
constexpr size_t kMaxAddresses = 16;

// A load. At kMaxVisitsAtOnce visits in progress, the next visit waits until one of them ends.
constexpr size_t kMaxVisitsAtOnce = 256;
constexpr uint64_t kMaxRepeat = 1'000'000;
constexpr Duration kMinInterval = std::chrono::milliseconds{1};
constexpr Duration kMaxInterval = std::chrono::hours{1};
// Distinct names that are counted (of data centers, instances, and so on); later names are counted
// together.
constexpr size_t kMaxCountedNames = 256;

// Text from servers.
constexpr size_t kMaxNameBytes =
    128;  // of a data center or instance in Meridian-Path; else ignored
constexpr size_t kMaxShownBytes = 200;  // of a Location field; the rest is cut off

// Limits of a visit. They are members so that tests can lower them.
struct VisitLimits {
  Duration dns_try_timeout = std::chrono::milliseconds{500};
  Duration connect_timeout = std::chrono::seconds{1};    // TCP and TLS, each
  Duration silence_timeout = std::chrono::seconds{5};    // for the head, then for the next bytes
  Duration response_timeout = std::chrono::seconds{60};  // from connecting to the last byte
  uint64_t max_body_bytes = uint64_t{1} << 32;           // a longer response is an error
};

}  // namespace meridian::visit
