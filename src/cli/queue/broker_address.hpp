// The addresses of Kafka brokers, as people and brokers write them: "HOST:PORT,HOST".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"

namespace meridian::cli {

struct BrokerAddress {
  std::string host;  // a name or an IP address, without brackets
  uint16_t port = 0;

  std::string ToString() const;
  bool operator==(const BrokerAddress&) const = default;
};

// Pure. Without a port: kDefaultKafkaPort. kInvalid: a port is no number, a host is empty, or there
// are none; kTooLarge: more than kMaxBootstrapBrokers.
Result<std::vector<BrokerAddress>> ParseBrokers(std::string_view text);

// The address of a host; asks the system's resolver for a name, which blocks. kNotFound.
Result<Endpoint> Resolve(const BrokerAddress& broker);

}  // namespace meridian::cli
