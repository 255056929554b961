// Value: a parsed JSON value (RFC 8259), as a tree that owns its parts. Plain data; any thread may
// read a const Value. At most kMaxDepth levels, since only Parse makes deep values.
//
// Two kinds of readers exist. To refuse any error, read members with site/view/json_reader. To
// accept messages of newer or older programs, use the `…Of` functions: they give an empty value for
// a member that is missing or of another type.
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
  // A whole number >= 0 is uint64_t, one below 0 is int64_t.
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

  // Nothing: the value has another type.
  std::optional<bool> boolean() const;
  std::optional<uint64_t> whole_number() const;  // of 0 or more
  std::optional<int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<std::string_view> text() const;
  std::span<const Value> elements() const;
  std::span<const Member> members() const;

  // The last member with that name, or null if there is none.
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

// Parses all of `text`. kInvalid: not JSON, not UTF-8, or a number that a double cannot hold.
// kTooLarge: longer than `max_bytes`, or nested deeper than kMaxDepth.
Result<Value> Parse(std::string_view text, size_t max_bytes = kMaxTextBytes);

}  // namespace meridian::wire::json
