// Writer: writes JSON text (RFC 8259) sequentially, without building a tree:
//
//   json::Writer writer;
//   writer.BeginObject();
//   writer.Member("name", name);
//   writer.BeginArray("ports");
//   for (uint16_t port : ports) writer.Element(port);
//   writer.EndArray();
//   writer.EndObject();
//   return writer.Take();
//
// Owned by one function. Inside an object each value has a name, elsewhere none. Every begun object
// and array must be ended (CHECK).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "wire/json/value.hpp"

namespace meridian::wire::json {

// A value that is neither an array nor an object. Views a text; a double that is not finite is
// written as null.
struct Scalar {
  std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string_view> value;

  Scalar(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): all of them stand for values
  Scalar(bool flag) : value(flag) {}                                  // NOLINT: as above
  Scalar(double number) : value(number) {}                            // NOLINT: as above
  Scalar(const char* text) : value(std::string_view(text)) {}         // NOLINT: as above
  Scalar(std::string_view text) : value(text) {}                      // NOLINT: as above
  Scalar(const std::string& text) : value(std::string_view(text)) {}  // NOLINT: as above
  template <class Int>
    requires std::is_integral_v<Int>
  Scalar(Int number) {  // NOLINT: as above
    if constexpr (std::is_signed_v<Int>) {
      value = static_cast<int64_t>(number);
    } else {
      value = static_cast<uint64_t>(number);
    }
  }
};

class Writer {
 public:
  // The replacement of bytes that are not UTF-8: U+FFFD, or nothing, which never lengthens a text.
  enum class InvalidUtf8 : uint8_t { kReplace, kDrop };
  struct Options {
    size_t indent = 0;  // spaces per level; 0: one line
    InvalidUtf8 invalid_utf8 = InvalidUtf8::kReplace;
  };

  Writer() = default;
  explicit Writer(Options options) : options_(options) {}

  void BeginObject() { Begin('{'); }
  void BeginObject(std::string_view name) { Begin(name, '{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void BeginArray(std::string_view name) { Begin(name, '['); }
  void EndArray() { End(']'); }

  void Member(std::string_view name, const Scalar& value);
  void Member(std::string_view name, const Value& value);
  void Element(const Scalar& value);
  void Element(const Value& value);

  // The whole text.
  std::string Take();

 private:
  struct Level {
    char end;
    bool empty = true;
  };

  void Begin(char bracket);
  void Begin(std::string_view name, char bracket);
  void End(char bracket);
  void StartElement();
  void StartMember(std::string_view name);
  void Separate();
  void StartLine();
  void Append(const Scalar& value);
  void Append(const Value& value);
  void AppendText(std::string_view text);

  Options options_;
  std::string out_;
  std::vector<Level> levels_;
};

// `value` as compact JSON.
std::string ToText(const Value& value);

}  // namespace meridian::wire::json
