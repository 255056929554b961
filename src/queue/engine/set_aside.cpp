#include "queue/engine/set_aside.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/partition_log.hpp"

namespace meridian::queue {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr std::string_view kFrom = "-from-";
constexpr std::string_view kBeforeEpoch = "-before-epoch-";
constexpr std::string_view kSuffix = ".batches";

// Takes what is behind the last `separator` off the text, as a number.
template <class Number>
bool TakeNumber(std::string_view& text, std::string_view separator, Number& number) {
  const size_t at = text.rfind(separator);
  if (at == std::string_view::npos) return false;
  const std::string_view digits = text.substr(at + separator.size());
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  text = text.substr(0, at);
  return whole && !digits.starts_with('-');
}

// Appends the batches to `file`. What is damaged ends it, and is told in `result`.
io::Task<Result<void>> CopyBatches(PartitionLog& log, int64_t offset, io::File& file,
                                   SetAsideFile& result) {
  const int64_t end = log.end_offset();
  std::vector<uint8_t> bytes;
  while (offset < end) {
    auto range =
        co_await log.Read({.offset = offset, .max_bytes = kReadBytes, .limit_offset = end});
    if (!range) {
      result.problem = range.error().message;
      co_return Result<void>{};
    }
    if (range->bytes == 0) co_return Result<void>{};
    bytes.resize(range->bytes);
    Result<size_t> got = co_await range->file->ReadAt(range->position, bytes);
    if (!got || *got != bytes.size()) {
      result.problem = got ? "a segment file is too short" : got.error().message;
      co_return Result<void>{};
    }
    Result<void> written = co_await file.WriteAt(result.bytes, bytes);
    if (!written) co_return written;
    result.bytes += bytes.size();
    offset = range->next_offset;
  }
  co_return Result<void>{};
}

}  // namespace

std::string SetAsideFileName(std::string_view partition, int64_t from_offset, int32_t epoch) {
  return fmt::format("{}{}{}{}{}{}", partition, kFrom, from_offset, kBeforeEpoch, epoch, kSuffix);
}

std::optional<SetAsideName> ParseSetAsideFileName(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  SetAsideName parsed;
  const bool right = TakeNumber(name, kBeforeEpoch, parsed.epoch) &&
                     TakeNumber(name, kFrom, parsed.from_offset) &&
                     TakeNumber(name, "-", parsed.partition);
  if (!right || name.empty()) return std::nullopt;
  parsed.topic = name;
  return parsed;
}

io::Task<Result<SetAsideFile>> WriteSetAsideFile(io::Disk& disk, PartitionLog& log,
                                                 SetAsideOptions options) {
  SetAsideFile result{.path =
                          options.folder + "/" +
                          SetAsideFileName(options.partition, options.from_offset, options.epoch)};
  Result<void> done = co_await disk.MakeFolder(options.folder);
  if (!done) co_return Fail(std::move(done.error()));
  if (auto earlier = co_await disk.Open(result.path, io::OpenMode::kRead)) {
    auto size = co_await (*earlier)->Size();
    if (!size) co_return Fail(std::move(size.error()));
    result.bytes = *size;
    co_return result;
  }
  auto free = co_await disk.FreeBytes(options.folder);
  if (!free) co_return Fail(std::move(free.error()));
  if (*free < options.headroom_bytes + log.bytes()) {
    co_return Fail(Errc::kUnavailable, "no room on the disk for messages that are set aside");
  }
  const std::string unfinished = result.path + ".new";
  // A file whose sync failed is not written to again.
  done = co_await disk.Remove(unfinished);
  if (!done && done.error().code != Errc::kNotFound) co_return Fail(std::move(done.error()));
  auto file = co_await disk.Open(unfinished, io::OpenMode::kCreateNew);
  if (!file) co_return Fail(std::move(file.error()));
  done = co_await CopyBatches(log, options.from_offset, **file, result);
  if (done) done = co_await (*file)->Sync();
  if (done) done = co_await disk.Rename(unfinished, result.path);
  if (done) done = co_await disk.SyncFolder(options.folder);
  if (!done) co_return Fail(std::move(done.error()));
  co_return result;
}

}  // namespace meridian::queue
