// The reference of site.toml: every key that the parse functions read, with type, limits and
// default as they pass them to the reader, and with its KeyDescription, which may add limits and a
// default in words. Needs no file. Pure.
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
  std::string limits;              // of an array of tables: the number of tables
  std::vector<KeyReference> keys;  // in the order of their descriptions
};

struct Reference {
  // A table follows its parent table.
  std::vector<TableReference> tables;
  // Keys and tables without a description, and descriptions of keys that no parse function reads.
  std::vector<std::string> problems;
};

Reference Describe(std::span<const TierDescription> tiers);

}  // namespace meridian::site
