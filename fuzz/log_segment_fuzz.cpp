// Any bytes as a segment, a record batch, and a snapshot's block. Nothing outside them is read (the
// sanitizer sees to that), and: however a segment is cut into pieces, the scan finds the same; what
// it finds are records, in order, that do not overlap damage; a batch that parses encodes the same.
#include <algorithm>
#include <vector>

#include "base/check.hpp"
#include "store/log/record.hpp"
#include "store/log/segment.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {
namespace {

struct Outcome {
  std::vector<SegmentScan::Found> found;
  std::vector<Damage> damages;
};

Outcome ScanInPieces(Bytes bytes, size_t piece) {
  SegmentScan scan(0, 0);
  size_t given = 0;
  size_t done = 0;
  do {
    given = std::min(given + piece, bytes.size());
    done += scan.Feed(bytes.subspan(done, given - done), given == bytes.size());
  } while (done < bytes.size());
  CHECK(scan.position() == bytes.size());
  return {scan.TakeFound(), scan.damages()};
}

void CheckScan(Bytes bytes) {
  Outcome whole = ScanInPieces(bytes, std::max<size_t>(bytes.size(), 1));
  uint64_t position = 0;
  uint64_t offset = 0;
  for (const SegmentScan::Found& found : whole.found) {
    CHECK(found.position >= position && found.record.offset >= offset);
    Record record;
    CHECK(DecodeRecord(bytes.subspan(found.position), &record) == Decoding::kWhole);
    CHECK(record.offset == found.record.offset && record.encoded_bytes() == found.record.bytes);
    position = found.position + found.record.bytes;
    offset = record.end_offset();
  }
  CHECK(position <= bytes.size());
  Outcome pieces = ScanInPieces(bytes, 1 + bytes.size() / 3);
  CHECK(pieces.found.size() == whole.found.size());
  for (size_t i = 0; i < whole.found.size(); ++i) {
    CHECK(pieces.found[i].position == whole.found[i].position);
  }
}

void CheckBatch(Bytes bytes) {
  auto batch = RecordBatch::Parse({bytes.begin(), bytes.end()});
  if (!batch) return;
  std::vector<uint8_t> again;
  batch->ForEach([&](const Record& record) { AppendRecord(record, again); });
  CHECK(std::ranges::equal(again, bytes));
}

void CheckBlock(Bytes bytes) {
  BlockChain chain;
  if (!chain.Take(bytes)) return;
  (void)ForEachItem(bytes, [](Bytes item) { CHECK(item.size() <= SIZE_MAX / 2); });
}

}  // namespace
}  // namespace meridian::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::Bytes bytes(data, size);
  (void)meridian::store::ParseSegmentHeader(bytes);
  (void)meridian::store::ParseSnapshotHeader(bytes);
  meridian::store::CheckScan(bytes);
  meridian::store::CheckBatch(bytes);
  meridian::store::CheckBlock(bytes);
  return 0;
}
