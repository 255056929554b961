// Entry: one key of the keyspace in one piece of memory: 40 bytes, the key, and behind it the value
// if that is a plain string, else a pointer to its Parts. Made and owned by the Keyspace; one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session/data/collections.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"

namespace meridian::session {

class LazyFree;

// The content of a key that is more than a string (merge.hpp describes the parts).
struct Parts {
  struct Count {
    uint8_t replica_id = 0;
    Contribution contribution;
  };

  std::optional<Register> text;
  std::vector<Count> counts;
  std::unique_ptr<Fields> fields;
  std::unique_ptr<Members> members;

  size_t memory_bytes() const;
  // Drops what is older. A hash or set that is older as a whole is dropped in constant time.
  void DropBefore(const Stamp& delete_stamp, LazyFree& freed);
};

class Entry {
 public:
  enum class Kind : uint8_t {
    kText,   // a string; its stamp is delete_stamp()
    kParts,  // the rest
  };
  enum class Standing : uint8_t {
    kNone,     // a tombstone
    kLasting,  // alive, without an expiry
    kExpiring,
  };

  // How Redis would encode a string, as far as its text does not tell. Only in this process: other
  // data centers, and the next start, take it for one that SET has written.
  enum class Form : uint8_t {
    kNew,      // as SET writes it: an integer, or short, or long
    kEdited,   // by APPEND or SETRANGE
    kDecimal,  // by INCRBYFLOAT
  };

  static Entry* NewText(std::string_view key, std::string_view value, const Stamp& stamp);
  static Entry* NewParts(std::string_view key, const Stamp& delete_stamp);
  static void Destroy(Entry* entry);

  std::string_view key() const { return {data(), key_bytes_}; }
  Kind kind() const { return kind_; }
  const Stamp delete_stamp() const { return {delete_time_, delete_replica_id_}; }
  Expiry expiry() const { return {expire_at_ms_, {expiry_stamp_, expiry_replica_id_}}; }
  void set_expiry(const Expiry& expiry);
  // 0: never.
  int64_t expire_at_ms() const { return expire_at_ms_; }
  bool expired(int64_t now_ms) const { return expire_at_ms_ != 0 && expire_at_ms_ <= now_ms; }
  uint32_t accessed_s() const { return accessed_s_; }
  void set_accessed_s(uint32_t seconds) { accessed_s_ = seconds; }
  // Its expiry was reported to the listener.
  bool expiry_reported() const { return expiry_reported_; }
  void set_expiry_reported(bool expiry_reported) { expiry_reported_ = expiry_reported; }

  Form form() const { return form_; }
  void set_form(Form form) { form_ = form; }

  // As what KeyTable counts it; only KeyTable sets it.
  Standing standing() const { return standing_; }
  void set_standing(Standing standing) { standing_ = standing; }
  bool counted() const { return standing_ != Standing::kNone; }

  // With kText.
  std::string_view text() const { return {data() + key_bytes_, value_bytes_}; }
  // Writes another value and stamp in place. False: the value needs another piece of memory.
  bool Overwrite(std::string_view value, const Stamp& stamp);
  // With kParts. Raises the delete stamp, and drops everything older.
  void Clear(const Stamp& delete_stamp, LazyFree& freed);
  Parts& parts() const { return *PartsPointer(); }

  size_t memory_bytes() const;
  KeyState State() const;

 private:
  Entry() = default;
  static Entry* Allocate(Kind kind, std::string_view key, size_t value_bytes);
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  char* data() { return reinterpret_cast<char*>(this + 1); }
  Parts* PartsPointer() const;
  void set_delete_stamp(const Stamp& delete_stamp);

  HybridTime delete_time_;
  HybridTime expiry_stamp_;
  int64_t expire_at_ms_ = 0;
  uint32_t value_bytes_ = 0;
  uint32_t accessed_s_ = 0;
  uint16_t key_bytes_ = 0;
  uint8_t delete_replica_id_ = 0;
  uint8_t expiry_replica_id_ = 0;
  Kind kind_ = Kind::kText;
  bool expiry_reported_ = false;
  Standing standing_ = Standing::kNone;
  Form form_ = Form::kNew;
};
static_assert(sizeof(Entry) == 40);

enum class ValueType : uint8_t { kNone, kString, kHash, kSet };
std::string_view ValueTypeName(ValueType type);

// What the entry is to clients, where it has not expired.
inline ValueType TypeOf(const Entry& entry) {
  if (entry.kind() == Entry::Kind::kText) return ValueType::kString;
  const Parts& parts = entry.parts();
  if (parts.fields && parts.fields->size() > 0) return ValueType::kHash;
  if (parts.members && parts.members->size() > 0) return ValueType::kSet;
  return parts.text || !parts.counts.empty() ? ValueType::kString : ValueType::kNone;
}
// Null when the entry is null or of another type.
const Fields* FieldsOf(const Entry* entry);
const Members* MembersOf(const Entry* entry);

// The stamp of an expiry at `at_ms`: everything that was written to the key before has a lower one.
Stamp ExpiryStamp(int64_t at_ms);
// The newest stamp of anything in it.
Stamp NewestOf(const Entry& entry);
// When the last tombstone of a field or member in it was made; zero when there is none.
HybridTime NewestTombstoneOf(const Entry& entry);

}  // namespace meridian::session
