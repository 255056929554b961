// A decoded DNS response, for `meridian visit` and for tests. A server writes responses with
// ResponseWriter and never makes one of these.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/query.hpp"
#include "wire/dns/record.hpp"

namespace meridian::wire::dns {

struct Response {
  Header header;
  Rcode rcode = Rcode::kNoError;     // all twelve bits
  std::optional<Question> question;  // a server may omit it in an error
  std::vector<Record> answers;
  std::vector<Record> authorities;
  std::vector<Record> additionals;  // without the OPT record
  std::optional<Edns> edns;

  bool operator==(const Response&) const = default;
};

// Decodes a response. kInvalid: any part is malformed, QR marks a query, there is more than one
// question or OPT, or bytes follow the end. kTooLarge: more than kMaxMessageRecords.
Result<Response> DecodeResponse(Bytes message);

// Whether `response` can be an answer to `query`: the same id and opcode, and the same question in
// the same spelling (including case, so that a client can add entropy by it).
bool Answers(const Response& response, const Query& query);

}  // namespace meridian::wire::dns
