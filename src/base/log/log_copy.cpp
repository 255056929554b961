#include "base/log/log_copy.hpp"

#include <memory>
#include <utility>

#include "base/log_file.hpp"
#include "base/result.hpp"

namespace meridian {
namespace {

std::unique_ptr<LogFile>& Copy() {
  static std::unique_ptr<LogFile> copy;
  return copy;
}

}  // namespace

Result<void> CopyLogTo(LogFileOptions options) {
  auto file = LogFile::Open(std::move(options));
  if (!file) return Fail(file.error());
  Copy() = std::move(*file);
  return {};
}

void EndLogCopy() { Copy() = nullptr; }

LogFile* CopyOfLog() { return Copy().get(); }

}  // namespace meridian
