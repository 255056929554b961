// Selects a URL's variant for a request (RFC 9111 4.1). A response with Vary is stored with the
// request's values of the fields that Vary names, normalised so that equivalent requests match.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

// The names of all Vary fields, in lower case, sorted, each once, separated by commas; empty when
// there are none. Nothing: "*", a field that holds the visitor's address, or more than
// kMaxVaryNames.
std::optional<std::string> ParseVary(const wire::http::HeaderFields& fields);

// The values that `request` has for `names` (as ParseVary gives them), normalised: fields of
// several lines joined, and lists without white space and empty elements; Accept-Encoding to the
// set of codings that are accepted; Accept-Language to the languages in their order of preference.
// Absent and empty fields differ. Empty for no names. Nothing: it would be longer than
// kMaxVariantKeyBytes, or the request has a look-alike of one of the fields.
std::optional<std::string> VariantKey(std::string_view names,
                                      const wire::http::HeaderFields& request);

// The selecting values of a stored response.
struct StoredVariant {
  std::string_view names;    // as ParseVary gives them
  std::string_view key;      // as VariantKey gives it, for the request that it answered
  std::string_view codings;  // as CodingsOf gives them
};

// Whether a stored response answers a request with the key `asked`: the keys are equal, or differ
// only in Accept-Encoding, the request accepts the response's codings, and accepts no coding that
// the stored response's request did not accept.
bool VariantAnswers(const StoredVariant& stored, std::string_view asked);

// The content codings of a response in lower case, separated by commas; empty: none.
std::string CodingsOf(const wire::http::HeaderFields& response);

}  // namespace meridian::edge
