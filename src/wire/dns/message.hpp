// The common parts of queries and responses: header (RFC 1035 section 4.1.1), question, numbers of
// the IANA registries, and the EDNS0 pseudo-record (RFC 6891). Plain values; an enum may hold a
// number that has no name here.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "wire/dns/name.hpp"

namespace meridian::wire::dns {

enum class Opcode : uint8_t { kQuery = 0 };

enum class RecordType : uint16_t {
  kA = 1,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kHinfo = 13,
  kTxt = 16,
  kAaaa = 28,
  kOpt = 41,
  kSvcb = 64,
  kHttps = 65,
  kIxfr = 251,
  kAxfr = 252,
  kAny = 255,
};

enum class RecordClass : uint16_t { kIn = 1, kChaos = 3, kNone = 254, kAny = 255 };

// Above 15 the upper eight bits are in the OPT record, so only a client that sent an OPT gets them.
enum class Rcode : uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kBadVers = 16,
};

struct Header {
  uint16_t id = 0;
  Opcode opcode = Opcode::kQuery;
  bool response = false;
  bool authoritative = false;
  bool truncated = false;
  bool recursion_desired = false;
  bool recursion_available = false;
  uint8_t low_rcode = 0;  // four bits; see Rcode
  uint16_t question_count = 0;
  uint16_t answer_count = 0;
  uint16_t authority_count = 0;
  uint16_t additional_count = 0;

  bool operator==(const Header&) const = default;
};

// Reads the header and leaves the reader at the question. The reader is not ok() if the message is
// too short.
Header DecodeHeader(ByteReader* reader);
// Writes the header; bits without a field here are zero.
void EncodeHeader(const Header& header, ByteWriter* writer);

struct Question {
  Name name{};
  RecordType type = RecordType::kA;
  RecordClass record_class = RecordClass::kIn;

  bool operator==(const Question&) const = default;
};

// Reads one question of `message` at `*offset` and moves `*offset` behind it. False: malformed.
bool DecodeQuestion(Bytes message, size_t* offset, Question* question);

// The client subnet option (RFC 7871 section 6). Bits of `address` past `source_length` are zero.
// Family 0 (any; length 0), which dig sends for +subnet=0, is kept, because the response must echo
// it.
struct ClientSubnet {
  IpAddress address{};
  uint8_t source_length = 0;
  uint8_t scope_length = 0;
  bool family_unspecified = false;

  bool operator==(const ClientSubnet&) const = default;
};

struct Edns {
  uint16_t udp_size = 0;  // as sent; limits.hpp bounds its effect
  uint8_t upper_rcode = 0;
  uint8_t version = 0;
  bool dnssec_ok = false;
  std::optional<ClientSubnet> subnet{};

  bool operator==(const Edns&) const = default;
};

}  // namespace meridian::wire::dns
