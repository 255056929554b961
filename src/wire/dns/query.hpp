// A DNS query: what a server may be asked, and what it owes to each malformed one. Pure; decoding
// and encoding allocate nothing, because every query of a server passes here.
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

// What a server does with a message that came to it.
enum class QueryKind : uint8_t {
  kAnswer,          // well-formed: `question` is set, and `edns` when there was an OPT
  kDrop,            // no header, or itself a response: an answer could start a loop
  kFormatError,     // FORMERR
  kNotImplemented,  // NOTIMP: an opcode other than QUERY
  kBadVersion,      // BADVERS: an EDNS version other than 0 (RFC 6891 section 6.1.3)
};

// Decodes a message that a client sent. Unless it is dropped, `*query` holds the fields that were
// sound up to the first fault, enough for the response that the kind calls for.
// FORMERR: QDCOUNT other than 1 (RFC 9619), records in the answer section, or in the authority
// section except IXFR's, a second OPT or one outside the additional section or not at the root, a
// bad client subnet or one with a scope, anything cut off, bytes behind the end, more records or
// options than limits.hpp allows.
QueryKind DecodeQuery(Bytes message, Query* query);

// Writes a query, and returns its bytes. CHECKs that `query` has a question, and `buffer` at least
// kMinUdpResponseBytes.
size_t EncodeQuery(const Query& query, MutableBytes buffer);

}  // namespace meridian::wire::dns
