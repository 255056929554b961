// The reference of site.toml: every key that the parse functions read, with its type, its limits
// and its default as the reader was given them, and its KeyDescription, which may add to the limits
// and say the default in words. Made without a file. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "site/load/key_log.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {

struct KeyReference {
  KeyRead read;
  std::string_view sentence;
};

struct TableReference {
  std::string title;  // "[[dns.place]]"; empty for the top of the file
  std::string_view sentence;
  std::string limits;              // of an array of tables: how many of them
  std::vector<KeyReference> keys;  // in the order of their descriptions
};

struct Reference {
  // A table stands behind the one that it is in.
  std::vector<TableReference> tables;
  // Keys and tables without a description, and descriptions of what nobody reads.
  std::vector<std::string> problems;
};

Reference Describe(std::span<const TierDescription> tiers);

}  // namespace meridian::site
