// Reads and writes whole small files, and makes private folders. These functions block: call them
// at a program's start or in a BlockingPool.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.hpp"

namespace meridian::io {

// The whole file. kTooLarge: it has more than `limit` bytes.
Result<std::string> ReadFile(const std::string& path, size_t limit);

// Replaces the whole file at `path` and syncs it: after a crash it has its old or its new content,
// never a part. The permissions are `mode`, independent of the umask.
Result<void> WriteFileAtomically(const std::string& path, std::string_view content, mode_t mode);

// Makes the folder (not its parents) with mode 0700. If it exists, checks that it belongs to this
// user and is closed to all others (kPermission).
Result<void> EnsurePrivateFolder(const std::string& folder);

}  // namespace meridian::io
