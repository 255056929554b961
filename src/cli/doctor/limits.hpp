// From where on `meridian doctor` calls something wrong.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::cli {

// Free part of a file system: blocks or inodes.
constexpr double kLowFreePart = 0.1;       // a warning
constexpr double kVeryLowFreePart = 0.03;  // an error
// A large disk with so much left is not nearly full.
constexpr uint64_t kEnoughFreeBytes = uint64_t{50} << 30;
// The configured connections that the descriptor limit allows; below this part it is an error.
constexpr double kMinConnectionPart = 0.25;
// Our sockets wait for connections in lines of this length (io::ListenOptions).
constexpr uint64_t kWantedBacklog = 4096;
constexpr uint64_t kWantedSynBacklog = 1024;
// Outgoing connections to one address need a port each.
constexpr uint64_t kMinLocalPorts = 10'000;
// Overcommit that refuses memory which is never used.
constexpr uint64_t kStrictOvercommit = 2;
// The caches' part of the memory. Tiers need memory for connections, the application for itself.
constexpr double kHighCachePart = 0.6;  // a warning
constexpr double kMaxCachePart = 0.9;   // an error
// The control group's limit of processes and threads, as a multiple of what Meridian needs.
constexpr uint64_t kTaskReserve = 2;
// Certificates.
constexpr Duration kCertificateEndsSoon = std::chrono::hours{24} * 21;
constexpr Duration kCertificateEndsNow = std::chrono::hours{24} * 3;
// Clocks of two data centers: more than this apart, by all that the time of the answer leaves open.
constexpr double kClockApartSeconds = 1;     // a warning
constexpr double kClockFarApartSeconds = 5;  // an error: session tiers refuse such a peer's stamps
constexpr double kClockOffsetSeconds = 0.5;  // that the kernel has still to correct

// The files of /proc and /sys that are read, and of the state directory that are looked at.
constexpr size_t kMaxKernelFile = size_t{1024} * 1024;
constexpr size_t kMaxCertificateFile = size_t{1024} * 1024;
constexpr size_t kMaxStateFiles = 256;

}  // namespace meridian::cli
