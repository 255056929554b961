#include "site/load/reference.hpp"

#include <algorithm>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "site/key_description.hpp"
#include "site/load/diagnostics.hpp"
#include "site/load/document.hpp"
#include "site/load/key_log.hpp"
#include "site/load/load_parts.hpp"
#include "site/load/table_reader.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {
namespace {

std::vector<KeyDescription> AllDescriptions(std::span<const TierDescription> tiers) {
  std::vector<KeyDescription> all;
  auto add = [&all](std::span<const KeyDescription> some) {
    all.insert(all.end(), some.begin(), some.end());
  };
  for (std::span<const KeyDescription> part : DescriptionParts()) add(part);
  // In the order in which visitors reach the tiers: the last tier to start is the first.
  for (const TierDescription& tier : std::views::reverse(tiers)) {
    if (tier.section) add(tier.section->keys());
  }
  return all;
}

std::string_view TopTable(std::string_view table) { return table.substr(0, table.find('.')); }

// The tables in the order of their descriptions, each after its parent table.
std::vector<std::string_view> TablesInOrder(const std::vector<KeyDescription>& descriptions) {
  std::vector<std::string_view> tops;
  for (const KeyDescription& each : descriptions) {
    if (std::ranges::find(tops, TopTable(each.table)) == tops.end()) {
      tops.push_back(TopTable(each.table));
    }
  }
  std::vector<std::string_view> tables;
  for (std::string_view top : tops) {
    for (const KeyDescription& each : descriptions) {
      bool known = std::ranges::find(tables, each.table) != tables.end();
      if (TopTable(each.table) == top && !known) tables.push_back(each.table);
    }
  }
  return tables;
}

const TableRead* FindTable(const KeyLog& log, std::string_view table) {
  auto found = std::ranges::find(log.tables(), table, &TableRead::table);
  return found == log.tables().end() ? nullptr : &*found;
}

std::string Title(std::string_view table, const KeyLog& log) {
  if (table.empty()) return "";
  const TableRead* read = FindTable(log, table);
  bool in_array = read != nullptr && read->in_array;
  return fmt::format(fmt::runtime(in_array ? "[[{}]]" : "[{}]"), table);
}

const KeyRead* Find(const KeyLog& log, std::string_view table, std::string_view key) {
  auto found = std::ranges::find_if(
      log.keys(), [&](const KeyRead& each) { return each.table == table && each.key == key; });
  return found == log.keys().end() ? nullptr : &*found;
}

std::string Name(std::string_view table, std::string_view key) {
  return table.empty() ? std::string(key) : fmt::format("{}.{}", table, key);
}

void DescribeKey(const KeyDescription& description, const KeyLog& log, TableReference* table,
                 std::vector<std::string>* problems) {
  const KeyRead* read = Find(log, description.table, description.key);
  if (read == nullptr) {
    problems->push_back(
        fmt::format("{} is described, but not read", Name(description.table, description.key)));
    return;
  }
  KeyReference reference{.read = *read, .sentence = description.sentence};
  if (!description.fallback.empty()) reference.read.fallback = description.fallback;
  if (!description.limits.empty()) {
    std::string& limits = reference.read.limits;
    limits += fmt::format("{}{}", limits.empty() ? "" : ", ", description.limits);
  }
  table->keys.push_back(std::move(reference));
}

// Keys and tables that are read, but not described.
void FindUndescribed(const std::vector<KeyDescription>& descriptions, const KeyLog& log,
                     std::vector<std::string>* problems) {
  auto described = [&](std::string_view table, std::string_view key) {
    return std::ranges::any_of(descriptions, [&](const KeyDescription& each) {
      return each.table == table && each.key == key;
    });
  };
  for (const KeyRead& read : log.keys()) {
    if (FindTable(log, Name(read.table, read.key)) != nullptr) continue;
    if (!described(read.table, read.key)) {
      problems->push_back(fmt::format("{} is read, but not described", Name(read.table, read.key)));
    }
    if (read.type.empty()) {
      problems->push_back(
          fmt::format("{} is looked for and never read with its type", Name(read.table, read.key)));
    }
  }
  for (const TableRead& read : log.tables()) {
    if (!read.table.empty() && !described(read.table, "")) {
      problems->push_back(fmt::format("{} is a table without a description", read.table));
    }
  }
}

}  // namespace

Reference Describe(std::span<const TierDescription> tiers) {
  Value nothing;
  Diagnostics ignored("site.toml", "");
  KeyLog log;
  ParsePass pass(nothing, ignored, &log);
  ReadSite(pass, {}, tiers);

  std::vector<KeyDescription> descriptions = AllDescriptions(tiers);
  Reference reference;
  for (std::string_view table : TablesInOrder(descriptions)) {
    TableReference& each = reference.tables.emplace_back();
    each.title = Title(table, log);
    if (const TableRead* read = FindTable(log, table)) each.limits = read->limits;
    for (const KeyDescription& description : descriptions) {
      if (description.table != table) continue;
      if (description.key.empty()) {
        if (FindTable(log, table) == nullptr) {
          reference.problems.push_back(
              fmt::format("{} is described, but no such table is read", table));
        }
        each.sentence = description.sentence;
        if (!description.limits.empty()) each.limits = description.limits;
      } else {
        DescribeKey(description, log, &each, &reference.problems);
      }
    }
  }
  FindUndescribed(descriptions, log, &reference.problems);
  return reference;
}

}  // namespace meridian::site
