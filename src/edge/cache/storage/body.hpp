// Body: the bytes of one response, in chunks, shared by all who read them while they arrive and
// after. Bytes never move once they are there. Owned by shared_ptr: of the stored response, the
// fetch that fetches it, and its readers. One thread.
//
// A body that is counted holds a Charge for all its memory. One that is not going to be stored is
// not counted, and lets go of what all its readers have read.
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

  // The bytes from `offset` on that lie together; empty when they have not arrived. `offset` must
  // not have been released.
  Bytes At(uint64_t offset) const;

  // Copies what there is room for and returns how much that is; all of it, unless the budget is
  // used up. `expected` is how many bytes are still to come with these, 0 when nobody knows: chunks
  // are made no larger than that.
  [[nodiscard]] size_t Append(Bytes data, uint64_t expected);
  // No byte follows.
  void Complete() { complete_ = true; }

  // How many entries of the store it is the body of: a version shares that of the plain path.
  long entries() const { return entries_; }
  void EnterStore() { ++entries_; }
  void LeaveStore() { --entries_; }

  // What content this is, once somebody has had to know; empty until then.
  std::string_view version() const { return {version_.data(), version_size_}; }
  // At most kMaxVersionBytes.
  void set_version(std::string_view version);

  // From now on nothing is charged, and ReleaseBefore may be called.
  void StopCounting();
  // Frees the chunks that lie before `offset` as a whole.
  void ReleaseBefore(uint64_t offset);

  // What is charged for it: no less than the memory that it takes.
  size_t cost() const { return charge_.bytes(); }
  // For audits: the memory that it takes, added up.
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
