// What a key of site.toml, or a table of it, is for, in one sentence. Each description stands
// beside the parse function that reads the key; docs/site.toml.md is made from them
// (load/reference.hpp). Constant data, for any thread.
#pragma once

#include <string_view>

namespace meridian::site {

// Stands for the author's own names, in a table whose keys are such names ([dns.map]).
inline constexpr std::string_view kAnyName = "NAME";

struct KeyDescription {
  std::string_view table;     // "dns.place"; empty: the top of the file
  std::string_view key = {};  // empty: the table itself
  std::string_view sentence;
  // Where the parse function does not give the reader the whole truth; else empty.
  std::string_view fallback = {};
  std::string_view limits = {};
};

}  // namespace meridian::site
