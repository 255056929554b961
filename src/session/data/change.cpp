#include "session/data/change.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

constexpr uint8_t kRecordVersion = 1;

enum PartTag : uint8_t {
  kEnd = 0,
  kDeleted = 1,
  kExpiry = 2,
  kText = 3,
  kCount = 4,
  kField = 5,
  kRemovedField = 6,
  kMember = 7,
  kFlushed = 8,
  kNext = 9,  // another key follows
};

// Reads a change. After a missing byte ok() is false, and all later reads return nothing.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return !ok_ || offset_ == bytes_.size(); }

  uint8_t Byte() {
    if (!ok_ || offset_ == bytes_.size()) {
      ok_ = false;
      return 0;
    }
    return bytes_[offset_++];
  }
  uint64_t Number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 8) value |= uint64_t{Byte()} << shift;
    return value;
  }
  uint64_t Size() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte = Byte();
      value |= uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view View() {
    uint64_t size = Size();
    if (!ok_ || size > bytes_.size() - offset_) {
      ok_ = false;
      return {};
    }
    std::string_view text = AsText(bytes_.subspan(offset_, size));
    offset_ += size;
    return text;
  }
  std::string Text() { return std::string(View()); }
  HybridTime Time() { return {Number()}; }
  session::Stamp Stamp() {
    HybridTime time = Time();
    return {time, Byte()};
  }
  void Refuse() { ok_ = false; }

 private:
  Bytes bytes_;
  size_t offset_ = 0;
  bool ok_ = true;
};

void ReadField(Reader& reader, bool present, KeyChange* change) {
  std::string_view name = reader.View();
  Register field;
  if (present) field.value = reader.Text();
  field.present = present;
  field.stamp = reader.Stamp();
  if (present && change->field_order.size() < kSmallHashFields) change->field_order.push_back(name);
  change->state.fields[std::string(name)] = std::move(field);
}

void ReadPart(Reader& reader, PartTag tag, KeyChange* change) {
  KeyState* state = &change->state;
  switch (tag) {
    case kDeleted:
      state->delete_stamp = reader.Stamp();
      break;
    case kExpiry:
      state->expiry.at_ms = static_cast<int64_t>(reader.Number());
      state->expiry.stamp = reader.Stamp();
      break;
    case kText: {
      std::string value = reader.Text();
      state->text = Register{std::move(value), true, reader.Stamp()};
      break;
    }
    case kCount: {
      uint8_t replica_id = reader.Byte();
      HybridTime since = reader.Time();
      HybridTime updated = reader.Time();
      state->counts[replica_id] = {since, updated, static_cast<int64_t>(reader.Number())};
      break;
    }
    case kField:
      ReadField(reader, true, change);
      break;
    case kRemovedField:
      ReadField(reader, false, change);
      break;
    case kMember: {
      std::string name = reader.Text();
      uint8_t replica_id = reader.Byte();
      HybridTime added = reader.Time();
      state->members[std::move(name)][replica_id] = {added, reader.Time()};
      break;
    }
    case kFlushed:
      change->flushed = reader.Stamp();
      break;
    default:
      reader.Refuse();
  }
}

// Reads the parts of a key; the tag behind them: the end of the change, or the next key.
PartTag ReadParts(Reader& reader, KeyChange* change) {
  while (reader.ok()) {
    auto tag = static_cast<PartTag>(reader.Byte());
    if (tag == kEnd || tag == kNext) return tag;
    ReadPart(reader, tag, change);
  }
  return kEnd;
}

}  // namespace

void ChangeWriter::Number(uint64_t value) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  bytes_.append(bytes, sizeof bytes);
}

void ChangeWriter::Size(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
}

void ChangeWriter::PutText(std::string_view text) {
  Size(text.size());
  bytes_ += text;
}

void ChangeWriter::PutStamp(const Stamp& stamp) {
  Number(stamp.time.bits);
  bytes_ += static_cast<char>(stamp.replica_id);
}

void ChangeWriter::Begin(std::string_view key) {
  Tag(bytes_.empty() ? kRecordVersion : uint8_t{kNext});
  PutText(key);
}

void ChangeWriter::Deleted(const Stamp& stamp) {
  Tag(kDeleted);
  PutStamp(stamp);
}

void ChangeWriter::Flushed(const Stamp& stamp) {
  Begin("");
  Tag(kFlushed);
  PutStamp(stamp);
}

void ChangeWriter::Expires(const Expiry& expiry) {
  Tag(kExpiry);
  Number(static_cast<uint64_t>(expiry.at_ms));
  PutStamp(expiry.stamp);
}

void ChangeWriter::Text(std::string_view value, const Stamp& stamp) {
  Tag(kText);
  PutText(value);
  PutStamp(stamp);
}

void ChangeWriter::Count(uint8_t replica_id, const Contribution& contribution) {
  Tag(kCount);
  Tag(replica_id);
  Number(contribution.since.bits);
  Number(contribution.updated.bits);
  Number(static_cast<uint64_t>(contribution.sum));
}

void ChangeWriter::Field(std::string_view name, std::string_view value, bool present,
                         const Stamp& stamp) {
  Tag(present ? kField : kRemovedField);
  PutText(name);
  if (present) PutText(value);
  PutStamp(stamp);
}

void ChangeWriter::Member(std::string_view name, uint8_t replica_id, const MemberTag& tag) {
  Tag(kMember);
  PutText(name);
  Tag(replica_id);
  Number(tag.added.bits);
  Number(tag.removed.bits);
}

void ChangeWriter::State(std::string_view key, const KeyState& state) {
  Begin(key);
  if (state.delete_stamp != Stamp()) Deleted(state.delete_stamp);
  if (state.expiry != Expiry()) Expires(state.expiry);
  if (state.text) Text(state.text->value, state.text->stamp);
  for (const auto& [replica_id, count] : state.counts) Count(replica_id, count);
  for (const auto& [name, field] : state.fields) {
    Field(name, field.value, field.present, field.stamp);
  }
  for (const auto& [name, tags] : state.members) {
    for (const auto& [replica_id, tag] : tags) Member(name, replica_id, tag);
  }
}

Bytes ChangeWriter::Take() {
  if (!bytes_.empty()) Tag(kEnd);
  taken_.swap(bytes_);
  bytes_.clear();
  return AsBytes(taken_);
}

Result<std::vector<KeyChange>> DecodeChange(Bytes record) {
  Reader reader(record);
  std::vector<KeyChange> changes;
  if (reader.Byte() != kRecordVersion) reader.Refuse();
  for (PartTag end = kNext; end == kNext && reader.ok();) {
    KeyChange& change = changes.emplace_back();
    change.key = reader.Text();
    end = ReadParts(reader, &change);
  }
  if (!reader.at_end()) reader.Refuse();
  if (!reader.ok())
    return Fail(Errc::kInvalid, "a session change of {} bytes cannot be decoded", record.size());
  for (KeyChange& change : changes) DropDeleted(&change.state);
  return changes;
}

}  // namespace meridian::session
