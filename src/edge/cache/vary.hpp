// Which of a URL's variants a request gets (RFC 9111 4.1): a response that varies is stored with
// the fields that its Vary names, as its request had them, normalised so that requests that mean
// the same get the same. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

// The names of all Vary fields, in lower case, sorted, each once, separated by commas; empty when
// there are none. Nothing: "*", a field that tells the visitor's address, or more than
// kMaxVaryNames.
std::optional<std::string> ParseVary(const wire::http::HeaderFields& fields);

// The values that `request` has for `names` (as ParseVary gives them), normalised: fields of
// several lines joined, and lists without white space and empty elements; Accept-Encoding to the
// set of codings that are wanted at all; Accept-Language to the languages in their order of
// preference. Absent and empty fields differ. Empty for no names. Nothing: it would be longer than
// kMaxVariantKeyBytes, or another field looks like one of them.
std::optional<std::string> VariantKey(std::string_view names,
                                      const wire::http::HeaderFields& request);

// What a stored response is told from others by.
struct StoredVariant {
  std::string_view names;    // as ParseVary gives them
  std::string_view key;      // as VariantKey gives it, for the request that it answered
  std::string_view codings;  // as CodingsOf gives them
};

// Whether a stored response answers a request with the key `asked`: the keys are the same, or
// differ only by codings that do not matter: the request accepts those of the response, and none
// beside that the origin did not choose when it could have.
bool VariantAnswers(const StoredVariant& stored, std::string_view asked);

// The content codings of a response in lower case, separated by commas; empty: none.
std::string CodingsOf(const wire::http::HeaderFields& response);

}  // namespace meridian::edge
