// Converts between Endpoint and the kernel's sockaddr.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/ip.hpp"

namespace meridian::io {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  SocketAddress() = default;
  explicit SocketAddress(const Endpoint& endpoint);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  // 0.0.0.0:0 if the address is neither IPv4 nor IPv6. A mapped IPv4 address is converted to IPv4.
  Endpoint ToEndpoint() const;
};

}  // namespace meridian::io
