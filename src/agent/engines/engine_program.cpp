#include "agent/engines/engine_program.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace meridian::agent {

std::optional<std::string> FindProgram(const std::vector<std::string>& names,
                                       std::string_view path) {
  for (const std::string& name : names) {
    for (std::string_view rest = path; !rest.empty();) {
      const std::string_view folder = rest.substr(0, rest.find(':'));
      rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
      if (folder.empty()) continue;  // it would be the working directory
      const std::filesystem::path file = std::filesystem::path(folder) / name;
      std::error_code error;
      if (std::filesystem::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0) {
        return file.string();
      }
    }
  }
  return std::nullopt;
}

}  // namespace meridian::agent
