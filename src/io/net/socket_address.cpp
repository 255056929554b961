#include "io/net/socket_address.hpp"

#include <cstdint>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace meridian::io {

SocketAddress::SocketAddress(const Endpoint& endpoint) {
  Bytes bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    std::memcpy(&v4->sin_addr, bytes.data(), bytes.size());
    size = sizeof(sockaddr_in);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    std::memcpy(&v6->sin6_addr, bytes.data(), bytes.size());
    size = sizeof(sockaddr_in6);
  }
}

Endpoint SocketAddress::ToEndpoint() const {
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    Bytes bytes(reinterpret_cast<const uint8_t*>(&v4->sin_addr), sizeof v4->sin_addr);
    return {IpAddress::FromBytes(bytes).value(), ntohs(v4->sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    Bytes bytes(reinterpret_cast<const uint8_t*>(&v6->sin6_addr), sizeof v6->sin6_addr);
    return {IpAddress::FromBytes(bytes).value().Unmapped(), ntohs(v6->sin6_port)};
  }
  return {};
}

}  // namespace meridian::io
