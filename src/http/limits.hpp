// The limits of HTTP connections: sizes, counts and waits. Those that a deployment may change are
// members of ServerLimits and ClientLimits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "wire/http/limits.hpp"

namespace meridian::http {

// One read from a connection asks for so much; it is what a busy connection's buffer holds.
constexpr size_t kReadBytes = size_t{16} * 1024;
// A body that fills its reads comes fast: from then on one read asks for so much.
constexpr size_t kFastReadBytes = size_t{64} * 1024;
// While a server waits for a head it asks for less: those who send theirs slowly hold little.
constexpr size_t kHeadReadBytes = size_t{4} * 1024;
// A write is cut into slices of this size, each with its own deadline: a reader that takes less
// than a slice in ServerLimits::write_timeout is too slow.
constexpr size_t kWriteSliceBytes = size_t{256} * 1024;
// A head that we write, or several that wait to be sent with what follows.
constexpr size_t kMaxWrittenHeadBytes = size_t{64} * 1024;
// How much of a request body that its handler did not want is read to keep the connection.
constexpr size_t kMaxDiscardBytes = size_t{64} * 1024;
// How much, and how long, a connection is read after its last answer, so that the answer is not
// lost to a reset. The bytes are more than the kernels of both ends usually hold on the way: a
// client that sends as fast as it can sees the answer only behind them.
constexpr size_t kMaxLingerBytes = size_t{16} * 1024 * 1024;
constexpr Duration kLingerTimeout = std::chrono::seconds{2};
// A server that serves others behind it and is about to leave answers for so long yet; see
// Server::Drain. Clients with anything to do use each of their connections within it.
constexpr Duration kRetireGrace = std::chrono::seconds{1};
// Connections beyond the limit that are told so at the same time; more are closed without a word.
constexpr size_t kMaxRefusing = 64;
// 1xx responses before the final one.
constexpr int kMaxInterimResponses = 16;
// Buffers that wait for the next busy connection, of a server or a client.
constexpr size_t kMaxSpareMemories = 1024;
// How often a client looks for idle connections that are too old or closed by the server.
constexpr Duration kIdleSweepInterval = std::chrono::seconds{1};
// Kept back from what a server's Keep-Alive field promises: the request is on its way meanwhile.
constexpr Duration kKeepAliveMargin = std::chrono::seconds{1};
// How long a forwarded upload waits for the server's 100 (Continue) before it begins regardless
// (RFC 9110 10.1.1 asks not to wait indefinitely).
constexpr Duration kContinueTimeout = std::chrono::seconds{1};
// One read of a tunnel, per direction.
constexpr size_t kTunnelBytes = size_t{16} * 1024;

struct ServerLimits {
  wire::http::HeadLimits head;
  uint64_t max_body_bytes = uint64_t{1} << 30;  // past it: 413
  // Past it the longest idle one goes, else the one that has been longest at its first head, else
  // the new one is told 503.
  size_t max_connections = 10'000;
  Duration handshake_timeout = std::chrono::seconds{10};  // TLS
  Duration header_timeout = std::chrono::seconds{10};     // first byte to end of a head; then 408
  Duration idle_timeout = std::chrono::seconds{60};       // between requests; then closed silently
  Duration body_timeout = std::chrono::seconds{30};       // for the next byte of a body; then 408
  Duration write_timeout = std::chrono::seconds{30};  // for the next slice to be taken; then broken
  // A client that has said it sends no more may be reading on, or be a tab that was closed: TCP
  // tells the two apart only when we send. Told nothing for so long, it counts as gone. (nginx does
  // not wait at all, HAProxy without end.)
  Duration half_close_timeout = std::chrono::seconds{10};
};

struct ClientLimits {
  wire::http::HeadLimits head;
  uint64_t max_body_bytes = uint64_t{1} << 40;         // a response's
  size_t max_connections = 256;                        // to one upstream
  size_t max_idle = 64;                                // of these, kept for later requests
  size_t max_waiting = 1024;                           // requests that wait for a connection
  Duration connect_timeout = std::chrono::seconds{3};  // TCP and TLS, each
  Duration wait_timeout = std::chrono::seconds{5};     // for a free connection
  // Shorter than what common servers keep (Node: 5 s), so that we close first.
  Duration idle_timeout = std::chrono::seconds{4};
  Duration head_timeout = std::chrono::seconds{60};  // for a response's head
  Duration body_timeout = std::chrono::seconds{60};  // for the next byte of a body
  Duration write_timeout = std::chrono::seconds{30};
};

}  // namespace meridian::http
