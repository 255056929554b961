#include "base/ip.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"

namespace meridian {
namespace {

constexpr size_t kMaxTextBytes = 45;

template <class Int>
bool ParseWhole(std::string_view text, Int* value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

}  // namespace

IpAddress IpAddress::V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress address;
  address.bytes_ = {a, b, c, d};
  return address;
}

Result<IpAddress> IpAddress::FromBytes(Bytes bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) {
    return Fail(Errc::kInvalid, "an IP address has 4 or 16 bytes, not {}", bytes.size());
  }
  IpAddress address;
  address.v4_ = bytes.size() == 4;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

Result<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.size() <= kMaxTextBytes && text.find('\0') == std::string_view::npos) {
    std::array<char, kMaxTextBytes + 1> terminated{};
    std::ranges::copy(text, terminated.begin());
    IpAddress address;
    if (inet_pton(AF_INET, terminated.data(), address.bytes_.data()) == 1) return address;
    if (inet_pton(AF_INET6, terminated.data(), address.bytes_.data()) == 1) {
      address.v4_ = false;
      return address;
    }
  }
  return Fail(Errc::kInvalid, "'{}' is not an IP address", text.substr(0, kMaxTextBytes));
}

bool IpAddress::is_loopback() const {
  IpAddress plain = Unmapped();
  if (plain.v4_) return plain.bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; }) &&
         bytes_[15] == 1;
}

IpAddress IpAddress::Unmapped() const {
  static constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (v4_ || !std::equal(kMapped.begin(), kMapped.end(), bytes_.begin())) return *this;
  return V4(bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
}

IpAddress IpAddress::Masked(int prefix_bits) const {
  CHECK(prefix_bits >= 0 && prefix_bits <= bits());
  IpAddress masked = *this;
  for (int i = 0; i < bits() / 8; ++i) {
    int kept = std::clamp(prefix_bits - i * 8, 0, 8);
    masked.bytes_[static_cast<size_t>(i)] &= static_cast<uint8_t>(0xff00 >> kept);
  }
  return masked;
}

std::string IpAddress::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!v4_) {
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
  }
  // Runs once or twice per request; inet_ntop would go through printf.
  char* at = text.data();
  for (size_t i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, text.data() + text.size(), bytes_[i]).ptr;
  }
  return {text.data(), at};
}

Result<IpPrefix> IpPrefix::Parse(std::string_view text) {
  size_t slash = text.find('/');
  Result<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return Fail(address.error());
  IpPrefix prefix{*address, address->bits()};
  if (slash != std::string_view::npos) {
    if (!ParseWhole(text.substr(slash + 1), &prefix.length) || prefix.length < 0 ||
        prefix.length > address->bits()) {
      return Fail(Errc::kInvalid, "'{}': the length after '/' must be 0 to {}", text,
                  address->bits());
    }
  }
  if (address->Masked(prefix.length) != *address) {
    return Fail(Errc::kInvalid, "'{}' has address bits set after the first {}; write {}/{}", text,
                prefix.length, address->Masked(prefix.length).ToString(), prefix.length);
  }
  return prefix;
}

bool IpPrefix::Contains(const IpAddress& candidate) const {
  return candidate.is_v4() == address.is_v4() && candidate.Masked(length) == address;
}

std::string IpPrefix::ToString() const { return fmt::format("{}/{}", address.ToString(), length); }

Result<Endpoint> Endpoint::Parse(std::string_view text) {
  size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  Result<IpAddress> address = IpAddress::Parse(host);
  uint16_t port = 0;
  if (colon == std::string_view::npos || !address || address->is_v4() == bracketed ||
      !ParseWhole(text.substr(colon + 1), &port)) {
    return Fail(Errc::kInvalid, "'{}' is not ADDRESS:PORT", text);
  }
  return Endpoint{*address, port};
}

std::string Endpoint::ToString() const {
  return fmt::format(fmt::runtime(address.is_v4() ? "{}:{}" : "[{}]:{}"), address.ToString(), port);
}

}  // namespace meridian
