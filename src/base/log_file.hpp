// LogFile: the file that a process logs to, kept within bounds by whoever writes. A line that would
// make it too large first moves it aside: NAME becomes NAME.1, that NAME.2, and so on up to the
// last that is kept.
//
// Several processes may write to one file: one of them moves it, and the others follow before their
// next line, so none writes into a file that was moved. Owned by the log; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian {

constexpr uint64_t kMaxLogFileBytes = 32 * 1024 * 1024;
constexpr int kOlderLogFiles = 3;

struct LogFileOptions {
  std::string path;  // its folder exists
  uint64_t max_bytes = kMaxLogFileBytes;
  int older_files = kOlderLogFiles;
  // The file becomes this process's standard output and standard error too, so that what others
  // write there (a sanitizer, a library) is in it.
  bool take_output = false;
};

class LogFile {
 public:
  // kNotFound, kPermission, kIo: it cannot be written.
  static Result<std::unique_ptr<LogFile>> Open(LogFileOptions options);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  // Appends `lines`, one or several, in one write(2). A file that cannot be moved aside is emptied.
  // False: the file cannot be written, and the lines, or some of them, are lost.
  bool Write(std::string_view lines);

 private:
  explicit LogFile(LogFileOptions options) : options_(std::move(options)) {}
  bool Reopen();
  void KeepBounds(size_t line_bytes);
  void MoveAside();
  std::string Older(int number) const;

  LogFileOptions options_;
  int fd_ = -1;       // the same number as long as this lives, whichever file it stands for
  std::mutex mutex_;  // of who looks after the bounds
};

}  // namespace meridian
