// The bounds of the simulated world, and the constants of the TCP that it imitates.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::io::sim {

// Turns of loops and events at one instant; past it the world says that time stands still.
inline constexpr uint64_t kMaxStepsAtOneInstant = 1'000'000;
// Turns that a crashed process takes to end its cancelled fibers; past it a loop around a wait does
// not leave on cancellation.
inline constexpr int kMaxDrainIterations = 10'000;

// Bytes of one direction of a connection that were written and not read.
inline constexpr size_t kStreamWindowBytes = size_t{64} * 1024;
// A lost or cut off segment is sent again after the first delay, then after twice that, and so on
// to the most. Linux waits up to two minutes; a simulation that did would only be long.
inline constexpr Duration kFirstRetransmission = std::chrono::milliseconds{200};
inline constexpr Duration kMaxRetransmissionDelay = std::chrono::seconds{2};
// The same for a connection's first segment.
inline constexpr Duration kFirstConnectRetry = std::chrono::seconds{1};
// Times that one segment is lost by chance, in a row.
inline constexpr int kMaxLossesInARow = 5;

// Datagrams that wait to be received at one socket; more are dropped.
inline constexpr size_t kMaxQueuedDatagrams = 256;
inline constexpr uint16_t kFirstEphemeralPort = 32'768;

// What a disk takes or loses as one.
inline constexpr size_t kSectorBytes = 512;

// Lines of a trace that is kept whole; later ones are hashed only.
inline constexpr size_t kMaxTraceLines = 1'000'000;

}  // namespace meridian::io::sim
