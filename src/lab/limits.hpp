// The lab's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::lab {

// From the start of a data center to its report, beyond what its own time-outs allow.
constexpr Duration kMaxStartTime = std::chrono::minutes{15};
// Of a guard to end its data center at once, before the lab does it.
constexpr Duration kMaxKillTime = std::chrono::seconds{2};
constexpr Duration kOrphanTimeout = std::chrono::seconds{5};
// How long whoever asks the lab for something waits for it: for what is done at once, for the loss
// of a data center, for its start.
constexpr Duration kMaxShortCommandTime = std::chrono::seconds{10};
constexpr Duration kMaxKillCommandTime = std::chrono::seconds{30};
constexpr Duration kMaxStartCommandTime = kMaxStartTime + kMaxKillCommandTime;
// For answers that are on their way when everything has ended.
constexpr Duration kCommandGrace = std::chrono::seconds{1};
// Of the lab, to end what it may have left behind itself.
constexpr Duration kLastKillTimeout = std::chrono::seconds{10};
// Of a request to the lab, which carries no body.
constexpr size_t kMaxCommandBodyBytes = 1024;

// Links: what may be asked of one.
constexpr Duration kMaxLinkDelay = std::chrono::seconds{10};
constexpr uint64_t kMinLinkBits = 8'000;  // a second
// What one connection may have on its way in one direction: then whoever sends waits. At 70 ms it
// carries some 30 MB/s.
constexpr size_t kLinkBufferBytes = size_t{1} << 20;
// One read from a connection.
constexpr size_t kLinkPieceBytes = size_t{16} * 1024;
constexpr size_t kMinLinkPieceBytes = 256;
// How much may wait for its turn at a link with a rate: a router's queue.
constexpr Duration kLinkQueue = std::chrono::milliseconds{50};
// Connections that cross links at the same time, descriptors permitting; more are broken off.
constexpr size_t kMaxLinkedConnections = 4096;
// Descriptors that are left to the lab's other work.
constexpr size_t kSpareDescriptors = 128;
// From a link's end to the data center there, which is on this machine.
constexpr Duration kLinkConnectTimeout = std::chrono::seconds{10};

}  // namespace meridian::lab
