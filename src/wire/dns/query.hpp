// DNS queries: decoding with the required reaction to each malformed query, and encoding. Pure;
// both allocate nothing, because every query of a server passes here.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "wire/dns/message.hpp"

namespace meridian::wire::dns {

struct Query {
  uint16_t id = 0;
  Opcode opcode = Opcode::kQuery;
  bool recursion_desired = false;
  std::optional<Question> question{};
  std::optional<Edns> edns{};

  bool operator==(const Query&) const = default;
};

// The server's reaction to a message.
enum class QueryKind : uint8_t {
  kAnswer,          // well-formed: `question` is set, and `edns` when there was an OPT
  kDrop,            // no header, or a response: an answer could start a loop
  kFormatError,     // FORMERR
  kNotImplemented,  // NOTIMP: an opcode other than QUERY
  kBadVersion,      // BADVERS: an EDNS version other than 0 (RFC 6891 section 6.1.3)
};

// Decodes a message from a client. Unless the message is dropped, `*query` holds the valid fields
// up to the first error, enough for the response. FORMERR: QDCOUNT other than 1 (RFC 9619), records
// in the answer section, or in the authority section except IXFR's, a second OPT or one outside the
// additional section or not at the root, an invalid client subnet or one with a scope, any
// truncation, bytes after the end, more records or options than limits.hpp allows.
QueryKind DecodeQuery(Bytes message, Query* query);

// Writes a query and returns its size. CHECKs that `query` has a question, and that `buffer` has at
// least kMinUdpResponseBytes.
size_t EncodeQuery(const Query& query, MutableBytes buffer);

}  // namespace meridian::wire::dns
