// ForgottenCopies: copies of data centers that have left site.toml. They are kept, because their
// lines may be all that is left of that data center; a person removes them. Blocks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace meridian::watch {

struct ForgottenCopy {
  std::string data_center;
  uint64_t bytes = 0;  // of all its files
};

// The folders in `folder` whose names are none of `data_centers`, by name. What cannot be read is
// left out.
std::vector<ForgottenCopy> ForgottenCopies(const std::filesystem::path& folder,
                                           std::span<const std::string> data_centers);

}  // namespace meridian::watch
