// The body of a request as one text, for handlers of small messages.
#pragma once

#include <string>

#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::http {

// Reads to the end of the body, whose size ServerLimits::max_body_bytes limits. After an error the
// server answers the client itself: the handler only returns.
io::Task<Result<std::string>> ReadWholeBody(Exchange& exchange);

}  // namespace meridian::http
