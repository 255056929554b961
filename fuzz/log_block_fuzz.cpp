// Any bytes as parts of the log store's files. Nothing outside them is read (the sanitizer sees to
// that), and a block that was decoded is decoded from its own encoding again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "watch/log/segment/block.hpp"
#include "watch/log/segment/block_index.hpp"
#include "watch/log/segment/segment_format.hpp"

namespace meridian::watch {
namespace {

void CheckBlock(std::string_view bytes) {
  Result<Block> block = Block::Decode(bytes);
  if (!block) return;
  BlockBuilder builder;
  for (size_t i = 0; i < block->rows().size(); ++i) builder.Add(block->Entry(i));
  std::string encoded = builder.Encode();
  Result<Block> again = Block::Decode(encoded);
  CHECK(again && again->rows().size() == block->rows().size());
  for (size_t i = 0; i < block->rows().size(); ++i) {
    CHECK(again->Entry(i).text.size() <= block->Entry(i).text.size());
    CHECK(again->Entry(i).severity == block->Entry(i).severity);
  }
  BlockIndexer indexer;
  CHECK(!indexer.Bloom(*block).empty() || block->origins().empty());
}

void CheckFiles(std::string_view bytes) {
  (void)CheckSegmentHeader(bytes, 1);
  if (auto blocks = DecodeFooter(bytes, uint64_t{1} << 40)) CHECK(EncodeFooter(*blocks) == bytes);
  if (auto trailer = DecodeTrailer(bytes, bytes.size())) CHECK(EncodeTrailer(*trailer) == bytes);
  if (auto place = DecodeBlockHeader(bytes, 0)) (void)DecodeBlock(bytes, *place);
  std::string_view rest = bytes;
  while (auto record = TakeTailRecord(&rest)) CheckBlock(record->raw);
}

}  // namespace
}  // namespace meridian::watch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = meridian::AsText(meridian::Bytes(data, size));
  meridian::watch::CheckBlock(bytes);
  meridian::watch::CheckFiles(bytes);
  return 0;
}
