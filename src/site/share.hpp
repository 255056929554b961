// Finds the files that come with the program, in share/meridian. Any thread.
#pragma once

#include <filesystem>
#include <string_view>

namespace meridian::site {

// share/meridian/NAME in the program's folder, or in the parent of that (PREFIX/bin, PREFIX/share):
// a file or a folder. Empty if there is none.
std::filesystem::path SharedPath(std::string_view name);

}  // namespace meridian::site
