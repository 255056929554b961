// Whole small files, read and written at once, and private folders. These block: at a program's
// start, or in a BlockingPool.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.hpp"

namespace meridian::io {

// All of the file. kTooLarge when it has more than `limit` bytes.
Result<std::string> ReadFile(const std::string& path, size_t limit);

// Replaces the file at `path` whole: after a crash it has its old content or the new, synced, never
// a part. The permissions are `mode`, whatever the umask.
Result<void> WriteFileAtomically(const std::string& path, std::string_view content, mode_t mode);

// Makes the folder (not its parents) with mode 0700, or checks that the one that is there belongs
// to this user and is closed to all others (kPermission).
Result<void> EnsurePrivateFolder(const std::string& folder);

}  // namespace meridian::io
