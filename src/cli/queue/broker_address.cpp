#include "cli/queue/broker_address.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <netdb.h>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "cli/queue/limits.hpp"

namespace meridian::cli {
namespace {

Result<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    return Fail(Errc::kInvalid, "\"{}\" is not a port", text);
  }
  return port;
}

Result<BrokerAddress> ParseBroker(std::string_view text) {
  BrokerAddress broker{.host = {}, .port = kDefaultKafkaPort};
  std::string_view port;
  if (text.starts_with('[')) {
    size_t end = text.find(']');
    if (end == text.npos) return Fail(Errc::kInvalid, "\"{}\" lacks a ]", text);
    broker.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    // An IPv6 address without brackets has no port.
    size_t colon = text.find(':');
    if (colon != text.npos && text.find(':', colon + 1) != text.npos) colon = text.npos;
    broker.host = text.substr(0, colon);
    if (colon != text.npos) port = text.substr(colon);
  }
  if (broker.host.empty()) return Fail(Errc::kInvalid, "\"{}\" names no host", text);
  if (port.empty()) return broker;
  Result<uint16_t> number = ParsePort(port.substr(1));
  if (!port.starts_with(':') || !number) {
    return Fail(Errc::kInvalid, "\"{}\" is not HOST:PORT", text);
  }
  broker.port = *number;
  return broker;
}

}  // namespace

std::string BrokerAddress::ToString() const {
  bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::vector<BrokerAddress>> ParseBrokers(std::string_view text) {
  std::vector<BrokerAddress> brokers;
  while (!text.empty()) {
    size_t comma = text.find(',');
    Result<BrokerAddress> broker = ParseBroker(text.substr(0, comma));
    if (!broker) return Fail(std::move(broker.error()));
    brokers.push_back(std::move(*broker));
    if (brokers.size() > kMaxBootstrapBrokers) {
      return Fail(Errc::kTooLarge, "more than {} brokers", kMaxBootstrapBrokers);
    }
    text = comma == text.npos ? "" : text.substr(comma + 1);
  }
  if (brokers.empty()) return Fail(Errc::kInvalid, "no broker is named");
  return brokers;
}

Result<Endpoint> Resolve(const BrokerAddress& broker) {
  if (Result<IpAddress> address = IpAddress::Parse(broker.host)) {
    return Endpoint{*address, broker.port};
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int error = getaddrinfo(broker.host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return Fail(Errc::kNotFound, "{}: {}", broker.host, gai_strerror(error));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  std::array<char, NI_MAXHOST> text{};
  error = getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST);
  if (error != 0) return Fail(Errc::kNotFound, "{}: {}", broker.host, gai_strerror(error));
  Result<IpAddress> address = IpAddress::Parse(text.data());
  if (!address) return Fail(std::move(address.error()));
  return Endpoint{*address, broker.port};
}

}  // namespace meridian::cli
