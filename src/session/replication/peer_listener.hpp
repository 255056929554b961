// PeerListener: connections between the session tiers of data centers, in both directions: mutual
// TLS by the site's CA. A peer with another site's certificate, or none, is refused and logged.
//
// Owned by the Session; one thread: the loop's. Close before it goes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/recurring_problem.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/tier/tier_process.hpp"
#include "store/mirror/mirror_client.hpp"

namespace meridian::session {

class PeerListener {
 public:
  // Serves an accepted connection; `allowed` says whether its certificate is that data center's.
  using Serve =
      std::function<io::Task<void>(std::unique_ptr<io::Stream> stream,
                                   std::function<bool(std::string_view data_center)> allowed)>;

  // Errors name the certificate that could not be used, or the port that is taken.
  static Result<std::unique_ptr<PeerListener>> Open(site::TierProcess& process);

  void Start(Serve serve);
  io::Task<void> Close();
  // Dials another data center's peer port, which must show its certificate.
  store::MirrorClient::Dial DialOf(const std::string& data_center);

 private:
  explicit PeerListener(site::TierProcess& process);
  io::Task<void> Accept();
  io::Task<void> Admit(std::unique_ptr<io::Stream> stream);

  site::TierProcess& process_;
  std::unique_ptr<io::Listener> listener_;
  std::shared_ptr<io::TlsContext> server_tls_;
  std::shared_ptr<io::TlsContext> client_tls_;
  Serve serve_;
  io::Scope accepting_;
  io::Scope connections_;
  RecurringProblem refused_;
};

}  // namespace meridian::session
