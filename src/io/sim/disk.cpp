#include "io/sim/disk.hpp"

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/file/disk.hpp"
#include "io/sim/disk_image.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"

namespace meridian::io::sim {

// The wait for one operation. It ends after the operation's time, or when the process ends.
class SimDisk::Delay final : public Waiter {
 public:
  explicit Delay(SimDisk& disk) : disk_(disk) {}
  void Interrupt(Errc /*why*/) override {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) {
    fiber_ = handle.promise().fiber;
    fiber_->Suspend(*this, handle, kNever);
    disk_.waiting_.push_back(this);
    // A crash destroys this object, so the event holds a weak reference.
    disk_.world_.After(disk_.TimeOfOne(), [token = std::weak_ptr<Delay*>(token_)] {
      if (auto delay = token.lock()) (*delay)->End();
    });
  }
  void await_resume() const noexcept {}

  void End() {
    std::erase(disk_.waiting_, this);
    token_.reset();
    fiber_->Wake();
  }

 private:
  SimDisk& disk_;
  Fiber* fiber_ = nullptr;
  std::shared_ptr<Delay*> token_ = std::make_shared<Delay*>(this);
};

class SimDisk::SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::shared_ptr<DiskImage::Inode> inode, OpenMode mode)
      : disk_(disk), inode_(std::move(inode)), writable_(mode != OpenMode::kRead) {}

  Task<Result<size_t>> ReadAt(uint64_t offset, MutableBytes into) override {
    Result<void> begun = co_await disk_.Begin();
    if (!begun) co_return Fail(std::move(begun.error()));
    const std::string& content = inode_->content;
    if (offset >= content.size()) co_return size_t{0};
    size_t count = std::min<size_t>(into.size(), content.size() - offset);
    std::memcpy(into.data(), content.data() + offset, count);
    co_return count;
  }
  Task<Result<void>> WriteAt(uint64_t offset, Bytes data) override {
    // The change is made before the wait, because an operation in progress at a crash may have
    // taken effect.
    Result<void> allowed = co_await Allowed();
    if (!allowed) co_return allowed;
    Result<void> written = disk_.image_.Write(*inode_, offset, data);
    Result<void> begun = co_await disk_.Begin();
    co_return begun ? written : begun;
  }
  Task<Result<void>> Truncate(uint64_t bytes) override {
    Result<void> allowed = co_await Allowed();
    if (!allowed) co_return allowed;
    Result<void> truncated = disk_.image_.Truncate(*inode_, bytes);
    Result<void> begun = co_await disk_.Begin();
    co_return begun ? truncated : begun;
  }
  Task<Result<void>> Sync() override {
    // Covers only writes before the sync began. Overlapping syncs each take changes from the front.
    size_t last = inode_->synced_changes + inode_->unsynced.size();
    Result<void> begun = co_await disk_.Begin();
    if (!begun) co_return begun;
    size_t changes = last > inode_->synced_changes ? last - inode_->synced_changes : 0;
    co_return disk_.image_.Sync(*inode_, changes);
  }
  Task<Result<uint64_t>> Size() override {
    Result<void> begun = co_await disk_.Begin();
    if (!begun) co_return Fail(std::move(begun.error()));
    co_return inode_->content.size();
  }

 private:
  std::optional<Bytes> InMemory(uint64_t offset) const override {
    return AsBytes(inode_->content).subspan(std::min<size_t>(offset, inode_->content.size()));
  }
  Task<Result<void>> Allowed() {
    Fiber& fiber = co_await ThisFiber{};
    if (disk_.severed_ || fiber.cancelled()) {
      co_return Fail(Errc::kCancelled, "disk operation cancelled");
    }
    if (!writable_) co_return Fail(Errc::kPermission, "the file was opened to be read");
    co_return Result<void>{};
  }

  SimDisk& disk_;
  std::shared_ptr<DiskImage::Inode> inode_;
  bool writable_;
};

Duration SimDisk::TimeOfOne() {
  Duration time = image_.faults.latency;
  auto jitter = static_cast<uint64_t>(image_.faults.jitter.count());
  return jitter == 0 ? time : time + Duration{image_.random().Below(jitter)};
}

Task<Result<void>> SimDisk::Begin() {
  Fiber& fiber = co_await ThisFiber{};
  // An operation that began completes even if it is cancelled, as on the real disk.
  if (fiber.cancelled()) co_return Fail(Errc::kCancelled, "disk operation cancelled");
  if (!severed_) co_await Delay(*this);
  if (severed_) co_return Fail(Errc::kCancelled, "the process has crashed");
  co_return Result<void>{};
}

void SimDisk::Sever() {
  severed_ = true;
  while (!waiting_.empty()) waiting_.front()->End();
}

Task<Result<std::unique_ptr<File>>> SimDisk::Open(std::string path, OpenMode mode) {
  Result<void> begun = co_await Begin();
  if (!begun) co_return Fail(std::move(begun.error()));
  auto inode = image_.Open(path, mode);
  if (!inode) co_return Fail(std::move(inode.error()));
  co_return std::make_unique<SimFile>(*this, *std::move(inode), mode);
}

Task<Result<void>> SimDisk::Rename(std::string from, std::string to) {
  Result<void> begun = co_await Begin();
  co_return begun ? image_.Rename(from, to) : begun;
}

Task<Result<void>> SimDisk::Remove(std::string path) {
  Result<void> begun = co_await Begin();
  co_return begun ? image_.Remove(path) : begun;
}

Task<Result<void>> SimDisk::MakeFolder(std::string path) {
  Result<void> begun = co_await Begin();
  if (begun) image_.MakeFolder(path);
  co_return begun;
}

Task<Result<std::vector<std::string>>> SimDisk::List(std::string folder) {
  Result<void> begun = co_await Begin();
  if (!begun) co_return Fail(std::move(begun.error()));
  co_return image_.List(folder);
}

Task<Result<std::vector<ListedFile>>> SimDisk::ListSizes(std::string folder) {
  Result<void> begun = co_await Begin();
  if (!begun) co_return Fail(std::move(begun.error()));
  co_return image_.ListSizes(folder);
}

Task<Result<std::vector<std::string>>> SimDisk::ListFolders(std::string folder) {
  Result<void> begun = co_await Begin();
  if (!begun) co_return Fail(std::move(begun.error()));
  co_return image_.ListFolders(folder);
}

Task<Result<void>> SimDisk::SyncFolder(std::string folder) {
  Result<void> begun = co_await Begin();
  co_return begun ? image_.SyncFolder(folder) : begun;
}

Task<Result<void>> SimDisk::RemoveFolder(std::string folder) {
  Result<void> begun = co_await Begin();
  co_return begun ? image_.RemoveFolder(folder) : begun;
}

Task<Result<uint64_t>> SimDisk::FreeBytes(std::string /*folder*/) {
  Result<void> begun = co_await Begin();
  if (!begun) co_return Fail(begun.error());
  uint64_t capacity = image_.faults.capacity_bytes;
  co_return capacity - std::min(capacity, image_.used_bytes());
}

}  // namespace meridian::io::sim
