// The text of --help. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/command/command.hpp"

namespace meridian::cli {

// `path` is the command's full name, such as "meridian cdn report". Descriptions begin at
// `column`.
std::string HelpText(const Command& command, std::string_view path, int column);

}  // namespace meridian::cli
