// Changes as bytes: what a command or transaction has changed, for the journal, for snapshots and
// for other data centers. A change covers one or several keys and is applied whole or not at all.
// It holds a KeyState for each key, so applying it is a merge: in any order, any number of times.
//
//   ChangeWriter writer;
//   writer.Begin("session:1");
//   writer.Deleted(stamp);
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
  // The calls that follow are about `key`.
  void Begin(std::string_view key);
  void Deleted(const Stamp& stamp);
  void Expires(const Expiry& expiry);
  void Text(std::string_view value, const Stamp& stamp);
  void Count(uint8_t replica_id, const Contribution& contribution);
  void Field(std::string_view name, std::string_view value, bool present, const Stamp& stamp);
  void Member(std::string_view name, uint8_t replica_id, const MemberTag& tag);
  // FLUSHALL: everything with an earlier stamp, in every key, is deleted.
  void Flushed(const Stamp& stamp);
  // The whole state of a key.
  void State(std::string_view key, const KeyState& state);

  bool empty() const { return bytes_.empty(); }
  size_t size() const { return bytes_.size(); }
  // The change, valid until the next call of anything; the writer is then empty.
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
  // The names of fields in the order in which they were written, as views into the change, if they
  // are as few as in a small hash.
  std::vector<std::string_view> field_order;
};

// kInvalid: it is no change of this version. Nothing of it may be applied then.
Result<std::vector<KeyChange>> DecodeChange(Bytes record);

}  // namespace meridian::session
