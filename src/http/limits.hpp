// The limits of HTTP connections: sizes, counts and timeouts. The members of ServerLimits and
// ClientLimits may differ per deployment.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "wire/http/limits.hpp"

namespace meridian::http {

// Size of one read from a connection; a busy connection's buffer has this size.
constexpr size_t kReadBytes = size_t{16} * 1024;
// Size of a read after a read was filled: the body arrives fast.
constexpr size_t kFastReadBytes = size_t{64} * 1024;
// Size of a read while a server waits for a head, so that slow senders occupy little memory.
constexpr size_t kHeadReadBytes = size_t{4} * 1024;
// A write is cut into slices of this size, each with its own deadline: a reader that takes less
// than one slice in ServerLimits::write_timeout is too slow.
constexpr size_t kWriteSliceBytes = size_t{256} * 1024;
// Limit of heads that wait to be sent.
constexpr size_t kMaxWrittenHeadBytes = size_t{64} * 1024;
// Limit of an unread request body that is read in order to keep the connection.
constexpr size_t kMaxDiscardBytes = size_t{64} * 1024;
// Limit of bytes and time for reading a connection after its last answer, so that a reset does not
// destroy the answer. The bytes exceed what the kernels of both ends usually buffer: a client that
// sends as fast as it can sees the answer only after these bytes.
constexpr size_t kMaxLingerBytes = size_t{16} * 1024 * 1024;
constexpr Duration kLingerTimeout = std::chrono::seconds{2};
// How long a server that is about to stop keeps answering new requests; see Server::Drain. Active
// clients use each of their connections within this time.
constexpr Duration kRetireGrace = std::chrono::seconds{1};
// Connections beyond the limit that get a 503 at the same time; further ones are closed without
// answer.
constexpr size_t kMaxRefusing = 64;
// At the limit of connections, TLS handshakes are evicted before idle connections while they are
// more than one in kHandshakeShare: silent clients cannot displace visitors, and visitors who come
// at a limit full of idle connections can finish their handshakes.
constexpr size_t kHandshakeShare = 4;
// Another loop is asked to evict an idle connection only if that has waited so long: what a younger
// one sent may not have been read yet.
constexpr Duration kMinWaitElsewhere = std::chrono::milliseconds{10};
// How often loops are asked to make room for one connection; then it is refused.
constexpr int kMaxEvictionTries = 3;
// The limit of connections counts as no longer reached after this time below it.
constexpr Duration kRoomAfter = std::chrono::seconds{10};
// Limit of 1xx responses before the final response.
constexpr int kMaxInterimResponses = 16;
// Limit of spare buffers of a server or a client.
constexpr size_t kMaxSpareMemories = 1024;
// How often a client closes idle connections that are too old or were closed by the server.
constexpr Duration kIdleSweepInterval = std::chrono::seconds{1};
// Subtracted from the time in a server's Keep-Alive field, for the travel time of the request.
constexpr Duration kKeepAliveMargin = std::chrono::seconds{1};
// How long a forwarded upload waits for the server's 100 (Continue) before it begins anyway (RFC
// 9110 10.1.1 asks not to wait indefinitely).
constexpr Duration kContinueTimeout = std::chrono::seconds{1};
// Size of one read of a tunnel, per direction.
constexpr size_t kTunnelBytes = size_t{16} * 1024;

struct ServerLimits {
  wire::http::HeadLimits head;
  uint64_t max_body_bytes = uint64_t{1} << 30;  // past it: 413
  // Past it a connection that waits for its client is evicted (ServerGroup); where none waits, the
  // new connection gets a 503. Unused by a server in a group, which shares the group's budget.
  size_t max_connections = 10'000;
  Duration handshake_timeout = std::chrono::seconds{10};  // TLS
  Duration header_timeout = std::chrono::seconds{10};     // first byte to end of a head; then 408
  Duration idle_timeout = std::chrono::seconds{60};       // between requests; then closed silently
  Duration body_timeout = std::chrono::seconds{30};       // for the next byte of a body; then 408
  Duration write_timeout = std::chrono::seconds{30};  // for the next slice to be taken; then broken
  // A half-closed client may still be reading, or may be a closed tab: TCP shows the difference
  // only when we send. If nothing was sent for this long, the client counts as gone. (nginx does
  // not wait at all, HAProxy has no limit.)
  Duration half_close_timeout = std::chrono::seconds{10};
};

struct ClientLimits {
  wire::http::HeadLimits head;
  uint64_t max_body_bytes = uint64_t{1} << 40;         // a response's
  size_t max_connections = 256;                        // connections to one upstream
  size_t max_idle = 64;                                // idle connections kept for later requests
  size_t max_waiting = 1024;                           // requests that wait for a connection
  Duration connect_timeout = std::chrono::seconds{3};  // TCP and TLS, each
  Duration wait_timeout = std::chrono::seconds{5};     // for a free connection
  // Shorter than the timeout of common servers (Node: 5 s), so that the client closes first.
  Duration idle_timeout = std::chrono::seconds{4};
  Duration head_timeout = std::chrono::seconds{60};  // for a response's head
  Duration body_timeout = std::chrono::seconds{60};  // for the next byte of a body
  Duration write_timeout = std::chrono::seconds{30};
};

}  // namespace meridian::http
