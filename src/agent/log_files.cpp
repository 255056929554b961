#include "agent/log_files.hpp"

#include <cstdint>
#include <filesystem>
#include <system_error>

#include "base/result.hpp"

namespace meridian::agent {

namespace fs = std::filesystem;

Result<void> BoundLogFiles(const fs::path& folder, uint64_t max_bytes) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".log") continue;
    uint64_t size = entry.file_size(error);
    if (error || size <= max_bytes) continue;
    fs::path older = entry.path();
    older += ".1";
    fs::copy_file(entry.path(), older, fs::copy_options::overwrite_existing, error);
    if (!error) fs::resize_file(entry.path(), 0, error);
    if (error) return Fail(Errc::kIo, "{}: {}", entry.path().string(), error.message());
  }
  if (error) return Fail(Errc::kIo, "{}: {}", folder.string(), error.message());
  return {};
}

}  // namespace meridian::agent
