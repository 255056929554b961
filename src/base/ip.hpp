// IP addresses, prefixes and endpoints as values: parsing, printing, comparison; no sockets.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian {

// An IPv4 or IPv6 address. IPv4 is kept in the first four bytes, network order; the rest are zero.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
  // From 4 or 16 bytes in network order; any other length is kInvalid.
  static Result<IpAddress> FromBytes(Bytes bytes);
  // Dotted quad, or RFC 4291 text without zone; nothing else ("127.1" is kInvalid).
  static Result<IpAddress> Parse(std::string_view text);

  bool is_v4() const { return v4_; }
  int bits() const { return v4_ ? 32 : 128; }
  Bytes bytes() const { return {bytes_.data(), v4_ ? size_t{4} : size_t{16}}; }
  bool is_loopback() const;
  // The IPv4 address inside an IPv4-mapped IPv6 address (::ffff:a.b.c.d), else the address itself.
  IpAddress Unmapped() const;
  // The address with all bits after the first `prefix_bits` set to zero.
  IpAddress Masked(int prefix_bits) const;
  std::string ToString() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v4_ = true;
  std::array<uint8_t, 16> bytes_{};
};

// A block of addresses, such as 198.51.100.0/24. Bits after the length are zero.
struct IpPrefix {
  IpAddress address;
  int length = 0;

  // "ADDRESS/LENGTH" or a bare address (its full length). Set bits past the length are kInvalid.
  static Result<IpPrefix> Parse(std::string_view text);
  bool Contains(const IpAddress& candidate) const;
  std::string ToString() const;

  auto operator<=>(const IpPrefix&) const = default;
};

// An address and a port.
struct Endpoint {
  IpAddress address;
  uint16_t port = 0;

  // "1.2.3.4:80" or "[::1]:80".
  static Result<Endpoint> Parse(std::string_view text);
  std::string ToString() const;

  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace meridian
