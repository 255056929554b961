// Segments of seeded entries in a scratch folder, and disks that are full. For tests.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"
#include "watch/log/log_fixture.hpp"
#include "watch/log/segment/block.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/segment_writer.hpp"

namespace meridian::watch {

// A disk that fails as it is told.
class FailingFiles final : public LogFiles {
 public:
  Result<void> WriteAt(int fd, uint64_t offset, std::string_view data) override {
    if (writes_left == 0 || std::filesystem::exists(full_while_there)) {
      ++failed_writes;
      return Fail(code, "write: the test's disk fails");
    }
    --writes_left;
    return LogFiles::WriteAt(fd, offset, data);
  }
  Result<void> Sync(int fd) override {
    if (failing_syncs > 0) {
      --failing_syncs;
      return Fail(Errc::kIo, "sync: the test's disk fails");
    }
    return LogFiles::Sync(fd);
  }
  Result<uint64_t> FreeBytes(const std::string& folder) override {
    if (free_bytes > 0) return free_bytes.load();
    return LogFiles::FreeBytes(folder);
  }

  std::atomic<uint64_t> writes_left = ~uint64_t{0};
  std::atomic<int> failing_syncs = 0;
  std::atomic<int> failed_writes = 0;
  Errc code = Errc::kUnavailable;
  std::string full_while_there;          // the path of a file
  std::atomic<uint64_t> free_bytes = 0;  // 0: those of the machine
};

// The next `lines` entries as a block; they are appended to `entries`, with their sequences.
inline RawBlock MakeBlock(EntryMaker& maker, uint32_t segment, uint32_t first_line, size_t lines,
                          std::vector<LogEntry>* entries) {
  BlockBuilder builder;
  for (size_t i = 0; i < lines; ++i) {
    LogEntry entry = maker.Next();
    builder.Add(entry);
    entry.sequence = uint64_t{segment} << 32 | (first_line + i);
    entries->push_back(std::move(entry));
  }
  return {.segment = segment,
          .first_line = first_line,
          .range = builder.range(),
          .raw = builder.Encode()};
}

}  // namespace meridian::watch
