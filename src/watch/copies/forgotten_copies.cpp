#include "watch/copies/forgotten_copies.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace meridian::watch {
namespace {

namespace fs = std::filesystem;

uint64_t BytesOf(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator each(folder, error), end; !error && each != end;
       each.increment(error)) {
    std::error_code no_file;
    const uint64_t of_file = each->is_regular_file(no_file) ? each->file_size(no_file) : 0;
    if (!no_file) bytes += of_file;
  }
  return bytes;
}

}  // namespace

std::vector<ForgottenCopy> ForgottenCopies(const fs::path& folder,
                                           std::span<const std::string> data_centers) {
  std::vector<ForgottenCopy> forgotten;
  std::error_code error;
  for (fs::directory_iterator each(folder, error), end; !error && each != end;
       each.increment(error)) {
    std::error_code gone;
    std::string name = each->path().filename().string();
    const bool is_known = std::ranges::find(data_centers, name) != data_centers.end();
    if (is_known || !each->is_directory(gone)) continue;
    forgotten.push_back({.data_center = std::move(name), .bytes = BytesOf(each->path())});
  }
  std::ranges::sort(forgotten, {}, &ForgottenCopy::data_center);
  return forgotten;
}

}  // namespace meridian::watch
