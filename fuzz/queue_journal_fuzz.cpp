// Any bytes as a record of the queue's journal. Nothing outside them is read (the sanitizer sees to
// that), and a record that was decoded is decoded from its own encoding again.
#include <algorithm>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "queue/state/journal_record.hpp"

namespace meridian::queue {
namespace {

template <class Kind>
bool Same(const Kind& one, const Kind& other) {
  return one == other;
}
bool Same(const BatchRecord& one, const BatchRecord& other) {
  return one.partition == other.partition && std::ranges::equal(one.batch, other.batch);
}

void CheckRecord(Bytes bytes) {
  auto record = DecodeJournalRecord(bytes);
  if (!record) return;
  std::vector<uint8_t> encoded = EncodeJournalRecord(*record);
  auto again = DecodeJournalRecord(encoded);
  CHECK(again);
  CHECK(again->index() == record->index());
  std::visit(
      [&](const auto& kind) { CHECK(Same(kind, std::get<std::decay_t<decltype(kind)>>(*again))); },
      *record);
}

}  // namespace
}  // namespace meridian::queue

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::queue::CheckRecord(meridian::Bytes(data, size));
  return 0;
}
