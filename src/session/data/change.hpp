// Records: what a command has changed, as bytes for the journal and for other data centers. A
// record holds a change to one or several keys, which is applied whole or not at all; each is a
// KeyState, so applying a record is a merge: in any order, any number of times.
//
//   RecordWriter writer;
//   writer.Begin("session:1");
//   writer.Cleared(stamp);
//   writer.Text("…", stamp);
//   writer.Take()
//
// The layout (integers little-endian, sizes as LEB128): a version, then for each key its size and
// bytes, then its parts, each behind its tag, then a tag that says whether another key follows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"

namespace meridian::session {

class ChangeWriter {
 public:
  // What is written from here on is of `key`.
  void Begin(std::string_view key);
  void Deleted(const Stamp& stamp);
  void Expires(const Expiry& expiry);
  void Text(std::string_view value, const Stamp& stamp);
  void Count(uint8_t replica_id, const Contribution& contribution);
  void Field(std::string_view name, std::string_view value, bool present, const Stamp& stamp);
  void Member(std::string_view name, uint8_t replica_id, const MemberTag& tag);
  // Of every key: all with an earlier stamp is gone.
  void Flushed(const Stamp& stamp);
  // All of it.
  void State(std::string_view key, const KeyState& state);

  bool empty() const { return bytes_.empty(); }
  size_t size() const { return bytes_.size(); }
  // The record, valid until the next call of anything; the writer is then empty.
  Bytes Take();

 private:
  void Tag(uint8_t tag) { bytes_ += static_cast<char>(tag); }
  void Number(uint64_t value);
  void Size(uint64_t value);
  void PutText(std::string_view text);
  void PutStamp(const Stamp& stamp);

  std::string bytes_;
  std::string taken_;
};

struct KeyChange {
  Stamp flushed{};  // before the key's change, for every key
  std::string key;
  KeyState state;
  // The names of fields in the order of the record, as views into it, where they are as few as in a
  // small hash.
  std::vector<std::string_view> field_order;
};

// kInvalid: it is not a record of this version. Nothing of it may be applied then.
Result<std::vector<KeyChange>> DecodeChange(Bytes record);

}  // namespace meridian::session
