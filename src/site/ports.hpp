// The ports of a site, the same at every data center's address, and the two ports beside each.
// Values; any thread.
#pragma once

#include <cstdint>

#include "site/limits.hpp"

namespace meridian::site {

// Public ports. A port stands here, and not with its tier, when other tiers must know it.
struct Ports {
  uint16_t dns = 5300;
  uint16_t edge = 8080;
  uint16_t edge_https = 8443;
  uint16_t balancer = 8000;
  uint16_t admin = 9000;
  uint16_t session = 6379;
};

// Beside a public port: metrics, health and debugging of the tier, on loopback.
constexpr uint16_t OpsPort(uint16_t public_port) {
  return static_cast<uint16_t>(public_port + kOpsPortOffset);
}
// Beside a public port: for the same tier in other data centers, mutual TLS.
constexpr uint16_t PeerPort(uint16_t public_port) {
  return static_cast<uint16_t>(public_port + kPeerPortOffset);
}

}  // namespace meridian::site
