// What the answer to an unsafe request makes out of date (RFC 9111 4.4). Pure.
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

// Whether the answer invalidates at all: the method is not known to be safe, and the status no
// error (2xx, 3xx).
bool Invalidates(std::string_view method, int status);

// The target itself, and where Location and Content-Location point, as far as that has the same
// origin: else one site could empty another's.
std::vector<InvalidatedTarget> InvalidatedTargets(const wire::http::RequestHead& request,
                                                  bool https,
                                                  const wire::http::HeaderFields& response);

// Whether Content-Location says that what the answer has is the target itself (RFC 9110 8.7): then
// the answer to a POST can answer a later GET (9.3.3).
bool IsOfItsOwnTarget(const wire::http::RequestHead& request, bool https,
                      const wire::http::HeaderFields& response);

}  // namespace meridian::edge
