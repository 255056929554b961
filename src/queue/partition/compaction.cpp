#include "queue/partition/compaction.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::queue {
namespace {

using wire::kafka::BatchHeader;
using wire::kafka::Record;
using wire::kafka::RecordReader;

// What the map needs for a key beside its bytes, about.
constexpr size_t kEntryOverheadBytes = 64;

Result<RecordReader> OpenBatch(Bytes batch) {
  if (auto checked = wire::kafka::CheckStoredBatch(batch); !checked) return Fail(checked.error());
  return RecordReader::Open(batch);
}

bool Stays(const Record& record, const BatchHeader& header, const LastOffsets& last,
           const CompactionTimes& times) {
  if (!record.key) return true;
  if (last.IsReplaced(*record.key, record.offset)) return false;
  bool expired = header.has_delete_horizon() && header.base_timestamp_ms <= times.now_ms;
  return record.value || !expired;
}

// What the records of a batch say about it.
struct Survey {
  int32_t stay = 0;
  bool tombstones_stay = false;
};

Result<Survey> SurveyOf(Bytes batch, const LastOffsets& last, const CompactionTimes& times) {
  auto reader = OpenBatch(batch);
  if (!reader) return Fail(reader.error());
  Survey survey;
  Record record;
  while (reader->Next(&record)) {
    if (!Stays(record, reader->header(), last, times)) continue;
    ++survey.stay;
    survey.tombstones_stay |= record.key && !record.value;
  }
  if (!reader->complete()) return Fail(Errc::kInvalid, "a batch has malformed records");
  return survey;
}

}  // namespace

Result<bool> LastOffsets::Add(Bytes batch) {
  auto reader = OpenBatch(batch);
  if (!reader) return Fail(reader.error());
  // A batch that does not fit is left out as a whole: its keys are looked at before any is added.
  size_t bytes = bytes_;
  Record record;
  while (reader->Next(&record)) {
    if (record.key) bytes += record.key->size() + kEntryOverheadBytes;
  }
  if (!reader->complete()) return Fail(Errc::kInvalid, "a batch has malformed records");
  if (bytes > max_bytes_ && end_offset_ > 0) return false;
  reader = RecordReader::Open(batch);
  if (!reader) return Fail(reader.error());
  while (reader->Next(&record)) {
    if (!record.key) continue;
    auto [entry, added] = keys_.try_emplace(std::string(*record.key), record.offset);
    entry->second = record.offset;
    if (added) bytes_ += record.key->size() + kEntryOverheadBytes;
  }
  const BatchHeader& header = reader->header();
  if (header.producer_id >= 0) {
    auto [entry, added] = producers_.try_emplace(header.producer_id);
    entry->second = header.base_offset;
    if (added) bytes_ += kEntryOverheadBytes;
  }
  end_offset_ = header.next_offset();
  return true;
}

bool LastOffsets::IsReplaced(std::string_view key, int64_t offset) const {
  auto found = keys_.find(std::string(key));
  return found != keys_.end() && found->second > offset;
}

bool LastOffsets::IsLastOfProducer(const BatchHeader& batch) const {
  if (batch.producer_id < 0) return false;
  auto found = producers_.find(batch.producer_id);
  return found == producers_.end() || found->second <= batch.base_offset;
}

Result<std::optional<std::vector<uint8_t>>> CompactBatch(Bytes batch, const LastOffsets& last,
                                                         const CompactionTimes& times) {
  auto survey = SurveyOf(batch, last, times);
  if (!survey) return Fail(survey.error());
  auto reader = OpenBatch(batch);
  if (!reader) return Fail(reader.error());
  BatchHeader header = reader->header();
  bool sets_horizon = survey->tombstones_stay && !header.has_delete_horizon();
  bool all_stay = survey->stay == header.record_count && !sets_horizon;
  bool kept_for_producer = last.IsLastOfProducer(header);
  if (survey->stay == 0 && !kept_for_producer) return std::nullopt;
  if (all_stay) return std::vector<uint8_t>(batch.begin(), batch.end());
  if (sets_horizon) {
    header.attributes |= wire::kafka::kDeleteHorizonBit;
    header.base_timestamp_ms = times.now_ms + times.delete_retention_ms;
  }
  wire::kafka::BatchWriter writer(header);
  Record record;
  while (reader->Next(&record)) {
    if (Stays(record, reader->header(), last, times)) writer.Add(record);
  }
  auto rewritten = writer.Finish();
  if (!rewritten) return Fail(rewritten.error());
  return std::move(*rewritten);
}

}  // namespace meridian::queue
