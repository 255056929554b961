// Every bound of `meridian visit`, each with what happens past it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::visit {

// Questions to one server after the other, for one look-up; then the look-up has failed.
constexpr size_t kMaxDnsTries = 6;
constexpr size_t kDnsRounds = 2;  // and none of them more often than this
// A server that did not answer is asked last for so long.
constexpr Duration kSilentServerPause = std::chrono::seconds{10};
// An answer is kept for its TTL, but no longer than this (RFC 8767 section 4 suggests a week).
constexpr Duration kMaxKeepAnswer = std::chrono::hours{24 * 7};
constexpr size_t kUdpResponseBytes = 4096;  // a longer one is cut off, and then ignored

// Addresses that one visit tries.
constexpr size_t kMaxAddresses = 16;

// A load. A request that is due while so many are under way starts when one of them has ended.
constexpr size_t kMaxVisitsAtOnce = 256;
constexpr uint64_t kMaxRepeat = 1'000'000;
constexpr Duration kMinInterval = std::chrono::milliseconds{1};
constexpr Duration kMaxInterval = std::chrono::hours{1};
// Data centers, instances, and so on that are counted by name; those that come later are counted
// together.
constexpr size_t kMaxCountedNames = 256;

// What a server says, as far as it is shown.
constexpr size_t kMaxNameBytes =
    128;  // of a data center or instance in Meridian-Path; else ignored
constexpr size_t kMaxShownBytes = 200;  // of a Location; the rest is cut off

// Of one visit. Members so that tests need not wait, or send, so much.
struct VisitLimits {
  Duration dns_try_timeout = std::chrono::milliseconds{500};
  Duration connect_timeout = std::chrono::seconds{1};    // TCP and TLS, each
  Duration silence_timeout = std::chrono::seconds{5};    // for the head, then for the next bytes
  Duration response_timeout = std::chrono::seconds{60};  // from connecting to the last byte
  uint64_t max_body_bytes = uint64_t{1} << 32;           // a longer response is an error
};

}  // namespace meridian::visit
