// Finds the program of an engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::agent {

// The first of `names` that is an executable file in a folder of `path` (as PATH is written); all
// folders are searched for a name before the next name. Reads folders: for starts.
std::optional<std::string> FindProgram(const std::vector<std::string>& names,
                                       std::string_view path);

}  // namespace meridian::agent
