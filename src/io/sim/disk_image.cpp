#include "io/sim/disk_image.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/sim/limits.hpp"

namespace meridian::io::sim {
namespace {

std::string FolderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::unexpected<Error> FailNotFound(const std::string& path) {
  return Fail(Errc::kNotFound, "{}: no such file or folder", path);
}

}  // namespace

void DiskImage::Apply(const Inode::Change& change, std::string& content) {
  if (change.bytes.empty()) {
    content.resize(change.offset);
    return;
  }
  content.resize(std::max<size_t>(content.size(), change.offset + change.bytes.size()));
  content.replace(change.offset, change.bytes.size(), change.bytes);
}

void DiskImage::Apply(const NameChange& change, Names& names) {
  if (change.inode == nullptr) {
    names.erase(change.path);
  } else {
    names[change.path] = change.inode;
  }
}

void DiskImage::SetName(const std::string& path, std::shared_ptr<Inode> inode) {
  unsynced_names_.push_back({path, std::move(inode)});
  Apply(unsynced_names_.back(), names_);
}

Result<std::shared_ptr<DiskImage::Inode>> DiskImage::Open(const std::string& path, OpenMode mode) {
  auto found = names_.find(path);
  if (found != names_.end()) {
    if (mode == OpenMode::kCreateNew) return Fail(Errc::kExists, "{}: the file exists", path);
    return found->second;
  }
  if (mode == OpenMode::kRead || mode == OpenMode::kWrite) return FailNotFound(path);
  std::string folder = FolderOf(path);
  if (!folders_.contains(folder)) return FailNotFound(folder);
  auto inode = std::make_shared<Inode>();
  SetName(path, inode);
  return inode;
}

Result<void> DiskImage::Write(Inode& inode, uint64_t offset, Bytes data) {
  if (data.empty()) return {};
  uint64_t end = offset + data.size();
  uint64_t grows = end > inode.content.size() ? end - inode.content.size() : 0;
  if (grows > 0 && !HasRoomFor(grows)) {
    return Fail(Errc::kUnavailable, "no space left on the disk");
  }
  Inode::Change change{.offset = offset, .bytes = std::string(AsText(data))};
  if (random_.Chance(faults.flips_per_write)) {
    uint64_t bit = random_.Below(data.size() * 8);
    char& byte = change.bytes[bit / 8];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
  }
  Apply(change, inode.content);
  inode.unsynced.push_back(std::move(change));
  return {};
}

Result<void> DiskImage::Truncate(Inode& inode, uint64_t bytes) {
  if (bytes > inode.content.size() && !HasRoomFor(bytes - inode.content.size())) {
    return Fail(Errc::kUnavailable, "no space left on the disk");
  }
  inode.unsynced.push_back({.offset = bytes, .bytes = {}});
  Apply(inode.unsynced.back(), inode.content);
  return {};
}

Result<void> DiskImage::Sync(Inode& inode, size_t changes) {
  if (random_.Chance(faults.sync_failures)) return Fail(Errc::kIo, "sync failed");
  changes = std::min(changes, inode.unsynced.size());
  auto end = inode.unsynced.begin() + static_cast<std::ptrdiff_t>(changes);
  for (auto change = inode.unsynced.begin(); change != end; ++change) {
    Apply(*change, inode.durable);
  }
  inode.unsynced.erase(inode.unsynced.begin(), end);
  inode.synced_changes += changes;
  return {};
}

Result<void> DiskImage::Rename(const std::string& from, const std::string& to) {
  auto found = names_.find(from);
  if (found == names_.end()) return FailNotFound(from);
  std::string folder = FolderOf(to);
  if (!folders_.contains(folder)) return FailNotFound(folder);
  std::shared_ptr<Inode> inode = found->second;
  if (from == to) return {};
  SetName(to, std::move(inode));
  SetName(from, nullptr);
  return {};
}

Result<void> DiskImage::Remove(const std::string& path) {
  if (!names_.contains(path)) return FailNotFound(path);
  SetName(path, nullptr);
  return {};
}

Result<std::vector<ListedFile>> DiskImage::ListSizes(const std::string& folder) const {
  if (!folders_.contains(folder)) return FailNotFound(folder);
  std::vector<ListedFile> files;
  for (const auto& [path, inode] : names_) {
    if (FolderOf(path) != folder) continue;
    files.push_back({.name = path.substr(path.rfind('/') + 1), .bytes = inode->content.size()});
  }
  return files;
}

Result<std::vector<std::string>> DiskImage::List(const std::string& folder) const {
  auto files = ListSizes(folder);
  if (!files) return Fail(std::move(files.error()));
  std::vector<std::string> names;
  for (ListedFile& file : *files) names.push_back(std::move(file.name));
  return names;
}

Result<void> DiskImage::RemoveFolder(const std::string& path) {
  auto files = ListSizes(path);
  if (!files) return Fail(std::move(files.error()));
  auto folders = ListFolders(path);
  if (!folders) return Fail(std::move(folders.error()));
  if (!files->empty() || !folders->empty()) return Fail(Errc::kIo, "{}: not empty", path);
  folders_.erase(path);
  return {};
}

Result<std::vector<std::string>> DiskImage::ListFolders(const std::string& folder) const {
  if (!folders_.contains(folder)) return FailNotFound(folder);
  std::vector<std::string> names;
  for (const std::string& path : folders_) {
    if (!path.empty() && FolderOf(path) == folder)
      names.push_back(path.substr(path.rfind('/') + 1));
  }
  return names;
}

void DiskImage::Replace() {
  names_.clear();
  durable_names_.clear();
  unsynced_names_.clear();
  folders_ = {""};
}

void DiskImage::MoveFolder(const std::string& from, const std::string& to) {
  std::string below = from + "/";
  auto moved = [&](const std::string& path) {
    return path == from || path.starts_with(below) ? to + path.substr(from.size()) : path;
  };
  Names names;
  for (auto& [path, inode] : names_) names[moved(path)] = inode;
  std::set<std::string> folders;
  for (const std::string& path : folders_) folders.insert(moved(path));
  names_ = durable_names_ = std::move(names);
  folders_ = std::move(folders);
  unsynced_names_.clear();
}

Result<void> DiskImage::SyncFolder(const std::string& folder) {
  if (!folders_.contains(folder)) return FailNotFound(folder);
  if (random_.Chance(faults.sync_failures)) return Fail(Errc::kIo, "sync failed");
  std::erase_if(unsynced_names_, [&](const NameChange& change) {
    if (FolderOf(change.path) != folder) return false;
    Apply(change, durable_names_);
    return true;
  });
  return {};
}

bool DiskImage::Survives(Inode::Change& change) {
  if (random_.Chance(0.5)) return random_.Chance(0.5);
  if (change.bytes.empty()) return true;
  // A torn write ends at the end of one of its sectors.
  uint64_t sector =
      change.offset / kSectorBytes + random_.Below(change.bytes.size() / kSectorBytes + 1);
  uint64_t end = (sector + 1) * kSectorBytes;
  if (end < change.offset + change.bytes.size()) change.bytes.resize(end - change.offset);
  return true;
}

void DiskImage::LoseUnsynced(Inode& inode) {
  for (Inode::Change& change : inode.unsynced) {
    if (Survives(change)) Apply(change, inode.durable);
  }
  inode.unsynced.clear();
  inode.content = inode.durable;
}

void DiskImage::LoseUnsynced() {
  // Inodes in the order of names, because the order of addresses is not deterministic.
  std::set<const Inode*> seen;
  auto lose = [&](const std::shared_ptr<Inode>& inode) {
    if (inode != nullptr && seen.insert(inode.get()).second) LoseUnsynced(*inode);
  };
  for (const auto& [path, inode] : names_) lose(inode);
  for (const auto& [path, inode] : durable_names_) lose(inode);
  for (const NameChange& change : unsynced_names_) lose(change.inode);

  size_t kept = random_.Below(unsynced_names_.size() + 1);
  // A rename makes two changes, which survive together.
  if (kept > 0 && kept < unsynced_names_.size() && unsynced_names_[kept].inode == nullptr &&
      unsynced_names_[kept - 1].inode != nullptr) {
    ++kept;
  }
  for (size_t i = 0; i < kept; ++i) Apply(unsynced_names_[i], durable_names_);
  unsynced_names_.clear();
  names_ = durable_names_;
}

void DiskImage::FlipBit(const std::string& path, uint64_t bit) {
  auto found = names_.find(path);
  CHECK(found != names_.end());
  for (std::string* content : {&found->second->content, &found->second->durable}) {
    if (bit / 8 >= content->size()) continue;
    char& byte = (*content)[bit / 8];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
  }
}

void DiskImage::Lose(const std::string& path) {
  CHECK(names_.contains(path));
  names_.erase(path);
  durable_names_.erase(path);
  std::erase_if(unsynced_names_, [&](const NameChange& change) { return change.path == path; });
}

void DiskImage::Shorten(const std::string& path, uint64_t bytes) {
  auto found = names_.find(path);
  CHECK(found != names_.end());
  for (std::string* content : {&found->second->content, &found->second->durable}) {
    content->resize(std::min<uint64_t>(content->size(), bytes));
  }
}

// Without a limit the files are not counted, for each write would count them.
bool DiskImage::HasRoomFor(uint64_t bytes) const {
  return faults.capacity_bytes == UINT64_MAX || used_bytes() + bytes <= faults.capacity_bytes;
}

uint64_t DiskImage::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [path, inode] : names_) used += inode->content.size();
  return used;
}

}  // namespace meridian::io::sim
