#include "watch/own_lines/log_trail.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.hpp"
#include "watch/own_lines/limits.hpp"

namespace meridian::watch {
namespace {

bool IsFileOf(const TrailPosition& position, const SeenFile& file) {
  return file.identity == position.file && file.bytes >= position.offset &&
         (position.head == 0 || position.head == file.head);
}

std::optional<size_t> FindFile(const TrailPosition& position, std::span<const SeenFile> files) {
  for (size_t i = 0; i < files.size(); ++i) {
    if (IsFileOf(position, files[i])) return i;
  }
  return std::nullopt;
}

// Also if the clock was set back meanwhile.
bool IsSettled(const SeenFile& file, WallTime now) {
  return now < file.changed || now - file.changed >= kRotationGrace;
}

// The file of the position was removed or emptied. What was written before it is known.
std::optional<TrailStep> AfterGap(const TrailPosition& position, std::span<const SeenFile> files) {
  for (size_t i = files.size(); i-- > 0;) {
    const bool emptied = files[i].identity == position.file;
    if (files[i].bytes > 0 && (emptied || files[i].written > position.written)) {
      return TrailStep{.file = i, .begins = true, .gap = true};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<TrailStep> NextStep(const std::optional<TrailPosition>& position,
                                  std::span<const SeenFile> files, WallTime now) {
  if (files.empty()) return std::nullopt;
  if (!position) {
    if (files[0].bytes == 0) return std::nullopt;
    const uint64_t skipped =
        files[0].bytes > kFirstTrailBytes ? files[0].bytes - kFirstTrailBytes : 0;
    return TrailStep{.offset = skipped, .begins = true, .mid_line = skipped > 0};
  }
  std::optional<size_t> file = FindFile(*position, files);
  if (!file) return AfterGap(*position, files);
  if (position->offset < files[*file].bytes) {
    return TrailStep{.file = *file, .offset = position->offset};
  }
  if (*file == 0 || !IsSettled(files[*file], now)) return std::nullopt;
  return TrailStep{.file = *file - 1, .begins = true};
}

uint64_t UnreadBytes(const TrailPosition& position, std::span<const SeenFile> files) {
  std::optional<size_t> file = FindFile(position, files);
  if (!file) return 0;
  uint64_t bytes = files[*file].bytes - position.offset;
  for (size_t i = 0; i < *file; ++i) bytes += files[i].bytes;
  return bytes;
}

}  // namespace meridian::watch
