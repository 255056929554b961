// The limits of the simulated world, and the constants of its TCP.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::io::sim {

// Loop iterations and events at one instant. Past it the run fails: time stands still.
inline constexpr uint64_t kMaxStepsAtOneInstant = 1'000'000;
// Loop iterations in which a crashed process must end its cancelled fibers. Past it the run fails:
// some loop around a wait ignores cancellation.
inline constexpr int kMaxDrainIterations = 10'000;

// Unread bytes of one direction of a connection.
inline constexpr size_t kStreamWindowBytes = size_t{64} * 1024;
// A lost or cut segment is retransmitted after the first delay, then after twice that, and so on up
// to the maximum. Linux waits up to two minutes, which would only make simulations longer.
inline constexpr Duration kFirstRetransmission = std::chrono::milliseconds{200};
inline constexpr Duration kMaxRetransmissionDelay = std::chrono::seconds{2};
// The same for a connection's first segment.
inline constexpr Duration kFirstConnectRetry = std::chrono::seconds{1};
// Consecutive random losses of one segment.
inline constexpr int kMaxLossesInARow = 5;

// Datagrams queued at one socket; more are dropped.
inline constexpr size_t kMaxQueuedDatagrams = 256;
inline constexpr uint16_t kFirstEphemeralPort = 32'768;

// The unit that a disk writes or loses as a whole.
inline constexpr size_t kSectorBytes = 512;

// Lines of a kept trace; later lines are only hashed.
inline constexpr size_t kMaxTraceLines = 1'000'000;

}  // namespace meridian::io::sim
