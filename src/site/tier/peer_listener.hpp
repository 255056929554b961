// PeerListener: connections between the same tier of different data centers, in both directions, at
// the tier's peer port: mutual TLS by the site's CA. A peer with another site's certificate, or
// none, is refused and logged. Connections in their handshake have a limit of their own, past which
// the oldest of them is closed: strangers never take the room of data centers.
//
// Owned by the tier; one thread: the loop's. Close it before it is destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/net/handshakes.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/tier/tier_process.hpp"

namespace meridian::site {

class PeerListener {
 public:
  // Serves an accepted connection; `allowed` says whether its certificate is that data center's.
  using Serve =
      std::function<io::Task<void>(std::unique_ptr<io::Stream> stream,
                                   std::function<bool(std::string_view data_center)> allowed)>;

  // Opens a new stream to the peer port of a data center, or fails by `deadline`.
  using Dial = std::function<io::Task<Result<std::unique_ptr<io::Stream>>>(TimePoint deadline)>;

  // Listens on the socket called "peer", at the peer port beside `public_port`. Errors name the
  // certificate that could not be used, or the port that is taken.
  static Result<std::unique_ptr<PeerListener>> Open(TierProcess& process, uint16_t public_port);

  void Start(Serve serve);
  io::Task<void> Close();
  // Dials another data center's peer port, which must show its certificate.
  Dial DialOf(const std::string& data_center);

 private:
  PeerListener(TierProcess& process, uint16_t public_port);
  io::Task<void> Accept();
  void Admit(std::unique_ptr<io::Stream> stream);
  bool EvictHandshake();
  io::Task<void> Secure(std::unique_ptr<io::Stream> stream);
  io::Task<void> ServePeer(std::unique_ptr<io::TlsConnection> connection);

  TierProcess& process_;
  const uint16_t port_;
  std::unique_ptr<io::Listener> listener_;
  std::shared_ptr<io::TlsContext> server_tls_;
  std::shared_ptr<io::TlsContext> client_tls_;
  Serve serve_;
  io::Scope accepting_;
  io::Scope connections_;
  io::Handshakes handshakes_;
  size_t served_ = 0;  // connections of data centers
  Counter& evicted_;
  Counter& over_limit_;
  RecurringProblem refused_;
  RecurringProblem crowded_;
};

}  // namespace meridian::site
