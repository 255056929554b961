// Resource records as owning values, for clients that read responses and for zones. They may
// allocate; the server's hot path makes none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "wire/dns/message.hpp"

namespace meridian::wire::dns {

// NS, CNAME.
struct NameData {
  Name name;

  bool operator==(const NameData&) const = default;
};

// SOA (RFC 1035 section 3.3.13). `minimum_seconds` is the negative TTL (RFC 2308 section 4).
struct SoaData {
  Name primary;
  Name mailbox;  // "hostmaster.photos.example" is hostmaster@photos.example
  uint32_t serial = 0;
  uint32_t refresh_seconds = 0;
  uint32_t retry_seconds = 0;
  uint32_t expire_seconds = 0;
  uint32_t minimum_seconds = 0;

  bool operator==(const SoaData&) const = default;
};

// TXT: one or more strings of at most 255 bytes. HINFO: exactly two, CPU and OS.
struct TextData {
  std::vector<std::string> strings;

  bool operator==(const TextData&) const = default;
};

// SVCB and HTTPS (RFC 9460 section 2). Priority 0 is an alias; an empty (root) target means the
// owner's name. `others` holds parameters without a field here, by ascending key.
struct ServiceBinding {
  struct Parameter {
    uint16_t key = 0;
    std::vector<uint8_t> value;

    bool operator==(const Parameter&) const = default;
  };

  uint16_t priority = 0;
  Name target{};
  std::vector<std::string> alpn{};  // such as "h2"; none written when empty
  std::optional<uint16_t> port{};
  std::vector<IpAddress> ipv4_hints{};
  std::vector<IpAddress> ipv6_hints{};
  std::vector<Parameter> others{};

  bool operator==(const ServiceBinding&) const = default;
};

// Any other type, or a class other than IN: the RDATA as it came.
using OpaqueData = std::vector<uint8_t>;

using RecordData = std::variant<OpaqueData, IpAddress, NameData, SoaData, TextData, ServiceBinding>;

struct Record {
  Name owner;
  RecordType type = RecordType::kA;
  RecordClass record_class = RecordClass::kIn;
  uint32_t ttl_seconds = 0;
  RecordData data;

  bool operator==(const Record&) const = default;
};

// Reads the record of `message` at `*offset` and moves `*offset` behind it. kInvalid: the record is
// truncated, its RDATA is shorter or longer than its type requires, or it breaks a rule of RFC 9460
// section 2.2.
Result<Record> DecodeRecord(Bytes message, size_t* offset);

}  // namespace meridian::wire::dns
