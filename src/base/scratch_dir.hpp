// A new, empty, private folder for one test, in $TMPDIR or /tmp. A CHECK fails if it cannot be
// made. The destructor removes it with its content, as far as it can.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/check.hpp"

namespace meridian {

class ScratchDir {
 public:
  ScratchDir() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "meridian-XXXXXX").string();
    CHECK(!error && mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace meridian
