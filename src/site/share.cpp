#include "site/share.hpp"

#include <array>
#include <climits>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <sys/types.h>
#include <unistd.h>

namespace meridian::site {

namespace fs = std::filesystem;

fs::path SharedPath(std::string_view name) {
  std::array<char, PATH_MAX> path{};
  ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return {};
  fs::path folder =
      fs::path(std::string_view(path.data(), static_cast<size_t>(size))).parent_path();
  for (const fs::path& above : {folder, folder.parent_path()}) {
    fs::path shared = above / "share/meridian" / name;
    std::error_code error;
    if (fs::exists(shared, error)) return shared;
  }
  return {};
}

}  // namespace meridian::site
