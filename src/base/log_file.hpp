// LogFile: a log file of about max_bytes at most, rotated by the process that writes to it. Before
// a line that would make the file too large, NAME is renamed to NAME.1, NAME.1 to NAME.2, and so
// on; the oldest file is replaced.
//
// Several processes and threads may write to one file: one of them rotates it, and the other
// processes reopen it before their next line. A line that is written during a rotation may land in
// NAME.1, or make a file larger than max_bytes; it is not lost. Owned by the log; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian {

constexpr uint64_t kMaxLogFileBytes = 32 * 1024 * 1024;
constexpr int kMaxRotatedLogFiles = 3;

struct LogFileOptions {
  std::string path;  // its folder must exist
  uint64_t max_bytes = kMaxLogFileBytes;
  int max_rotated_files = kMaxRotatedLogFiles;  // 0: the full file is emptied
  // Also redirects this process's standard output and standard error to the file, for output that
  // does not go through the log (a sanitizer, a library).
  bool redirect_stdio = false;
};

class LogFile {
 public:
  // Opens the file for appending, or makes it. Errors: by the errno of open(2), such as kNotFound
  // (no such folder), kPermission and kUnavailable (no free descriptor, disk full).
  static Result<std::unique_ptr<LogFile>> Open(LogFileOptions options);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  // Appends `lines` in one write(2). A full file that cannot be renamed is emptied. False: the
  // write failed (errno says why), and some or all of the lines are lost. After a line that was
  // written in part, the next write begins with a newline.
  bool Write(std::string_view lines);

 private:
  explicit LogFile(LogFileOptions options) : options_(std::move(options)) {}
  bool Reopen();
  void KeepBounds(size_t line_bytes);
  void Rotate();
  std::string RotatedPath(int number) const;  // 0: the file that is written to

  LogFileOptions options_;
  int fd_ = -1;                             // this number stays the same when the file is reopened
  std::mutex mutex_;                        // held while the file is rotated
  std::atomic<bool> ends_in_line_ = false;  // the last write stopped within a line
};

}  // namespace meridian
