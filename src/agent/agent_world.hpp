// For tests: a site of two data centers on this machine, with a free admin port
// and certificates, and a loop. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "agent/context.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/net/tls.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/trust/ca.hpp"

namespace meridian::agent {

class AgentWorld {
 public:
  AgentWorld() {
    site_.name = "photos";
    site_.domain = "photos.example";
    site_.datacenters = {{.name = "us-east", .address = IpAddress::V4(127, 0, 0, 1)},
                         {.name = "us-west", .address = IpAddress::V4(127, 0, 0, 2)}};
    site_.ports.admin = FreePort();
    ca_ = site::EnsureCa(state_, site_, {"us-east", "us-west"}, SystemClock().Wall()).value();
  }

  // The context of us-east.
  Context MakeContext() {
    return {.site = site_,
            .here = site_.datacenters[0],
            .state_directory = state_.root(),
            .program = "/bin/false",
            .driver = driver_,
            .loop = loop_,
            .network = network_};
  }

  std::shared_ptr<io::TlsContext> ClientTls(const std::string& data_center) {
    return io::TlsContext::ForClient(TlsOf(data_center, io::PeerCertificate::kRequired)).value();
  }
  std::shared_ptr<io::TlsContext> ServerTls(const std::string& data_center) {
    return io::TlsContext::ForServer(TlsOf(data_center, io::PeerCertificate::kOptional)).value();
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  ScratchDir scratch_;
  site::StateDir state_ = site::StateDir::Create(scratch_ / "state").value();
  site::Site site_;
  site::SiteCa ca_;

 private:
  // A port that is free at both addresses, below the ephemeral range.
  static uint16_t FreePort() {
    for (uint16_t port = 20000; port < 30000; ++port) {
      if (io::OpenListeningSocket({IpAddress(), port}, {})) return port;
    }
    CHECK(false);
  }

  io::TlsOptions TlsOf(const std::string& data_center, io::PeerCertificate peer) const {
    std::string own = ca_.datacenters.at(data_center);
    return {.certificate_path = own,
            .key_path = own,
            .authorities_path = ca_.authority,
            .peer = peer,
            .accepted_names = site::PeerNames(site_)};
  }
};

}  // namespace meridian::agent
