// The purpose of a key or table of site.toml, in one sentence. Each description is beside the parse
// function that reads the key. docs/site.toml.md is generated from them (load/reference.hpp).
// Constant data; any thread may read it.
#pragma once

#include <string_view>

namespace meridian::site {

// The key of a description that covers all keys of a table whose keys the author names ([dns.map]).
inline constexpr std::string_view kAnyName = "NAME";

struct KeyDescription {
  std::string_view table;     // "dns.place"; empty: the top of the file
  std::string_view key = {};  // empty: the table itself
  std::string_view sentence;
  // Default and limits in words, where the rule that the parse function passes to the reader is
  // incomplete; else empty.
  std::string_view fallback = {};
  std::string_view limits = {};
};

}  // namespace meridian::site
