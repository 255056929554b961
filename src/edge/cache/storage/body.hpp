// Body: the bytes of one response, in chunks, shared by all readers, while they arrive and after.
// Bytes do not move. Owned by shared_ptr: by the stored response, its fetch, and its readers. One
// thread.
//
// A counted body holds a Charge for all its memory. A body that will not be stored is not counted,
// and frees the bytes that all its readers have read.
#pragma once

#include <array>
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
  bool complete() const { return complete_; }
  bool counted() const { return counted_; }

  // The contiguous bytes from `offset` on; empty when they have not arrived. `offset` must not have
  // been released.
  Bytes At(uint64_t offset) const;

  // Copies as much of `data` as the budget allows; returns the number of bytes copied. `expected`,
  // an upper bound for the size of new chunks: the bytes still to come with these; 0: unknown.
  [[nodiscard]] size_t Append(Bytes data, uint64_t expected);
  // No byte follows.
  void Complete() { complete_ = true; }

  // How many entries of the store have this body: a version shares the plain path's body.
  long entries() const { return entries_; }
  void EnterStore() { ++entries_; }
  void LeaveStore() { --entries_; }

  // The content's version; empty until it has been computed.
  std::string_view version() const { return {version_.data(), version_size_}; }
  // At most kMaxVersionBytes.
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
  bool AddChunk(size_t capacity);

  Charge charge_;
  std::vector<Chunk> chunks_;
  uint64_t size_ = 0;
  bool complete_ = false;
  bool counted_ = true;
  long entries_ = 0;
  std::array<char, kMaxVersionBytes> version_{};
  size_t version_size_ = 0;
};

}  // namespace meridian::edge
