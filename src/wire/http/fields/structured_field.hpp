// Structured fields (RFC 9651, which adds dates and display strings to RFC 8941): parsed strictly,
// written in their canonical form. Pure values; any thread.
//
// Join a field of several lines with ", " before parsing. After a failed parse treat the field as
// absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace meridian::wire::http {

struct Token {
  std::string text;
  bool operator==(const Token&) const = default;
};
// At most twelve digits before the point and three after it.
struct Decimal {
  int64_t thousandths = 0;
  bool operator==(const Decimal&) const = default;
};
struct ByteSequence {
  std::string bytes;
  bool operator==(const ByteSequence&) const = default;
};
struct StructuredDate {
  int64_t seconds = 0;  // since 1970
  bool operator==(const StructuredDate&) const = default;
};
struct DisplayString {
  std::string utf8;
  bool operator==(const DisplayString&) const = default;
};

// An Integer (at most 15 digits), Decimal, String (ASCII), Token, Byte Sequence, Boolean, Date or
// Display String.
using BareItem = std::variant<int64_t, Decimal, std::string, Token, ByteSequence, bool,
                              StructuredDate, DisplayString>;

struct Parameter {
  std::string key;
  BareItem value = true;
  bool operator==(const Parameter&) const = default;
};
using Parameters = std::vector<Parameter>;  // keys are unique

struct StructuredItem {
  BareItem value;
  Parameters parameters;
  bool operator==(const StructuredItem&) const = default;
};
struct InnerList {
  std::vector<StructuredItem> items;
  Parameters parameters;
  bool operator==(const InnerList&) const = default;
};
using StructuredMember = std::variant<StructuredItem, InnerList>;
using StructuredList = std::vector<StructuredMember>;

struct DictionaryMember {
  std::string key;
  StructuredMember value;
  bool operator==(const DictionaryMember&) const = default;
};
using Dictionary = std::vector<DictionaryMember>;  // keys are unique; the last value, first place

// Nothing: malformed, or past a limit of limits.hpp (kMaxStructured...).
std::optional<StructuredItem> ParseStructuredItem(std::string_view text);
std::optional<StructuredList> ParseStructuredList(std::string_view text);
std::optional<Dictionary> ParseDictionary(std::string_view text);

// Nothing: the value has no form on the wire (a key with capitals, a String beyond ASCII, an
// Integer of 16 digits, a Display String that is not UTF-8). An empty list gives an empty text:
// leave such a field out.
std::optional<std::string> SerializeItem(const StructuredItem& item);
std::optional<std::string> SerializeList(const StructuredList& list);
std::optional<std::string> SerializeDictionary(const Dictionary& dictionary);

}  // namespace meridian::wire::http
