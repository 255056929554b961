#include "queue/mirror/repair_patch.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "queue/partition/segment_scan.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

using wire::kafka::BatchHeader;

namespace {

// The whole batch at the front. Nothing: it is cut off.
Result<std::optional<BatchHeader>> FrontBatch(Bytes bytes) {
  if (bytes.size() < wire::kafka::kBatchHeaderBytes) return std::nullopt;
  auto header = wire::kafka::ReadBatchHeader(bytes);
  if (!header) return Fail(std::move(header.error()));
  if (header->bytes > bytes.size()) return std::nullopt;
  auto checked = wire::kafka::CheckStoredBatch(bytes.first(header->bytes));
  if (!checked) return Fail(std::move(checked.error()));
  return *header;
}

Result<void> CheckPlace(const DamagedPlace& place, const BatchHeader& batch, int64_t next_offset) {
  if (batch.base_offset < next_offset || batch.next_offset() > place.bad.next_offset) {
    return Fail(Errc::kInvalid, "offset {} where {} is missing", batch.base_offset, next_offset);
  }
  const std::optional<int32_t> epoch = EpochAt(place.epochs, batch.base_offset);
  if (epoch && *epoch != batch.leader_epoch) {
    return Fail(Errc::kInvalid, "offset {} has leader epoch {} there and {} here",
                batch.base_offset, batch.leader_epoch, *epoch);
  }
  return {};
}

}  // namespace

Result<Bytes> PatchFor(const DamagedPlace& place, Bytes fetched) {
  if (place.before) {
    auto front = FrontBatch(fetched);
    if (!front) return Fail(std::move(front.error()));
    if (!*front || **front != *place.before) {
      return Fail(Errc::kInvalid, "another batch is at offset {} there", place.before->base_offset);
    }
    fetched = fetched.subspan((*front)->bytes);
    if (fetched.empty()) return fetched;
  }
  const uint64_t missing = place.bad.end_position - place.bad.position;
  size_t bytes = 0;
  int64_t next_offset = place.bad.begin_offset;
  while (bytes < missing) {
    auto batch = FrontBatch(fetched.subspan(bytes));
    if (!batch) return Fail(std::move(batch.error()));
    if (!*batch) break;
    if (auto fits = CheckPlace(place, **batch, next_offset); !fits) return Fail(fits.error());
    bytes += (*batch)->bytes;
    next_offset = (*batch)->next_offset();
    const bool ends = next_offset == place.bad.next_offset;
    if (bytes > missing || (ends && bytes < missing)) {
      return Fail(Errc::kInvalid, "the batches up to offset {} have {} bytes there, and {} here",
                  next_offset, bytes, missing);
    }
  }
  if (bytes == 0) return Fail(Errc::kInvalid, "nothing is there at offset {}", next_offset);
  if (bytes < missing || !place.behind) return fetched.first(bytes);
  auto behind = FrontBatch(fetched.subspan(bytes));
  if (behind && *behind && **behind != *place.behind) {
    return Fail(Errc::kInvalid, "another batch is at offset {} there", place.behind->base_offset);
  }
  return fetched.first(bytes);
}

}  // namespace meridian::queue
