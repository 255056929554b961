#include "watch/log/segment/block.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"

namespace meridian::watch {
namespace {

constexpr size_t kOriginFields = 6;
// Times are within 292 years of 1970, so that nothing overflows: what is past them is damaged.
constexpr int64_t kMaxMicroseconds = int64_t{292} * 365 * 86'400 * 1'000'000;

void AppendUnsigned(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void AppendSigned(std::string& out, int64_t value) {
  AppendUnsigned(out, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

void AppendText(std::string& out, std::string_view text) {
  AppendUnsigned(out, text.size());
  out += text;
}

// After a read that does not fit, ok() is false, and every further read gives zero or nothing.
class PackedReader {
 public:
  explicit PackedReader(std::string_view bytes) : bytes_(AsBytes(bytes)) {}

  bool ok() const { return ok_ && bytes_.ok(); }
  std::string_view Rest() { return AsText(bytes_.Take(bytes_.remaining())); }

  uint64_t Unsigned(uint64_t max) {
    uint64_t value = 0;
    for (unsigned shift = 0; ok() && shift < 64; shift += 7) {
      uint8_t byte = bytes_.U8();
      if (shift == 63 && byte > 1) break;  // the tenth byte has room for one bit
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte >= 0x80) continue;
      if (value > max) break;
      return value;
    }
    ok_ = false;
    return 0;
  }
  uint32_t U32(size_t max) { return static_cast<uint32_t>(Unsigned(max)); }
  // Between -kMaxMicroseconds and kMaxMicroseconds.
  int64_t Signed() {
    uint64_t zigzag = Unsigned(uint64_t{kMaxMicroseconds} * 2);
    return static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
  }
  std::string_view Text(size_t max_bytes) { return AsText(bytes_.Take(Unsigned(max_bytes))); }

 private:
  ByteReader bytes_;
  bool ok_ = true;
};

std::array<std::string*, kOriginFields> FieldsOf(LogOrigin& origin) {
  return {&origin.dc, &origin.host, &origin.tier, &origin.name, &origin.instance, &origin.release};
}

std::array<const std::string*, kOriginFields> FieldsOf(const LogOrigin& origin) {
  return {&origin.dc, &origin.host, &origin.tier, &origin.name, &origin.instance, &origin.release};
}

int64_t Count(LogTime time) { return time.time_since_epoch().count(); }

LogTime Clamped(LogTime time) {
  std::chrono::microseconds max{kMaxMicroseconds / 4};
  return std::clamp(time, LogTime(-max), LogTime(max));
}

// Cuts `text` to `bytes`, before a character that would be divided.
bool CutTo(std::string* text, size_t bytes) {
  if (text->size() <= bytes) return false;
  while (bytes > 0 && (static_cast<uint8_t>((*text)[bytes]) & 0xc0) == 0x80) --bytes;
  text->resize(bytes);
  return true;
}

void KeepLimits(LogEntry* entry) {
  bool cut = CutTo(&entry->text, kMaxEntryBytes);
  // Fields that are cut are no JSON any more.
  if (entry->text.size() + entry->fields.size() > kMaxEntryBytes) {
    entry->fields.clear();
    cut = true;
  }
  cut |= CutTo(&entry->trace_id, kMaxTraceIdBytes);
  for (std::string* field : FieldsOf(entry->origin)) cut |= CutTo(field, kMaxOriginFieldBytes);
  if (cut) entry->marks.Set(EntryMark::kCut);
}

// The places of a row's texts agree with each other.
bool IsConsistent(const BlockRow& row) {
  uint64_t fields_end =
      uint64_t{row.text_bytes} + (row.field_bytes > 0 ? uint64_t{1} + row.field_bytes : 0);
  return fields_end <= row.bytes && uint64_t{row.trace_begin} + row.trace_bytes <= row.bytes;
}

}  // namespace

uint32_t BlockBuilder::OriginNumber(LogOrigin origin) {
  if (!origins_.empty() && origins_.back() == origin)
    return static_cast<uint32_t>(origins_.size() - 1);
  auto [found, is_new] =
      origin_numbers_.try_emplace(std::move(origin), static_cast<uint32_t>(origins_.size()));
  if (is_new) origins_.push_back(found->first);
  return found->second;
}

void BlockBuilder::Add(LogEntry entry) {
  KeepLimits(&entry);
  BlockRow row;
  row.severity = entry.severity;
  // Others would make the whole block unreadable.
  row.marks = EntryMarks(entry.marks.bits() & kAllEntryMarks);
  row.time = Clamped(entry.time);
  row.arrival = Clamped(entry.arrival);
  row.begin = static_cast<uint32_t>(texts_.size());
  row.text_bytes = static_cast<uint32_t>(entry.text.size());
  row.field_bytes = static_cast<uint32_t>(entry.fields.size());
  texts_ += entry.text;
  if (!entry.fields.empty()) {
    texts_ += '\n';
    texts_ += entry.fields;
  }
  if (!entry.trace_id.empty()) {
    size_t found = std::string_view(texts_).substr(row.begin).find(entry.trace_id);
    if (found == std::string_view::npos) {
      texts_ += '\n';
      found = texts_.size() - row.begin;
      texts_ += entry.trace_id;
    }
    row.trace_begin = static_cast<uint32_t>(found);
    row.trace_bytes = static_cast<uint32_t>(entry.trace_id.size());
  }
  row.bytes = static_cast<uint32_t>(texts_.size()) - row.begin;
  row.origin = OriginNumber(std::move(entry.origin));
  range_.Add(row.time, row.severity);
  rows_.push_back(row);
}

bool BlockBuilder::full() const {
  return rows_.size() >= kMaxBlockLines || texts_.size() >= kBlockBytes;
}

std::string BlockBuilder::Encode(size_t first_row) const {
  std::string out;
  out.reserve(texts_.size() + rows_.size() * 16);
  AppendUnsigned(out, origins_.size());
  for (const LogOrigin& origin : origins_) {
    for (const std::string* field : FieldsOf(origin)) AppendText(out, *field);
  }
  CHECK(first_row <= rows_.size());
  auto rows = std::span(rows_).subspan(first_row);
  AppendUnsigned(out, rows.size());
  for (const BlockRow& row : rows) AppendUnsigned(out, row.origin);
  for (const BlockRow& row : rows) out += static_cast<char>(row.severity);
  for (const BlockRow& row : rows) out += static_cast<char>(row.marks.bits());
  int64_t previous = 0;
  for (const BlockRow& row : rows)
    AppendSigned(out, Count(row.time) - std::exchange(previous, Count(row.time)));
  for (const BlockRow& row : rows) AppendSigned(out, Count(row.arrival) - Count(row.time));
  for (uint32_t BlockRow::* column :
       {&BlockRow::bytes, &BlockRow::text_bytes, &BlockRow::field_bytes, &BlockRow::trace_begin,
        &BlockRow::trace_bytes}) {
    for (const BlockRow& row : rows) AppendUnsigned(out, row.*column);
  }
  if (!rows.empty()) out += std::string_view(texts_).substr(rows.front().begin);
  return out;
}

void BlockBuilder::Clear() {
  origins_.clear();
  origin_numbers_.clear();
  rows_.clear();
  texts_.clear();
  range_ = {};
}

Result<Block> Block::Decode(std::string_view raw) {
  PackedReader reader(raw);
  Block block;
  size_t origins = reader.Unsigned(kMaxBlockLines);
  for (size_t i = 0; reader.ok() && i < origins; ++i) {
    for (std::string* field : FieldsOf(block.origins_.emplace_back())) {
      *field = reader.Text(kMaxOriginFieldBytes);
    }
  }
  std::vector<BlockRow>& rows = block.rows_;
  rows.resize(reader.Unsigned(kMaxBlockLines));
  for (BlockRow& row : rows) row.origin = reader.U32(origins == 0 ? 0 : origins - 1);
  for (BlockRow& row : rows) row.severity = static_cast<Severity>(reader.Unsigned(kMaxSeverity));
  for (BlockRow& row : rows)
    row.marks = EntryMarks(static_cast<uint8_t>(reader.Unsigned(kAllEntryMarks)));
  LogTime time{};
  for (BlockRow& row : rows) {
    time = Clamped(time + std::chrono::microseconds(reader.Signed()));
    row.time = time;
  }
  for (BlockRow& row : rows) row.arrival = row.time + std::chrono::microseconds(reader.Signed());
  for (uint32_t BlockRow::* column :
       {&BlockRow::bytes, &BlockRow::text_bytes, &BlockRow::field_bytes, &BlockRow::trace_begin,
        &BlockRow::trace_bytes}) {
    for (BlockRow& row : rows) row.*column = reader.U32(kMaxBlockBytes);
  }
  uint64_t end = 0;
  bool is_consistent = reader.ok() && (!rows.empty() ? origins > 0 : true);
  for (BlockRow& row : rows) {
    row.begin = static_cast<uint32_t>(std::min<uint64_t>(end, kMaxBlockBytes));
    end += row.bytes;
    is_consistent &= IsConsistent(row);
  }
  block.texts_ = reader.Rest();
  if (!is_consistent || end != block.texts_.size())
    return Fail(Errc::kInvalid, "not a block of log lines");
  return block;
}

BlockRange Block::range() const {
  BlockRange range;
  for (const BlockRow& row : rows_) range.Add(row.time, row.severity);
  return range;
}

LogEntry Block::Entry(size_t number) const {
  const BlockRow& row = rows_[number];
  std::string_view searched = Searched(row);
  LogEntry entry;
  entry.origin = origins_[row.origin];
  entry.time = row.time;
  entry.arrival = row.arrival;
  entry.severity = row.severity;
  entry.marks = row.marks;
  entry.trace_id = TraceId(row);
  entry.text = searched.substr(0, row.text_bytes);
  if (row.field_bytes > 0) entry.fields = searched.substr(row.text_bytes + 1, row.field_bytes);
  return entry;
}

}  // namespace meridian::watch
