// The ports of a site, the same at every data center's address, with the ops and peer port of each.
// Values; any thread.
#pragma once

#include <cstdint>

#include "site/limits.hpp"

namespace meridian::site {

// Public ports that other tiers must know; a tier's other ports are in its own folder.
struct Ports {
  uint16_t dns = 5300;
  uint16_t edge = 8080;
  uint16_t edge_https = 8443;
  uint16_t balancer = 8000;
  uint16_t admin = 9000;
  uint16_t session = 6379;
  uint16_t queue = 9092;
  uint16_t watch = 9600;
  uint16_t prometheus = 9601;
  uint16_t alertmanager = 9602;
};

// The tier's port for metrics, health and debugging, on loopback.
constexpr uint16_t OpsPort(uint16_t public_port) {
  return static_cast<uint16_t>(public_port + kOpsPortOffset);
}
// The tier's port for the same tier of other data centers, by mutual TLS.
constexpr uint16_t PeerPort(uint16_t public_port) {
  return static_cast<uint16_t>(public_port + kPeerPortOffset);
}

}  // namespace meridian::site
