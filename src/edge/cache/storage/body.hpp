// Body: the bytes of one response, in chunks, shared by all readers, while they arrive and after.
// Bytes do not move. Owned by shared_ptr: by the stored response, its fetch, and its readers.
//
// Threads: while it arrives, one thread writes it, and its fetch has a mutex for all calls but
// complete(). A complete body does not change (its version is set once), and any thread reads it
// without a mutex.
//
// A counted body holds a Charge for all its memory. A body that will not be stored is not counted,
// and frees the bytes that all its readers have read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/storage/byte_budget.hpp"

namespace meridian::edge {

class Body {
 public:
  explicit Body(std::shared_ptr<ByteBudget> budget) : charge_(std::move(budget)) {}

  uint64_t size() const { return size_; }  // that have arrived
  bool complete() const { return complete_.load(std::memory_order_acquire); }
  bool counted() const { return counted_; }

  // The contiguous bytes from `offset` on; empty when they have not arrived. `offset` must not have
  // been released.
  Bytes At(uint64_t offset) const;

  // Copies as much of `data` as the budget allows; returns the number of bytes copied. `expected`,
  // an upper bound for the size of new chunks: the bytes still to come with these; 0: unknown.
  [[nodiscard]] size_t Append(Bytes data, uint64_t expected);
  // No byte follows.
  void Complete() { complete_.store(true, std::memory_order_release); }

  // How many entries of the store have this body: a version shares the plain path's body. A hint
  // where another shard of the store stores or removes an entry at the same time.
  long entries() const { return entries_.load(std::memory_order_relaxed); }
  void EnterStore() { entries_.fetch_add(1, std::memory_order_relaxed); }
  void LeaveStore() { entries_.fetch_sub(1, std::memory_order_relaxed); }

  // The content's version; empty until it has been computed.
  std::string_view version() const {
    if (version_state_.load(std::memory_order_acquire) != VersionState::kSet) return {};
    return {version_.data(), version_size_};
  }
  // Of a complete body; at most kMaxVersionBytes. Does nothing when it is set already, or another
  // thread sets it.
  void set_version(std::string_view version);

  // From now on nothing is charged, and ReleaseBefore may be called.
  void StopCounting();
  // Frees the chunks that lie wholly before `offset`.
  void ReleaseBefore(uint64_t offset);

  // The charged bytes: at least MemoryBytes().
  size_t cost() const { return charge_.bytes(); }
  // For audits: the memory in use, added up.
  size_t MemoryBytes() const;

 private:
  struct Chunk {
    std::unique_ptr<uint8_t[]> data;
    size_t size = 0;
    size_t capacity = 0;
    uint64_t begin = 0;
  };
  enum class VersionState : uint8_t { kUnset, kBeingSet, kSet };
  bool AddChunk(size_t capacity);

  Charge charge_;
  std::vector<Chunk> chunks_;
  uint64_t size_ = 0;
  std::atomic<bool> complete_ = false;
  std::atomic<VersionState> version_state_ = VersionState::kUnset;
  bool counted_ = true;
  std::atomic<long> entries_ = 0;
  std::array<char, kMaxVersionBytes> version_{};
  size_t version_size_ = 0;
};

}  // namespace meridian::edge
