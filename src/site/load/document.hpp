// A TOML 1.0 text as a tree of values with their positions. It hides the TOML library from the rest
// of site/; TableReader reads only this tree.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "site/load/diagnostics.hpp"

namespace meridian::site {

struct Entry;

struct Value {
  enum class Kind { kText, kInteger, kNumber, kBoolean, kDate, kArray, kTable };

  Kind kind = Kind::kTable;
  SourceSpan where;  // of a table: its header
  std::string text;
  int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  std::vector<Value> elements;  // of an array
  std::vector<Entry> entries;   // of a table, in the order of the file

  const Entry* Find(std::string_view key) const;
};

struct Entry {
  std::string key;
  SourceSpan where;  // of the key
  Value value;
};

// "a string", "an integer", ...
std::string_view KindName(Value::Kind kind);

// The root table, or the first error: invalid TOML, a line past kMaxSiteLineBytes, or nesting past
// kMaxTomlDepth.
std::expected<Value, Diagnostic> ParseToml(std::string_view text);

}  // namespace meridian::site
