// A DNS response as its client sees it: decoded whole, for `meridian visit` and for tests. A server
// writes responses with ResponseWriter and never builds one of these.
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
  std::optional<Question> question;  // a server may leave it out of an error
  std::vector<Record> answers;
  std::vector<Record> authorities;
  std::vector<Record> additionals;  // without the OPT record
  std::optional<Edns> edns;

  bool operator==(const Response&) const = default;
};

// Decodes a response. kInvalid when malformed in any part, when QR says that it is a query, when it
// has more than one question or OPT, or bytes behind its end; kTooLarge past kMaxMessageRecords.
Result<Response> DecodeResponse(Bytes message);

// Whether `response` can be an answer to `query`: same id and opcode, and the same question with
// the same spelling (letter case included, so that a client can add entropy to it).
bool Answers(const Response& response, const Query& query);

}  // namespace meridian::wire::dns
