#include "watch/log/segment/block_index.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/index/bloom_filter.hpp"
#include "watch/log/index/token.hpp"
#include "watch/log/index/word_index.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/segment/block.hpp"

namespace meridian::watch {
namespace {

// Words of a row whose repetitions are recognised; further ones are given to FTS5 as they are.
constexpr size_t kSeenSize = 4096;

}  // namespace

std::string BlockIndexer::Bloom(const Block& block) {
  for (const BlockRow& row : block.rows()) {
    folded_.clear();
    AppendFolded(folded_, block.Searched(row));
    TokenReader reader(folded_);
    for (Token token; reader.Next(&token);) {
      bloom_.Add(BloomHash(BloomKind::kToken, token.text));
      if (!token.joint.empty()) bloom_.Add(BloomHash(BloomKind::kJoint, token.joint));
    }
    if (row.trace_bytes > 0) bloom_.Add(BloomHash(BloomKind::kTrace, block.TraceId(row)));
  }
  for (const LogOrigin& origin : block.origins()) {
    bloom_.Add(BloomHash(BloomKind::kDc, origin.dc));
    bloom_.Add(BloomHash(BloomKind::kHost, origin.host));
    bloom_.Add(BloomHash(BloomKind::kTier, origin.tier));
    bloom_.Add(BloomHash(BloomKind::kName, origin.name));
    bloom_.Add(BloomHash(BloomKind::kInstance, origin.instance));
    bloom_.Add(BloomHash(BloomKind::kRelease, origin.release));
  }
  return bloom_.Take();
}

void BlockIndexer::CollectWords(std::string_view folded) {
  seen_.resize(kSeenSize);
  TokenReader reader(folded);
  for (Token token; reader.Next(&token);) {
    if (!token.is_word) continue;
    uint64_t hash = std::max(Hash64(token.text), uint64_t{1});
    size_t at = hash % kSeenSize;
    while (seen_[at] != 0 && seen_[at] != hash) at = (at + 1) % kSeenSize;
    if (seen_[at] == hash) continue;
    if (used_.size() < kSeenSize / 2) {
      seen_[at] = hash;
      used_.push_back(at);
    }
    if (!words_.empty()) words_ += ' ';
    words_ += token.text;
  }
}

Result<void> BlockIndexer::AddRows(const Block& block, uint32_t number, WordIndexBuilder* index) {
  const std::vector<BlockRow>& rows = block.rows();
  for (size_t first = 0; first < rows.size(); first += kLinesPerRow) {
    size_t last = std::min(first + kLinesPerRow, rows.size()) - 1;
    words_.clear();
    for (size_t at : used_) seen_[at] = 0;
    used_.clear();
    for (size_t i = first; i <= last; ++i) {
      folded_.clear();
      AppendFolded(folded_, block.Searched(rows[i]));
      CollectWords(folded_);
    }
    Result<void> added =
        index->AddRow(static_cast<uint32_t>(number * kRowsPerBlock + first / kLinesPerRow), words_);
    if (!added) return added;
  }
  return {};
}

}  // namespace meridian::watch
