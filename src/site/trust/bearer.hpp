// The proof that a request comes from a process that may read the state directory: its header field
// `Authorization: Bearer SECRET`. A page of another site in a browser cannot send that field. Pure.
#pragma once

#include <string>

#include "site/secret.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {

// Whether the fields show `secret`, which is not empty (CHECK); compared in constant time.
bool ShowsSecret(const wire::http::HeaderFields& fields, const Secret& secret);

// The value of the field.
std::string BearerOf(const Secret& secret);

}  // namespace meridian::site
