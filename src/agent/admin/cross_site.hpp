// Decides whether a browser sent a request for a page of another site. A browser adds the password
// that a person gave it to such requests as well. Pure.
#pragma once

#include "wire/http/message.hpp"

namespace meridian::agent {

// By Sec-Fetch-Site (Fetch Metadata, W3C) and Origin (RFC 6454). A person who follows a link to
// here, from a notice say, is no other site: the page that has the link sees nothing of the answer.
// Clients that are no browsers send neither field.
bool IsCrossSite(const wire::http::RequestHead& request);

}  // namespace meridian::agent
