// Versioned paths: /v/VERSION/path, where VERSION is the beginning of the body's SHA-256. Their
// content never changes, so that visitors may keep it. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::edge {

// Hexadecimal digits in lower case: 128 bits, too many to find a second content with the same hash.
constexpr size_t kVersionDigits = 32;

struct VersionedPath {
  std::string_view version;
  std::string_view path;  // the plain one
};

// The parts of `path`. Nothing: `path` belongs to the application; also when browsers would take
// the plain path for another host ("//evil"), or it is, or looks like, a path under /.meridian/.
std::optional<VersionedPath> ParseVersionedPath(std::string_view path);

std::string MakeVersionedPath(const VersionedPath& parts);

// The target (path and query) in the query of /.meridian/version: "/a?b" for "path=%2Fa%3Fb".
// Nothing: there is none, or it is not valid in a request line.
std::optional<std::string> TargetOfQuery(std::string_view query);

}  // namespace meridian::edge
