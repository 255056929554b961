#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/text/utf8.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/fields/structured_field.hpp"
#include "wire/http/fields/structured_field_characters.hpp"
#include "wire/http/limits.hpp"

namespace meridian::wire::http {
namespace {

// The algorithms of RFC 9651 4.2, one function each. After the first failure all fail.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {
    if (text.size() > kMaxStructuredFieldBytes) ok_ = false;
    SkipSpaces();
  }

  StructuredItem Item() {
    StructuredItem item;
    item.value = Bare();
    item.parameters = ReadParameters();
    return item;
  }

  StructuredMember ItemOrInnerList() {
    if (Peek() == '(') return Inner();
    return Item();
  }

  StructuredList List() {
    StructuredList list;
    while (ok_ && !rest_.empty()) {
      if (list.size() == kMaxStructuredMembers) return Failed(std::move(list));
      list.push_back(ItemOrInnerList());
      if (!NextMember()) break;
    }
    return list;
  }

  Dictionary ReadDictionary() {
    Dictionary dictionary;
    while (ok_ && !rest_.empty()) {
      std::string key = Key();
      StructuredMember value;
      if (Take('=')) {
        value = ItemOrInnerList();
      } else {
        value = StructuredItem{.value = true, .parameters = ReadParameters()};
      }
      auto same = std::ranges::find(dictionary, key, &DictionaryMember::key);
      if (same != dictionary.end()) {
        same->value = std::move(value);
      } else if (dictionary.size() == kMaxStructuredMembers) {
        return Failed(std::move(dictionary));
      } else {
        dictionary.push_back({std::move(key), std::move(value)});
      }
      if (!NextMember()) break;
    }
    return dictionary;
  }

  // Call last: whether all of the text was parsed.
  bool AtEnd() {
    SkipSpaces();
    return ok_ && rest_.empty();
  }

 private:
  char Peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void SkipSpaces() {
    while (Take(' ')) {
    }
  }
  void SkipWhitespace() {
    while (!rest_.empty() && Is(rest_.front(), kWhitespace)) rest_.remove_prefix(1);
  }
  template <class T>
  T Failed(T value) {
    ok_ = false;
    return value;
  }

  // Skips the comma between members; false at the end. A comma without a following member is a
  // failure.
  bool NextMember() {
    SkipWhitespace();
    if (rest_.empty()) return false;
    if (!Take(',')) return Failed(false);
    SkipWhitespace();
    if (rest_.empty()) return Failed(false);
    return ok_;
  }

  std::string Key() {
    if (rest_.empty() || !structured::IsKeyStart(Peek())) return Failed(std::string());
    size_t size = 1;
    while (size < rest_.size() && structured::IsKeyChar(rest_[size])) ++size;
    return TakeText(size);
  }

  std::string TakeText(size_t size) {
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

  Parameters ReadParameters() {
    Parameters parameters;
    while (ok_ && Take(';')) {
      SkipSpaces();
      Parameter parameter{.key = Key()};
      if (Take('=')) parameter.value = Bare();
      auto same = std::ranges::find(parameters, parameter.key, &Parameter::key);
      if (same != parameters.end()) {
        same->value = std::move(parameter.value);
      } else if (parameters.size() == kMaxStructuredParameters) {
        return Failed(std::move(parameters));
      } else {
        parameters.push_back(std::move(parameter));
      }
    }
    return parameters;
  }

  InnerList Inner() {
    InnerList list;
    (void)Take('(');
    while (ok_) {
      SkipSpaces();
      if (Take(')')) {
        list.parameters = ReadParameters();
        return list;
      }
      if (rest_.empty() || list.items.size() == kMaxStructuredInnerItems) break;
      list.items.push_back(Item());
      if (Peek() != ' ' && Peek() != ')') break;
    }
    return Failed(std::move(list));
  }

  BareItem Bare() {
    char c = Peek();
    if (!ok_ || rest_.empty()) return Failed(BareItem(false));
    if (c == '-' || IsDigit(c)) return Number();
    if (structured::IsTokenStart(c)) return ReadToken();
    switch (c) {
      case '"':
        return String();
      case ':':
        return Binary();
      case '?':
        return Boolean();
      case '@':
        return Date();
      case '%':
        return Display();
      default:
        return Failed(BareItem(false));
    }
  }

  int64_t Digits(size_t count) {
    int64_t value = 0;
    for (char c : rest_.substr(0, count)) value = value * 10 + (c - '0');
    rest_.remove_prefix(count);
    return value;
  }
  size_t CountDigits() const {
    return static_cast<size_t>(std::ranges::find_if_not(rest_, IsDigit) - rest_.begin());
  }

  BareItem Number() {
    int64_t sign = Take('-') ? -1 : 1;
    size_t digits = CountDigits();
    if (digits == 0 || digits > 15) return Failed(BareItem(false));
    int64_t whole = Digits(digits);
    if (!Take('.')) return sign * whole;
    size_t behind = CountDigits();
    if (digits > 12 || behind == 0 || behind > 3) return Failed(BareItem(false));
    int64_t fraction = Digits(behind);
    for (; behind < 3; ++behind) fraction *= 10;
    return Decimal{sign * (whole * 1000 + fraction)};
  }

  BareItem ReadToken() {
    size_t size = 1;
    while (size < rest_.size() && structured::IsTokenRest(rest_[size])) ++size;
    return Token{TakeText(size)};
  }

  BareItem String() {
    (void)Take('"');
    std::string text;
    while (!rest_.empty()) {
      if (Take('"')) return text;
      if (Take('\\') && Peek() != '"' && Peek() != '\\') break;
      if (rest_.empty() || !structured::IsVisible(Peek())) break;
      text.push_back(Peek());
      rest_.remove_prefix(1);
    }
    return Failed(BareItem(false));
  }

  BareItem Boolean() {
    (void)Take('?');
    if (Take('1')) return true;
    if (Take('0')) return false;
    return Failed(BareItem(false));
  }

  BareItem Date() {
    (void)Take('@');
    BareItem number = rest_.empty() ? Failed(BareItem(false)) : Number();
    if (const auto* seconds = std::get_if<int64_t>(&number)) return StructuredDate{*seconds};
    return Failed(BareItem(false));
  }

  BareItem Binary() {
    (void)Take(':');
    size_t end = rest_.find(':');
    if (end == std::string_view::npos) return Failed(BareItem(false));
    std::string_view coded = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    // Padding may be missing (RFC 9651 4.2.7), and is at the end only.
    size_t padding = coded.size() - (coded.find_last_not_of('=') + 1);
    if (padding > 2 || (padding > 0 && coded.size() % 4 != 0)) return Failed(BareItem(false));
    coded.remove_suffix(padding);
    if (coded.size() % 4 == 1) return Failed(BareItem(false));
    std::string bytes;
    uint32_t bits = 0;
    int count = 0;
    for (char c : coded) {
      size_t value = structured::kBase64.find(c);
      if (value == std::string_view::npos) return Failed(BareItem(false));
      bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xffff;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
    return ByteSequence{std::move(bytes)};
  }

  BareItem Display() {
    (void)Take('%');
    if (!Take('"')) return Failed(BareItem(false));
    std::string text;
    while (!rest_.empty() && structured::IsVisible(Peek())) {
      if (Take('"')) {
        if (!IsUtf8(text)) break;
        return DisplayString{std::move(text)};
      }
      if (!Take('%')) {
        text += TakeText(1);
        continue;
      }
      int value = rest_.size() < 2 ? -1 : LowerHex(rest_[0]) * 16 + LowerHex(rest_[1]);
      if (value < 0) break;
      text.push_back(static_cast<char>(value));
      rest_.remove_prefix(2);
    }
    return Failed(BareItem(false));
  }
  // Capitals are not allowed. An invalid digit makes any sum with it negative.
  static int LowerHex(char c) { return c >= 'A' && c <= 'F' ? -1000 : HexOrFar(HexValue(c)); }
  static int HexOrFar(int value) { return value < 0 ? -1000 : value; }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::optional<StructuredItem> ParseStructuredItem(std::string_view text) {
  Parser parser(text);
  StructuredItem item = parser.Item();
  if (!parser.AtEnd()) return std::nullopt;
  return item;
}

std::optional<StructuredList> ParseStructuredList(std::string_view text) {
  Parser parser(text);
  StructuredList list = parser.List();
  if (!parser.AtEnd()) return std::nullopt;
  return list;
}

std::optional<Dictionary> ParseDictionary(std::string_view text) {
  Parser parser(text);
  Dictionary dictionary = parser.ReadDictionary();
  if (!parser.AtEnd()) return std::nullopt;
  return dictionary;
}

}  // namespace meridian::wire::http
