// The limits of the coordinator's client.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.hpp"

namespace meridian::site {

// --- terms
// How often a holder rewrites its key, and a candidate reads it.
constexpr Duration kTermInterval = std::chrono::milliseconds{500};
// A candidate takes the key when it has seen no change of it for this time.
constexpr Duration kTermTimeout = std::chrono::seconds{3};
// A holder holds for this time after it sent its last successful rewrite. The difference to
// kTermTimeout allows for clocks of which one is a sixth faster than another one.
constexpr Duration kTermHold = std::chrono::milliseconds{2500};
// The pause after a request that failed.
constexpr Duration kTermRetry = std::chrono::milliseconds{100};
constexpr size_t kMaxTermHolderBytes = 64;
constexpr size_t kMaxTermRecordBytes = 1024;

// --- etcd
// Of a request to one member: two members that do not answer cost less than kTermHold.
constexpr Duration kEtcdTimeout = std::chrono::milliseconds{700};
constexpr size_t kMaxEtcdMembers = 9;
constexpr size_t kMaxEtcdKeyBytes = 512;
constexpr size_t kMaxEtcdValueBytes = size_t{512} * 1024;
// A value in Base64, and what an answer has beside it.
constexpr size_t kMaxEtcdAnswerBytes = kMaxEtcdValueBytes * 4 / 3 + size_t{64} * 1024;
// Of what a member says of an error.
constexpr size_t kMaxEtcdErrorBytes = 200;

}  // namespace meridian::site
