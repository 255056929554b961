#include "watch/log/segment/log_folder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/log.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/segment.hpp"
#include "watch/log/segment/segment_format.hpp"
#include "watch/log/segment/segment_writer.hpp"

namespace meridian::watch {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNumberDigits = 10;
constexpr std::string_view kAside = ".log.damaged";
constexpr std::string_view kStart = ".start";

struct NumberedFile {
  uint32_t number = 0;
  std::string suffix;  // ".log"
};

std::optional<NumberedFile> ParseName(std::string_view name) {
  if (name.size() < kNumberDigits) return std::nullopt;
  NumberedFile file{.suffix = std::string(name.substr(kNumberDigits))};
  for (char digit : name.substr(0, kNumberDigits)) {
    bool fits = digit >= '0' && digit <= '9' && file.number <= (UINT32_MAX - 9) / 10;
    if (!fits) return std::nullopt;
    file.number = file.number * 10 + static_cast<uint32_t>(digit - '0');
  }
  return file;
}

// The suffixes of the files of each number.
using Listing = std::map<uint32_t, std::vector<std::string>>;

Result<Listing> ListFolder(const std::string& folder) {
  std::error_code error;
  Listing listing;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::optional<NumberedFile> file = ParseName(entries->path().filename().string());
    if (file) listing[file->number].push_back(std::move(file->suffix));
  }
  if (error) return Fail(ErrnoError(error.value(), folder));
  return listing;
}

uint64_t BytesOf(const std::string& path) {
  std::error_code error;
  auto bytes = fs::file_size(path, error);
  return error ? 0 : bytes;
}

class FolderOpener {
 public:
  FolderOpener(LogFiles& files, const std::string& folder) : files_(files), folder_(folder) {}

  void OpenSegment(uint32_t number) {
    Result<std::shared_ptr<const Segment>> segment = Segment::Open(folder_, number);
    SegmentPaths paths(folder_, number);
    if (segment && HasIndexFile(**segment)) {
      (void)RemoveFile(paths.tail);
      found_.segments.push_back(std::move(*segment));
      return;
    }
    std::error_code error;
    auto bytes = fs::file_size(paths.log, error);
    if (!error && bytes < kSegmentHeaderBytes) {
      // Only its name was made, so there is no line that it could have had.
      for (const std::string& path : {paths.tail, paths.log}) (void)RemoveFile(path);
      return;
    }
    bool was_closed = segment.has_value();
    Result<void> recovered = Recover(number, was_closed);
    while (!recovered && recovered.error().code == Errc::kUnavailable && MakeRoom()) {
      recovered = Recover(number, was_closed);
    }
    if (recovered) return;
    if (was_closed) {  // it can be searched all the same
      found_.segments.push_back(std::move(*segment));
    } else if (recovered.error().code == Errc::kInvalid) {
      SetAside(number, recovered.error());
    } else {
      AddProblem(number, recovered.error().message);
    }
  }

  void AddDamaged(uint32_t number) {
    std::string path = SegmentPaths(folder_, number).log + ".damaged";
    found_.damaged.push_back({.segment = number, .path = path, .bytes = BytesOf(path)});
    found_.problems.push_back(fmt::format("{} is damaged: its lines are missing", path));
  }

  LogFolder& found() { return found_; }

 private:
  static bool HasIndexFile(const Segment& segment) {
    return segment.trailer().index_bytes > 0 &&
           BytesOf(segment.paths().words) == segment.trailer().index_bytes;
  }

  Result<void> Recover(uint32_t number, bool was_closed) {
    SegmentRecovery recovery;
    auto writer = SegmentWriter::Recover(files_, folder_, number, &recovery);
    if (!writer) return Fail(writer.error());
    if (recovery.lines == 0 && recovery.damaged_bytes == 0) return (*writer)->Discard();
    auto segment = (*writer)->Close();
    if (!segment) return Fail(segment.error());
    found_.segments.push_back(std::move(*segment));
    if (recovery.damaged_bytes > 0) {
      AddProblem(number, fmt::format("{} bytes are damaged: their lines are missing",
                                     recovery.damaged_bytes));
    }
    if (was_closed) return {};
    found_.recovered_lines += recovery.lines;
    LOG_INFO("closed a segment of the log store that was open when its process ended",
             {"file", (*writer)->paths().log}, {"lines", recovery.lines},
             {"lines_of_tail", recovery.tail_lines}, {"torn_bytes", recovery.torn_bytes});
    return {};
  }

  // Removes the oldest segment. False: there is none.
  bool MakeRoom() {
    if (found_.segments.empty()) return false;
    (void)found_.segments.front()->Remove();
    LOG_WARNING("the disk is full: removed the oldest segment of the log store",
                {"file", found_.segments.front()->paths().log});
    found_.segments.erase(found_.segments.begin());
    return true;
  }

  void SetAside(uint32_t number, const Error& error) {
    std::string path = SegmentPaths(folder_, number).log;
    LOG_ERROR("a file of the log store is damaged and was set aside", {"file", path},
              {"error", error.message});
    if (Result<void> renamed = RenameFile(path, path + ".damaged"); !renamed) {
      AddProblem(number, renamed.error().message);
      return;
    }
    AddDamaged(number);
  }

  void AddProblem(uint32_t number, std::string_view what) {
    std::string path = SegmentPaths(folder_, number).log;
    LOG_ERROR("lines of the log store are missing", {"file", path}, {"error", what});
    found_.problems.push_back(fmt::format("{}: {}", path, what));
  }

  LogFiles& files_;
  std::string folder_;
  LogFolder found_;
};

}  // namespace

Result<LogFolder> OpenLogFolder(LogFiles& files, const std::string& folder) {
  Result<Listing> listing = ListFolder(folder);
  if (!listing) return Fail(listing.error());
  FolderOpener opener(files, folder);
  for (const auto& [number, suffixes] : *listing) {
    auto has = [&files_of = suffixes](std::string_view suffix) {
      return std::ranges::find(files_of, suffix) != files_of.end();
    };
    opener.found().next_number = std::max(opener.found().next_number, number + 1);
    if (has(kStart)) opener.found().starts.push_back(number);
    if (has(kAside)) opener.AddDamaged(number);
    if (has(".log")) {
      opener.OpenSegment(number);
      (void)RemoveFile(SegmentPaths(folder, number).words + ".new");
      continue;
    }
    // Left when a removal was interrupted.
    for (std::string_view suffix : {".words", ".words.new", ".tail"}) {
      (void)RemoveFile(fmt::format("{}/{:010}{}", folder, number, suffix));
    }
  }
  return std::move(opener.found());
}

Result<void> MarkStart(const std::string& folder, uint32_t number,
                       const std::vector<uint32_t>& earlier) {
  auto path = [&folder](uint32_t of) { return fmt::format("{}/{:010}{}", folder, of, kStart); };
  Result<io::Fd> made = OpenLogFile(path(number), LogFileMode::kCreate);
  if (!made) return Fail(std::move(made.error()));
  Result<void> synced = SyncFolder(folder);
  if (!synced) return synced;
  for (uint32_t each : earlier) (void)RemoveFile(path(each));
  return {};
}

}  // namespace meridian::watch
