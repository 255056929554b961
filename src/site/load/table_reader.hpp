// Reads a table of site.toml, each key by its type and bounds. It records every error with its
// position, the expected value and the nearest known key.
//
//   EdgeConfig Parse(TableReader& reader, const Site& site) {
//     return {.collapse_wait = reader.Duration("collapse_wait", {.min = 0s, .max = 10s, .fallback =
//     5s}),
//             .policy = reader.Choice<Policy>("policy", {{"strict", kStrict}, {"lax", kLax}},
//             kStrict)};
//   }
//
// Reading never stops at an error: it returns the fallback or an empty value, and Load refuses the
// file in the end. A key without a fallback is required; call `Has` first if it is optional. A key
// that was never read is unknown.
//
// A ParsePass belongs to one load, on one thread. Readers point into it and into the document, and
// do not outlive either. Two readers of one table share the set of keys that were read.
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "site/limits.hpp"
#include "site/load/diagnostics.hpp"
#include "site/load/document.hpp"
#include "site/load/key_log.hpp"

namespace meridian::site {

// Bounds are inclusive. No fallback: the key is required.
struct IntegerRule {
  int64_t min = 0;
  int64_t max = 0;
  std::optional<int64_t> fallback = std::nullopt;
};
struct NumberRule {
  double min = 0;
  double max = 0;
  std::optional<double> fallback = std::nullopt;
};
struct DurationRule {
  Duration min{};
  Duration max{};
  std::optional<Duration> fallback = std::nullopt;
};
struct SizeRule {  // in bytes
  uint64_t min = 0;
  uint64_t max = 0;
  std::optional<uint64_t> fallback = std::nullopt;
};
struct TextRule {
  size_t min_bytes = 1;
  size_t max_bytes = kMaxTextBytes;
  std::optional<std::string> fallback = std::nullopt;
};
struct ListRule {
  size_t min = 0;
  size_t max = kMaxArrayEntries;
};

class TableReader;
struct NamedTable;

class ParsePass {
 public:
  ParsePass(const Value& document, Diagnostics& diagnostics)
      : document_(document), diagnostics_(diagnostics) {}
  // Reads no file, but logs the keys that are read. `nothing` is an empty table.
  ParsePass(const Value& nothing, Diagnostics& diagnostics, KeyLog* log)
      : document_(nothing), diagnostics_(diagnostics), log_(log) {}
  ParsePass(const ParsePass&) = delete;
  ParsePass& operator=(const ParsePass&) = delete;

  TableReader Root();

  // Call once, after all reading: reports the keys that were never read.
  void ReportUnknownKeys();

 private:
  friend class TableReader;
  struct ReadKeys {
    std::string title;  // "[edge]"
    std::set<std::string, std::less<>> keys;
    bool any_key = false;
  };

  const Value& document_;
  Diagnostics& diagnostics_;
  KeyLog* log_ = nullptr;
  std::map<const Value*, ReadKeys> read_;
  std::deque<Value> absent_;  // empty tables, for tables that the file does not have
};

class TableReader {
 public:
  // True if the file has the key. Makes the key known.
  bool Has(std::string_view key);

  bool Boolean(std::string_view key, std::optional<bool> fallback);
  int64_t Integer(std::string_view key, const IntegerRule& rule);
  double Number(std::string_view key, const NumberRule& rule);
  meridian::Duration Duration(std::string_view key, const DurationRule& rule);
  uint64_t Size(std::string_view key, const SizeRule& rule);
  // Never holds a control character.
  std::string Text(std::string_view key, const TextRule& rule = {});
  std::vector<std::string> Texts(std::string_view key, const ListRule& rule = {});
  // A public port: at most kMaxPublicPort.
  uint16_t Port(std::string_view key, std::optional<uint16_t> fallback);
  // Required. Nothing if it recorded an error.
  std::optional<IpAddress> Address(std::string_view key);
  std::optional<IpPrefix> Prefix(std::string_view key);
  std::vector<IpPrefix> Prefixes(std::string_view key);
  std::vector<IpAddress> Addresses(std::string_view key, const ListRule& rule = {});

  template <class E>
  E Choice(std::string_view key,
           std::initializer_list<std::pair<std::string_view, std::type_identity_t<E>>> choices,
           std::optional<std::type_identity_t<E>> fallback) {
    std::vector<std::string> words;
    std::optional<std::string> fallback_word;
    for (const auto& choice : choices) {
      words.emplace_back(choice.first);
      if (fallback == choice.second) fallback_word = words.back();
    }
    std::optional<size_t> chosen = Word(key, words, fallback_word);
    if (!chosen) return fallback.value_or(choices.begin()->second);
    return choices.begin()[*chosen].second;
  }

  // The table `key` in this table; an empty table if the file has none.
  TableReader Table(std::string_view key);
  // The tables of the array `key` ([[dns.place]]), in the order of the file; it may be absent.
  std::vector<TableReader> Tables(std::string_view key, const ListRule& rule = {});
  // The tables in a table whose keys the author names ([worker.NAME]), in the order of the file.
  // Makes the names known, and records an error for a value that is no table.
  std::vector<NamedTable> NamedTables();
  // The table `key` at the top of the file, for a check of one table by what is in another.
  TableReader TopTable(std::string_view key);
  // All keys of a table whose keys the author names. Makes them known.
  std::vector<std::string> Names();

  // Records an error that the tier found in the value of `key` (or, if the file does not have the
  // key, in this table).
  void Reject(std::string_view key, std::string problem, std::string hint = {});
  // The same, at the position of the key itself.
  void RejectKey(std::string_view key, std::string problem, std::string hint = {});
  // The line of the value of `key`, or of the table.
  uint32_t LineOf(std::string_view key) const;
  // "[edge]", "[[dns.place]]", or "site.toml" for the root.
  std::string title() const;

 private:
  friend class ParsePass;
  TableReader(ParsePass* pass, const Value* table, std::string path, bool in_array);

  const Value* Ask(std::string_view key, bool required);
  const Value* AskFor(std::string_view key, Value::Kind kind, std::string_view expected,
                      bool required);
  std::optional<size_t> Word(std::string_view key, const std::vector<std::string>& words,
                             const std::optional<std::string>& fallback);
  std::vector<const Value*> TextElements(std::string_view key, const ListRule& rule);
  bool CheckText(const Value& value, std::string_view key, size_t min_bytes, size_t max_bytes);
  std::string PathOf(std::string_view key) const;
  SourceSpan WhereIs(std::string_view key) const;
  void Record(const SourceSpan& where, std::string problem, std::string hint);
  // For the KeyLog, where there is one.
  void LogKey(std::string_view key, std::string_view type, std::string limits,
              std::optional<std::string> fallback);
  std::vector<TableReader> LogTables(std::string_view key, const ListRule& rule);
  const Value& Absent(std::string_view key);

  ParsePass* pass_;
  const Value* table_;
  std::string path_;  // "dns.place"; empty for the root
  bool in_array_;
};

struct NamedTable {
  std::string name;
  TableReader table;
};

}  // namespace meridian::site
