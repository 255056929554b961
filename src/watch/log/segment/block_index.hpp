// What the index holds of a block: see index/token.hpp. Pure, but for the builder's file; one
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "watch/log/index/bloom_filter.hpp"
#include "watch/log/index/word_index.hpp"
#include "watch/log/segment/block.hpp"

namespace meridian::watch {

// Makes bloom filters and rows of the word index, with buffers that it keeps.
class BlockIndexer {
 public:
  // The filter of tokens, joints, trace ids and origins.
  std::string Bloom(const Block& block);
  // Adds the rows of block `number` of a segment.
  Result<void> AddRows(const Block& block, uint32_t number, WordIndexBuilder* index);

 private:
  void CollectWords(std::string_view folded);

  BloomBuilder bloom_;
  std::string folded_;
  std::vector<uint64_t> seen_;  // hashes of the words of the row; open addressing, 0: free
  std::vector<size_t> used_;    // the places in it that are not free
  std::string words_;
};

}  // namespace meridian::watch
