// The proof that a request comes from a process that may read the state directory: its header field
// `Authorization: Bearer SECRET`. A page of another site in a browser cannot send that field. And
// the same as a password, `Authorization: Basic …`, for people in a browser and for Prometheus; a
// browser sends that by itself, also for pages of other sites. Pure.
#pragma once

#include <string>
#include <string_view>

#include "site/secret.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {

// Whether the fields show `secret`, which is not empty (CHECK); compared in constant time.
bool ShowsSecret(const wire::http::HeaderFields& fields, const Secret& secret);

// The value of the field.
std::string BearerOf(const Secret& secret);

// Whether the fields show `secret`, which is not empty (CHECK), as the password of any user;
// compared in constant time.
bool ShowsPassword(const wire::http::HeaderFields& fields, const Secret& secret);

// The value of the field for that.
std::string BasicOf(std::string_view user, const Secret& secret);

}  // namespace meridian::site
