// Invalidation of stored responses by unsafe requests (RFC 9111 4.4). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/http/message.hpp"

namespace meridian::edge {

// A URL of the requested host.
struct InvalidatedTarget {
  std::string path;
  std::optional<std::string> query;

  bool operator==(const InvalidatedTarget&) const = default;
};

// Whether a response invalidates: the method is not known to be safe, and the status is 2xx or 3xx.
bool Invalidates(std::string_view method, int status);

// The target itself, and the URLs in Location and Content-Location when they have the same origin:
// else a site could invalidate the responses of another.
std::vector<InvalidatedTarget> InvalidatedTargets(const wire::http::RequestHead& request,
                                                  bool https,
                                                  const wire::http::HeaderFields& response);

// Whether Content-Location names the target itself (RFC 9110 8.7): then the response to a POST can
// answer a later GET (9.3.3).
bool IsContentOfTarget(const wire::http::RequestHead& request, bool https,
                       const wire::http::HeaderFields& response);

}  // namespace meridian::edge
