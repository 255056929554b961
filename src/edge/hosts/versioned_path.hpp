// Paths that name the content which is found there: /v/VERSION/path, where VERSION is the beginning
// of the body's SHA-256. What is served there never changes, so that visitors keep it for good.
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::edge {

// Hexadecimal digits in lower case: 128 bits, which nobody finds a second content for.
constexpr size_t kVersionDigits = 32;

struct VersionedPath {
  std::string_view version;
  std::string_view path;  // the plain one
};

// The parts of `path`. Nothing: it is an application's own, as one is whose plain path browsers
// would take for another host ("//evil"), or which is or pretends to be Meridian's.
std::optional<VersionedPath> ParseVersionedPath(std::string_view path);

std::string MakeVersionedPath(const VersionedPath& parts);

// The target (path and query) that the query of /.meridian/version asks about: of "path=%2Fa%3Fb"
// it is "/a?b". Nothing: there is none, or it could not stand in a request line.
std::optional<std::string> TargetOfQuery(std::string_view query);

}  // namespace meridian::edge
