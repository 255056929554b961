#include "store/snapshot/snapshot.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "store/free_space.hpp"
#include "store/limits.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {
namespace {

constexpr std::string_view kExtension = ".snapshot";
constexpr std::string_view kPartialName = "next.partial";
constexpr size_t kNameDigits = 20;

// Names sort as offsets do.
std::string SnapshotName(uint64_t offset) { return fmt::format("{:020}{}", offset, kExtension); }

bool IsSnapshotName(std::string_view name) {
  if (name.size() != kNameDigits + kExtension.size() || !name.ends_with(kExtension)) return false;
  return name.find_first_not_of("0123456789") == kNameDigits;
}

}  // namespace

SnapshotWriter::SnapshotWriter(Snapshots& snapshots, SnapshotInfo info,
                               std::unique_ptr<io::File> file)
    : snapshots_(snapshots),
      info_(info),
      file_(std::move(file)),
      space_(snapshots.reserve_bytes_) {}

SnapshotWriter::~SnapshotWriter() { snapshots_.writing_ = false; }

io::Task<Result<void>> SnapshotWriter::Write(Bytes bytes) {
  if (file_ == nullptr) co_return Fail(Errc::kClosed, "the snapshot was given up");
  Result<void> written = co_await TakeRoom(bytes.size());
  if (written) written = co_await file_->WriteAt(written_, bytes);
  if (written) {
    written_ += bytes.size();
    co_return written;
  }
  if (written.error().code == Errc::kUnavailable) {
    snapshots_.failed_bytes_ = written_ + bytes.size();
    snapshots_.failed_at_ = (co_await io::ThisFiber{}).loop().Now();
  }
  // A cancelled fiber cannot remove anything: its owner does.
  if (written.error().code != Errc::kCancelled) co_await Abandon();
  co_return written;
}

io::Task<Result<void>> SnapshotWriter::TakeRoom(uint64_t bytes) {
  if (written_ >= next_reading_ || !space_.HasRoomFor(bytes)) {
    auto free = co_await snapshots_.disk_.FreeBytes(snapshots_.folder_);
    if (free) space_.Take(*free, space_.charged(), 0);
    next_reading_ = written_ + kFreeSpaceReadBytes;
  }
  if (!space_.HasRoomFor(bytes)) co_return std::unexpected(snapshots_.NoRoom(bytes));
  space_.Charge(bytes);
  co_return Result<void>{};
}

io::Task<void> SnapshotWriter::Abandon() {
  if (file_ == nullptr) co_return;
  file_ = nullptr;  // an open file takes room also when it has no name
  (void)co_await snapshots_.RemovePartial();
}

io::Task<Result<void>> SnapshotWriter::WriteItems() {
  std::vector<uint8_t> block;
  block.reserve(kBlockHeaderBytes + items_.size());
  chain_.AppendBlock(items_, block);
  items_.clear();
  co_return co_await Write(block);
}

io::Task<Result<void>> SnapshotWriter::Add(Bytes item) {
  CHECK(!chain_.ended());
  if (item.size() > kMaxSnapshotItemBytes) {
    co_return Fail(Errc::kTooLarge, "a snapshot's item of {} bytes; at most {} are allowed",
                   item.size(), kMaxSnapshotItemBytes);
  }
  AppendItem(item, items_);
  if (items_.size() < kSnapshotBlockBytes) co_return Result<void>{};
  co_return co_await WriteItems();
}

io::Task<Result<void>> SnapshotWriter::AddBlock(Bytes block) {
  CHECK(items_.empty());
  if (Result<void> right = chain_.Take(block); !right) co_return right;
  co_return co_await Write(block);
}

io::Task<Result<void>> SnapshotWriter::Commit() {
  if (!items_.empty()) {
    if (auto written = co_await WriteItems(); !written) co_return written;
  }
  if (!chain_.ended()) {
    if (auto written = co_await WriteItems(); !written) co_return written;
  }
  Result<void> finished = co_await Finish();
  if (finished) file_ = nullptr;
  if (!finished && finished.error().code != Errc::kCancelled) co_await Abandon();
  if (!finished) co_return finished;
  co_return co_await snapshots_.RemoveOthers();
}

io::Task<Result<void>> SnapshotWriter::Finish() {
  if (file_ == nullptr) co_return Fail(Errc::kClosed, "the snapshot was given up");
  if (auto synced = co_await file_->Sync(); !synced) co_return synced;
  std::string path = snapshots_.PathOf(SnapshotName(info_.end_offset));
  io::Disk& disk = snapshots_.disk_;
  std::string partial = snapshots_.PathOf(std::string(kPartialName));
  if (auto renamed = co_await disk.Rename(partial, path); !renamed) co_return renamed;
  if (auto synced = co_await disk.SyncFolder(snapshots_.folder_); !synced) co_return synced;
  snapshots_.newest_ = info_;
  snapshots_.failed_bytes_ = 0;
  co_return Result<void>{};
}

SnapshotReader::SnapshotReader(SnapshotInfo info, std::unique_ptr<io::File> file)
    : info_(info), file_(std::move(file)), position_(kSnapshotHeaderBytes) {}

io::Task<Result<std::optional<std::vector<uint8_t>>>> SnapshotReader::NextBlock() {
  if (chain_.ended()) co_return std::nullopt;
  std::vector<uint8_t> block(kBlockHeaderBytes);
  auto header = co_await file_->ReadAt(position_, block);
  if (!header) co_return Fail(header.error());
  Result<size_t> body = BlockBodyBytes(Bytes(block).first(*header));
  if (!body) co_return Fail(Errc::kIo, "snapshot {}: {}", info_.end_offset, body.error().message);
  block.resize(kBlockHeaderBytes + *body);
  auto got = co_await file_->ReadAt(position_ + kBlockHeaderBytes,
                                    MutableBytes(block).subspan(kBlockHeaderBytes));
  if (!got) co_return Fail(got.error());
  block.resize(kBlockHeaderBytes + *got);
  if (Result<void> right = chain_.Take(block); !right) {
    co_return Fail(Errc::kIo, "snapshot {}: {}", info_.end_offset, right.error().message);
  }
  position_ += block.size();
  co_return block;
}

io::Task<Result<std::unique_ptr<Snapshots>>> Snapshots::Open(io::Disk& disk, std::string folder,
                                                             uint64_t reserve_bytes) {
  std::unique_ptr<Snapshots> snapshots(new Snapshots(disk, std::move(folder), reserve_bytes));
  if (auto made = co_await disk.MakeFolder(snapshots->folder_); !made) co_return Fail(made.error());
  auto names = co_await disk.List(snapshots->folder_);
  if (!names) co_return Fail(names.error());
  std::string newest;
  for (const std::string& name : *names) {
    if (IsSnapshotName(name)) newest = name;
  }
  if (!newest.empty()) {
    auto reader = co_await snapshots->OpenFile(newest);
    if (!reader) co_return Fail(reader.error());
    snapshots->newest_ = (*reader)->info();
  }
  if (auto removed = co_await snapshots->RemoveOthers(); !removed) co_return Fail(removed.error());
  // The name of a snapshot that a crashed process has written may be only in the kernel's memory,
  // and the owner releases log records because of it.
  if (auto synced = co_await disk.SyncFolder(snapshots->folder_); !synced) {
    co_return Fail(synced.error());
  }
  co_return snapshots;
}

io::Task<Result<void>> Snapshots::RemoveOthers() {
  auto names = co_await disk_.List(folder_);
  if (!names) co_return Fail(names.error());
  std::string kept = newest_ ? SnapshotName(newest_->end_offset) : "";
  for (const std::string& name : *names) {
    bool ours = IsSnapshotName(name) || name == kPartialName;
    if (!ours || name == kept) continue;
    if (auto removed = co_await disk_.Remove(PathOf(name)); !removed) co_return removed;
  }
  co_return Result<void>{};
}

io::Task<Result<std::unique_ptr<SnapshotReader>>> Snapshots::OpenFile(std::string name) {
  auto file = co_await disk_.Open(PathOf(name), io::OpenMode::kRead);
  if (!file) co_return Fail(file.error());
  std::vector<uint8_t> header(kSnapshotHeaderBytes);
  auto got = co_await (*file)->ReadAt(0, header);
  if (!got) co_return Fail(got.error());
  Result<SnapshotInfo> info = ParseSnapshotHeader(Bytes(header).first(*got));
  if (!info || SnapshotName(info->end_offset) != name) {
    co_return Fail(Errc::kIo, "{}: {}", PathOf(name),
                   info ? "its name is of another offset" : info.error().message);
  }
  co_return std::unique_ptr<SnapshotReader>(new SnapshotReader(*info, std::move(*file)));
}

Error Snapshots::NoRoom(uint64_t bytes) const {
  return {Errc::kUnavailable,
          fmt::format("{}: no room for {} bytes of a snapshot; {} bytes must stay free", folder_,
                      bytes, reserve_bytes_)};
}

io::Task<Result<void>> Snapshots::CheckRoom(uint64_t bytes) {
  auto free = co_await disk_.FreeBytes(folder_);
  if (!free) co_return Result<void>{};  // then writing tells
  FreeSpace space(reserve_bytes_);
  space.Take(*free, 0, 0);
  if (!space.HasRoomFor(bytes)) co_return std::unexpected(NoRoom(bytes));
  co_return Result<void>{};
}

io::Task<Result<void>> Snapshots::RemovePartial() {
  auto removed = co_await disk_.Remove(PathOf(std::string(kPartialName)));
  if (!removed && removed.error().code == Errc::kNotFound) co_return Result<void>{};
  co_return removed;
}

io::Task<Result<std::unique_ptr<SnapshotWriter>>> Snapshots::Begin(SnapshotInfo info,
                                                                   uint64_t min_bytes) {
  if (writing_) co_return Fail(Errc::kExists, "{}: a snapshot is being written", folder_);
  if (newest_ && info.end_offset < newest_->end_offset) {
    co_return Fail(Errc::kInvalid, "{}: a snapshot of offset {} behind one of {}", folder_,
                   info.end_offset, newest_->end_offset);
  }
  writing_ = true;
  auto file = co_await BeginFile(info, min_bytes);
  writing_ = file.has_value();
  if (!file) co_return Fail(file.error());
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(*this, info, std::move(*file)));
  writer->written_ = kSnapshotHeaderBytes;
  co_return writer;
}

io::Task<Result<std::unique_ptr<io::File>>> Snapshots::BeginFile(SnapshotInfo info,
                                                                 uint64_t min_bytes) {
  if (auto removed = co_await RemovePartial(); !removed) co_return Fail(removed.error());
  TimePoint now = (co_await io::ThisFiber{}).loop().Now();
  if (now - failed_at_ < kFailedSnapshotCounts) min_bytes = std::max(min_bytes, failed_bytes_);
  if (auto room = co_await CheckRoom(min_bytes); !room) co_return Fail(room.error());
  auto file = co_await disk_.Open(PathOf(std::string(kPartialName)), io::OpenMode::kCreate);
  if (!file) co_return Fail(file.error());
  std::vector<uint8_t> header;
  AppendSnapshotHeader(info, header);
  if (auto emptied = co_await (*file)->Truncate(0); !emptied) co_return Fail(emptied.error());
  if (auto written = co_await (*file)->WriteAt(0, header); !written) {
    co_return Fail(written.error());
  }
  co_return std::move(*file);
}

io::Task<Result<std::unique_ptr<SnapshotReader>>> Snapshots::ReadNewest() {
  if (!newest_) co_return Fail(Errc::kNotFound, "{}: there is no snapshot", folder_);
  co_return co_await OpenFile(SnapshotName(newest_->end_offset));
}

}  // namespace meridian::store
