// Field: one field of a hash, or the tombstone of a removed one; name and value are behind it in
// the same piece of memory. An Item of Collection. Made and owned by a Collection; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/hybrid_clock.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {

class Field {
 public:
  struct Change {
    std::string_view name;
    std::string_view value;
    bool is_present = true;  // false: the field is removed
    Stamp stamp;

    bool present() const { return is_present; }
    Stamp newest() const { return stamp; }
    HybridTime removed_at() const { return stamp.time; }
  };
  static constexpr bool kKeepsOrder = true;
  static constexpr size_t kSmallItems = kSmallHashFields;

  static Field* Merged(Field* old, const Change& change);
  static void Destroy(Field* field);

  std::string_view key() const { return {data(), name_bytes_}; }
  std::string_view value() const { return {data() + name_bytes_, value_bytes_}; }
  bool present() const { return present_; }
  const Stamp& stamp() const { return stamp_; }
  Stamp newest() const { return stamp_; }
  HybridTime removed_at() const { return stamp_.time; }
  Field* Without(const Stamp& delete_stamp) { return stamp_ < delete_stamp ? nullptr : this; }
  // Among the fields of its hash: the field that was added later has the higher order.
  uint32_t order() const { return order_; }
  void set_order(uint32_t order) { order_ = order; }
  int64_t rank() const { return order_; }
  bool fits_small() const {
    return name_bytes_ <= kSmallHashBytes && value_bytes_ <= kSmallHashBytes;
  }
  size_t memory_bytes() const { return sizeof(Field) + name_bytes_ + value_bytes_; }

 private:
  Field() = default;
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }

  Stamp stamp_;
  uint32_t name_bytes_ = 0;
  uint32_t value_bytes_ = 0;
  bool present_ = true;
  uint32_t order_ = 0;
};

}  // namespace meridian::session
