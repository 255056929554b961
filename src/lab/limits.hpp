// The lab's limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::lab {

// The maximum time from the start of a data center to its report, beyond its own timeouts.
constexpr Duration kMaxStartTime = std::chrono::minutes{15};
// The time that a guard has to kill its data center, before the lab kills it.
constexpr Duration kMaxKillTime = std::chrono::seconds{2};
constexpr Duration kOrphanTimeout = std::chrono::seconds{5};
// Timeouts of clients of the lab: for immediate commands, for a kill, and for a start.
constexpr Duration kMaxShortCommandTime = std::chrono::seconds{10};
constexpr Duration kMaxKillCommandTime = std::chrono::seconds{30};
constexpr Duration kMaxStartCommandTime = kMaxStartTime + kMaxKillCommandTime;
// Time to deliver answers in flight after all data centers have ended.
constexpr Duration kCommandGrace = std::chrono::seconds{1};
// The maximum wait for the death of processes that the lab has left.
constexpr Duration kLastKillTimeout = std::chrono::seconds{10};
// Body of a request to the lab, which needs none.
constexpr size_t kMaxCommandBodyBytes = 1024;

// Settings of a link.
constexpr Duration kMaxLinkDelay = std::chrono::seconds{10};
constexpr uint64_t kMinLinkBits = 8'000;  // a second
// The maximum of bytes in flight in one direction of a connection; beyond it the sender waits. At
// 70 ms this allows about 30 MB/s.
constexpr size_t kLinkBufferBytes = size_t{1} << 20;
// One read from a connection.
constexpr size_t kLinkPieceBytes = size_t{16} * 1024;
constexpr size_t kMinLinkPieceBytes = 256;
// The queue of a link with a rate, like a router's.
constexpr Duration kLinkQueue = std::chrono::milliseconds{50};
// Concurrent connections over links, if there are enough descriptors; more are aborted.
constexpr size_t kMaxLinkedConnections = 4096;
// Descriptors reserved for the lab's other work.
constexpr size_t kSpareDescriptors = 128;
// The connection from a link's end to the data center, which is on this machine.
constexpr Duration kLinkConnectTimeout = std::chrono::seconds{10};

}  // namespace meridian::lab
