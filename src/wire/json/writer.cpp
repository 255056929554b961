#include "wire/json/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "wire/json/value.hpp"

namespace meridian::wire::json {
namespace {

// Digits of a 64-bit number with its sign.
constexpr size_t kMaxIntegerDigits = 20;

// ASCII that a JSON string need not escape.
bool IsPlain(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

template <class Int>
void AppendInteger(std::string& out, Int value) {
  std::array<char, kMaxIntegerDigits> digits;  // NOLINT: as much is written as is read
  out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr);
}

}  // namespace

void Writer::StartLine() {
  if (options_.indent == 0) return;
  out_ += '\n';
  out_.append(levels_.size() * options_.indent, ' ');
}

void Writer::Separate() {
  if (!levels_.back().empty) out_ += ',';
  levels_.back().empty = false;
  StartLine();
}

void Writer::StartElement() {
  if (levels_.empty()) {
    CHECK(out_.empty());
    return;
  }
  CHECK(levels_.back().end == ']');
  Separate();
}

void Writer::StartMember(std::string_view name) {
  CHECK(!levels_.empty() && levels_.back().end == '}');
  Separate();
  AppendText(name);
  out_ += options_.indent == 0 ? ":" : ": ";
}

void Writer::Begin(char bracket) {
  StartElement();
  out_ += bracket;
  levels_.push_back({.end = bracket == '{' ? '}' : ']'});
}

void Writer::Begin(std::string_view name, char bracket) {
  StartMember(name);
  out_ += bracket;
  levels_.push_back({.end = bracket == '{' ? '}' : ']'});
}

void Writer::End(char bracket) {
  CHECK(!levels_.empty() && levels_.back().end == bracket);
  bool empty = levels_.back().empty;
  levels_.pop_back();
  if (!empty) StartLine();
  out_ += bracket;
}

void Writer::Member(std::string_view name, const Scalar& value) {
  StartMember(name);
  Append(value);
}

void Writer::Member(std::string_view name, const Value& value) {
  StartMember(name);
  Append(value);
}

void Writer::Element(const Scalar& value) {
  StartElement();
  Append(value);
}

void Writer::Element(const Value& value) {
  StartElement();
  Append(value);
}

void Writer::Append(const Scalar& value) {
  auto append = [&]<class T>(const T& scalar) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      AppendText(scalar);
    } else if constexpr (std::is_same_v<T, bool>) {
      out_ += scalar ? "true" : "false";
    } else if constexpr (std::is_same_v<T, double>) {
      // The shortest decimal that parses to the same double, always with a point or an exponent.
      out_ += nlohmann::json(scalar).dump();
    } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
      out_ += "null";
    } else {
      AppendInteger(out_, scalar);
    }
  };
  std::visit(append, value.value);
}

// NOLINTNEXTLINE(misc-no-recursion): at most kMaxDepth levels
void Writer::Append(const Value& value) {
  if (value.is_object()) {
    out_ += '{';
    levels_.push_back({.end = '}'});
    for (const json::Member& member : value.members()) Member(member.name, member.value);
    End('}');
  } else if (value.is_array()) {
    out_ += '[';
    levels_.push_back({.end = ']'});
    for (const Value& element : value.elements()) Element(element);
    End(']');
  } else {
    auto append = [&]<class T>(const T& scalar) {
      if constexpr (!std::is_same_v<T, Value::Array> && !std::is_same_v<T, Value::Object>) {
        Append(Scalar(scalar));
      }
    };
    std::visit(append, value.content());
  }
}

void Writer::AppendText(std::string_view text) {
  if (std::ranges::all_of(text, IsPlain)) {
    ((out_ += '"') += text) += '"';
    return;
  }
  using Handler = nlohmann::json::error_handler_t;
  bool drop = options_.invalid_utf8 == InvalidUtf8::kDrop;
  out_ += nlohmann::json(text).dump(-1, ' ', /*ensure_ascii=*/false,
                                    drop ? Handler::ignore : Handler::replace);
}

std::string Writer::Take() {
  CHECK(levels_.empty() && !out_.empty());
  return std::exchange(out_, {});
}

std::string ToText(const Value& value) {
  Writer writer;
  writer.Element(value);
  return writer.Take();
}

}  // namespace meridian::wire::json
