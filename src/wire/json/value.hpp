// A JSON value (RFC 8259) that was parsed: a tree that owns its parts. Pure data; a const Value may
// be read by any thread. It holds at most kMaxDepth levels, since only Parse makes deep ones.
//
// Readers come in two kinds. Where anything wrong must be refused, site/view/json_reader reads the
// members. Where a message of a newer or older program must still be understood, the `…Of`
// functions give an empty value for a member that is missing or of another type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "wire/json/limits.hpp"

namespace meridian::wire::json {

struct Member;

class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;  // in the order of the text
  // A whole number of 0 or more is uint64_t, below 0 int64_t.
  using Content =
      std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, Array, Object>;

  Value();  // null
  explicit Value(Content content);
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  const Content& content() const { return content_; }
  Content& content() { return content_; }

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(content_); }
  bool is_array() const { return std::holds_alternative<Array>(content_); }
  bool is_object() const { return std::holds_alternative<Object>(content_); }

  // Nothing when the value is of another type.
  std::optional<bool> boolean() const;
  std::optional<uint64_t> whole_number() const;  // of 0 or more
  std::optional<int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<std::string_view> text() const;
  std::span<const Value> elements() const;
  std::span<const Member> members() const;

  // The last member of that name, or null when there is none.
  const Value* Find(std::string_view name) const;

  bool BooleanOf(std::string_view name) const;
  uint64_t WholeNumberOf(std::string_view name) const;
  int64_t IntegerOf(std::string_view name) const;
  double NumberOf(std::string_view name) const;
  std::string TextOf(std::string_view name) const;
  std::span<const Value> ElementsOf(std::string_view name) const;

 private:
  Content content_;
};

struct Member {
  std::string name;
  Value value;
};

// The value that all of `text` is. Errors: not JSON, not UTF-8, a number that a double cannot hold
// (kInvalid); longer than `max_bytes`, nested deeper than kMaxDepth (kTooLarge).
Result<Value> Parse(std::string_view text, size_t max_bytes = kMaxTextBytes);

}  // namespace meridian::wire::json
