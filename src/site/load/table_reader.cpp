#include "site/load/table_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "site/key_description.hpp"
#include "site/limits.hpp"
#include "site/load/diagnostics.hpp"
#include "site/load/document.hpp"
#include "site/load/duration_text.hpp"
#include "site/load/key_log.hpp"
#include "site/load/size_text.hpp"
#include "site/load/spelling.hpp"

namespace meridian::site {
namespace {

bool IsControl(char letter) {
  auto byte = static_cast<uint8_t>(letter);
  return byte < 0x20 || byte == 0x7f;
}

std::string Quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", word);
  }
  return text;
}

// A hint for a value of the wrong type whose meaning is clear.
std::string Instead(const Value& value, Value::Kind wanted) {
  bool wants_number = wanted == Value::Kind::kInteger || wanted == Value::Kind::kNumber;
  if (value.kind == Value::Kind::kText && wants_number) {
    double number = 0;
    const char* end = value.text.data() + value.text.size();
    auto [rest, error] = std::from_chars(value.text.data(), end, number);
    if (error == std::errc{} && rest == end) return fmt::format("write {}", value.text);
  }
  if (value.kind == Value::Kind::kText && wanted == Value::Kind::kBoolean) {
    if (value.text == "true" || value.text == "false") return fmt::format("write {}", value.text);
  }
  if (value.kind == Value::Kind::kInteger && wanted == Value::Kind::kText) {
    return fmt::format("write \"{}\"", value.integer);
  }
  if (value.kind == Value::Kind::kText && wanted == Value::Kind::kArray) {
    bool plain = value.text.find_first_of("\"'\\$`|&;<>") == std::string::npos;
    if (!plain) return "write [\"...\", \"...\"]";
    std::vector<std::string> words;
    for (size_t at = 0; at < value.text.size();) {
      size_t end = std::min(value.text.find(' ', at), value.text.size());
      if (end > at) words.push_back(value.text.substr(at, end - at));
      at = end + 1;
    }
    return fmt::format("write [{}]", Quoted(words));
  }
  return {};
}

// The spelling of site.toml.
std::string Written(bool value) { return value ? "true" : "false"; }
std::string Written(int64_t value) { return fmt::format("{}", value); }
std::string Written(double value) { return fmt::format("{}", value); }
std::string Written(Duration value) { return fmt::format("\"{}\"", DurationText(value)); }
std::string Written(const std::string& value) { return fmt::format("\"{}\"", value); }
template <class T>
std::optional<std::string> Written(const std::optional<T>& value) {
  return value ? std::optional<std::string>(Written(*value)) : std::nullopt;
}

std::string EntryLimits(const ListRule& rule) {
  if (rule.min > 0) return fmt::format("{} to {} entries", rule.min, rule.max);
  return fmt::format("at most {} entries", rule.max);
}

}  // namespace

TableReader ParsePass::Root() { return {this, &document_, "", false}; }

void ParsePass::ReportUnknownKeys() {
  for (const auto& [table, read] : read_) {
    if (read.any_key) continue;
    std::vector<std::string> known(read.keys.begin(), read.keys.end());
    for (const Entry& entry : table->entries) {
      if (read.keys.contains(entry.key)) continue;
      std::optional<std::string> nearest = Nearest(entry.key, known);
      diagnostics_.Add({.where = entry.where,
                        .problem = fmt::format("unknown key \"{}\" in {}", entry.key, read.title),
                        .hint = nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                                        : fmt::format("known are {}", Quoted(known))});
    }
  }
}

TableReader::TableReader(ParsePass* pass, const Value* table, std::string path, bool in_array)
    : pass_(pass), table_(table), path_(std::move(path)), in_array_(in_array) {
  pass_->read_[table_].title = title();
  if (pass_->log_ != nullptr) pass_->log_->AddTable({.table = path_, .in_array = in_array_});
}

std::string TableReader::title() const {
  if (path_.empty()) return "site.toml";
  return fmt::format(fmt::runtime(in_array_ ? "[[{}]]" : "[{}]"), path_);
}

std::string TableReader::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

SourceSpan TableReader::WhereIs(std::string_view key) const {
  const Entry* entry = table_->Find(key);
  if (entry) return entry->value.where;
  return path_.empty() ? SourceSpan{} : table_->where;
}

uint32_t TableReader::LineOf(std::string_view key) const { return WhereIs(key).line; }

void TableReader::Record(const SourceSpan& where, std::string problem, std::string hint) {
  pass_->diagnostics_.Add({.where = where, .problem = std::move(problem), .hint = std::move(hint)});
}

void TableReader::Reject(std::string_view key, std::string problem, std::string hint) {
  Record(WhereIs(key), std::move(problem), std::move(hint));
}

void TableReader::RejectKey(std::string_view key, std::string problem, std::string hint) {
  const Entry* entry = table_->Find(key);
  Record(entry ? entry->where : WhereIs(key), std::move(problem), std::move(hint));
}

bool TableReader::Has(std::string_view key) {
  pass_->read_[table_].keys.emplace(key);
  if (pass_->log_ != nullptr) {
    LogKey(key, "", "", {});
    return true;
  }
  return table_->Find(key) != nullptr;
}

void TableReader::LogKey(std::string_view key, std::string_view type, std::string limits,
                         std::optional<std::string> fallback) {
  if (pass_->log_ == nullptr) return;
  pass_->log_->AddKey({.table = path_,
                       .key = std::string(key),
                       .type = std::string(type),
                       .limits = std::move(limits),
                       .fallback = std::move(fallback)});
}

const Value& TableReader::Absent(std::string_view key) {
  Value& absent = pass_->absent_.emplace_back();
  absent.where = WhereIs(key);
  return absent;
}

std::vector<TableReader> TableReader::LogTables(std::string_view key, const ListRule& rule) {
  pass_->log_->AddTable({.table = PathOf(key), .limits = EntryLimits(rule), .in_array = true});
  return {TableReader(pass_, &Absent(key), PathOf(key), true)};
}

const Value* TableReader::Ask(std::string_view key, bool required) {
  pass_->read_[table_].keys.emplace(key);
  if (const Entry* entry = table_->Find(key)) return &entry->value;
  if (required) {
    bool in_file = !path_.empty() && table_->where.line > 0;
    Reject(key, in_file         ? fmt::format("{} needs \"{}\"", title(), key)
                : path_.empty() ? fmt::format("\"{}\" is missing", key)
                                : fmt::format("{} with \"{}\" is missing", title(), key));
  }
  return nullptr;
}

const Value* TableReader::AskFor(std::string_view key, Value::Kind kind, std::string_view expected,
                                 bool required) {
  const Value* value = Ask(key, required);
  if (!value || value->kind == kind) return value;
  Record(value->where,
         fmt::format("\"{}\" must be {}, not {}", key, expected, KindName(value->kind)),
         Instead(*value, kind));
  return nullptr;
}

bool TableReader::Boolean(std::string_view key, std::optional<bool> fallback) {
  LogKey(key, "true or false", "", Written(fallback));
  const Value* value = AskFor(key, Value::Kind::kBoolean, "true or false", !fallback);
  return value ? value->boolean : fallback.value_or(false);
}

int64_t TableReader::Integer(std::string_view key, const IntegerRule& rule) {
  int64_t fallback = rule.fallback.value_or(rule.min);
  LogKey(key, "integer", fmt::format("{} to {}", rule.min, rule.max), Written(rule.fallback));
  std::string expected = fmt::format("an integer from {} to {}", rule.min, rule.max);
  const Value* value = AskFor(key, Value::Kind::kInteger, expected, !rule.fallback);
  if (!value) return fallback;
  if (value->integer >= rule.min && value->integer <= rule.max) return value->integer;
  Reject(key, fmt::format("\"{}\" must be {}, not {}", key, expected, value->integer));
  return fallback;
}

double TableReader::Number(std::string_view key, const NumberRule& rule) {
  double fallback = rule.fallback.value_or(rule.min);
  LogKey(key, "number", fmt::format("{} to {}", rule.min, rule.max), Written(rule.fallback));
  std::string expected = fmt::format("a number from {} to {}", rule.min, rule.max);
  const Value* value = Ask(key, !rule.fallback);
  if (!value) return fallback;
  bool whole = value->kind == Value::Kind::kInteger;
  if (!whole) value = AskFor(key, Value::Kind::kNumber, expected, false);
  if (!value) return fallback;
  double number = whole ? static_cast<double>(value->integer) : value->number;
  if (number >= rule.min && number <= rule.max) return number;  // false for NaN
  Reject(key, fmt::format("\"{}\" must be {}, not {}", key, expected, number));
  return fallback;
}

meridian::Duration TableReader::Duration(std::string_view key, const DurationRule& rule) {
  meridian::Duration fallback = rule.fallback.value_or(rule.min);
  LogKey(key, "duration", fmt::format("{} to {}", DurationText(rule.min), DurationText(rule.max)),
         Written(rule.fallback));
  std::string expected = fmt::format("a duration from \"{}\" to \"{}\"", DurationText(rule.min),
                                     DurationText(rule.max));
  const Value* value = Ask(key, !rule.fallback);
  if (!value) return fallback;
  constexpr std::string_view kUnits = "units are ms, s, m, h and d";
  if (value->kind == Value::Kind::kInteger) {
    Reject(key, fmt::format("\"{}\" must be {}, with its unit", key, expected),
           fmt::format("write \"{}s\"; {}", value->integer, kUnits));
    return fallback;
  }
  value = AskFor(key, Value::Kind::kText, expected, false);
  if (!value) return fallback;
  Result<meridian::Duration> duration = ParseDuration(value->text);
  if (duration && *duration >= rule.min && *duration <= rule.max) return *duration;
  Reject(key, fmt::format("\"{}\" must be {}", key, expected),
         duration ? "" : fmt::format("a whole number and its unit; {}", kUnits));
  return fallback;
}

uint64_t TableReader::Size(std::string_view key, const SizeRule& rule) {
  uint64_t fallback = rule.fallback.value_or(rule.min);
  std::optional<std::string> shown;
  if (rule.fallback) shown = SizeText(*rule.fallback);
  LogKey(key, "size", fmt::format("{} to {}", SizeText(rule.min), SizeText(rule.max)),
         Written(shown));
  std::string expected =
      fmt::format("a size from \"{}\" to \"{}\"", SizeText(rule.min), SizeText(rule.max));
  const Value* value = AskFor(key, Value::Kind::kText, expected, !rule.fallback);
  if (!value) return fallback;
  Result<uint64_t> size = ParseSize(value->text);
  if (size && *size >= rule.min && *size <= rule.max) return *size;
  Reject(key, fmt::format("\"{}\" must be {}", key, expected),
         size ? "" : "a whole number and its unit; units are KiB, MiB, GiB and TiB");
  return fallback;
}

bool TableReader::CheckText(const Value& value, std::string_view key, size_t min_bytes,
                            size_t max_bytes) {
  const std::string& text = value.text;
  if (text.size() < min_bytes) {
    Record(value.where, fmt::format("\"{}\" must not be empty", key), {});
  } else if (text.size() > max_bytes) {
    Record(value.where,
           fmt::format("\"{}\" has {} bytes; at most {} are allowed", key, text.size(), max_bytes),
           {});
  } else if (std::ranges::any_of(text, IsControl)) {
    Record(value.where, fmt::format("\"{}\" must not hold control characters", key), {});
  } else {
    return true;
  }
  return false;
}

std::string TableReader::Text(std::string_view key, const TextRule& rule) {
  LogKey(key, "string", fmt::format("at most {} bytes", rule.max_bytes), Written(rule.fallback));
  const Value* value = AskFor(key, Value::Kind::kText, "a string", !rule.fallback);
  bool good = value && CheckText(*value, key, rule.min_bytes, rule.max_bytes);
  return good ? value->text : rule.fallback.value_or("");
}

std::vector<const Value*> TableReader::TextElements(std::string_view key, const ListRule& rule) {
  std::vector<const Value*> texts;
  const Value* value =
      AskFor(key, Value::Kind::kArray, "an array of strings", /*required=*/rule.min > 0);
  if (!value) return texts;
  size_t size = value->elements.size();
  if (size < rule.min || size > rule.max) {
    Record(value->where,
           fmt::format("\"{}\" must have {} to {} entries, not {}", key, rule.min, rule.max, size),
           {});
    return texts;
  }
  for (const Value& element : value->elements) {
    if (element.kind != Value::Kind::kText) {
      Record(element.where,
             fmt::format("\"{}\" must hold strings, not {}", key, KindName(element.kind)),
             Instead(element, Value::Kind::kText));
    } else if (CheckText(element, key, 0, kMaxTextBytes)) {
      texts.push_back(&element);
    }
  }
  return texts;
}

std::vector<std::string> TableReader::Texts(std::string_view key, const ListRule& rule) {
  LogKey(key, "strings", EntryLimits(rule), rule.min > 0 ? std::nullopt : std::optional("[]"));
  std::vector<std::string> texts;
  for (const Value* element : TextElements(key, rule)) texts.push_back(element->text);
  return texts;
}

uint16_t TableReader::Port(std::string_view key, std::optional<uint16_t> fallback) {
  std::optional<int64_t> port = fallback;
  LogKey(key, "port", fmt::format("1 to {}", kMaxPublicPort), Written(port));
  return static_cast<uint16_t>(
      Integer(key, {.min = 1, .max = kMaxPublicPort, .fallback = fallback}));
}

std::optional<IpAddress> TableReader::Address(std::string_view key) {
  LogKey(key, "IP address", "", {});
  const Value* value = AskFor(key, Value::Kind::kText, "an IP address", true);
  if (!value) return std::nullopt;
  Result<IpAddress> address = IpAddress::Parse(value->text);
  if (address) return *address;
  Reject(key, address.error().message, "expected one such as \"192.0.2.1\" or \"2001:db8::1\"");
  return std::nullopt;
}

std::vector<IpPrefix> TableReader::Prefixes(std::string_view key) {
  LogKey(key, "address blocks", EntryLimits({}), "[]");
  std::vector<IpPrefix> prefixes;
  for (const std::string& text : Texts(key)) {
    Result<IpPrefix> prefix = IpPrefix::Parse(text);
    if (prefix) {
      prefixes.push_back(*prefix);
    } else {
      Reject(key, prefix.error().message, "write a prefix such as 192.0.2.0/24");
    }
  }
  return prefixes;
}

std::vector<IpAddress> TableReader::Addresses(std::string_view key, const ListRule& rule) {
  LogKey(key, "IP addresses", EntryLimits(rule), {});
  std::vector<IpAddress> addresses;
  for (const Value* element : TextElements(key, rule)) {
    Result<IpAddress> address = IpAddress::Parse(element->text);
    if (address) {
      addresses.push_back(*address);
    } else {
      Record(element->where, address.error().message, {});
    }
  }
  return addresses;
}

std::optional<IpPrefix> TableReader::Prefix(std::string_view key) {
  LogKey(key, "address block", "", {});
  const Value* value = AskFor(key, Value::Kind::kText, "an address block", true);
  if (!value) return std::nullopt;
  Result<IpPrefix> prefix = IpPrefix::Parse(value->text);
  if (prefix) return *prefix;
  Reject(key, prefix.error().message, "expected one such as \"198.51.100.0/24\"");
  return std::nullopt;
}

std::optional<size_t> TableReader::Word(std::string_view key, const std::vector<std::string>& words,
                                        const std::optional<std::string>& fallback) {
  LogKey(key, "string", Quoted(words), Written(fallback));
  std::string expected = fmt::format("one of {}", Quoted(words));
  const Value* value = AskFor(key, Value::Kind::kText, expected, !fallback);
  if (!value) return std::nullopt;
  auto found = std::ranges::find(words, value->text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  std::optional<std::string> nearest = Nearest(value->text, words);
  Reject(key, fmt::format("\"{}\" must be {}", key, expected),
         nearest ? fmt::format("did you mean \"{}\"?", *nearest) : "");
  return std::nullopt;
}

TableReader TableReader::Table(std::string_view key) {
  std::string expected = fmt::format("a table, [{}]", PathOf(key));
  const Value* table = AskFor(key, Value::Kind::kTable, expected, false);
  return {pass_, table ? table : &Absent(key), PathOf(key), false};
}

std::vector<TableReader> TableReader::Tables(std::string_view key, const ListRule& rule) {
  if (pass_->log_ != nullptr) return LogTables(key, rule);
  std::vector<TableReader> tables;
  std::string title = fmt::format("[[{}]]", PathOf(key));
  const Value* array = Ask(key, false);
  if (array && array->kind == Value::Kind::kTable) {
    Record(array->where, fmt::format("\"{}\" must be an array of tables", key),
           fmt::format("write {}", title));
    return tables;
  }
  array = AskFor(key, Value::Kind::kArray, "an array of tables", false);
  size_t size = array ? array->elements.size() : 0;
  bool mistyped = !array && Has(key);
  if (!mistyped && (size < rule.min || size > rule.max)) {
    Reject(key, size < rule.min ? fmt::format("at least {} {} is needed", rule.min, title)
                                : fmt::format("{} {} are too many; at most {} are allowed", size,
                                              title, rule.max));
    return tables;
  }
  for (size_t i = 0; i < size; ++i) {
    const Value& element = array->elements[i];
    if (element.kind == Value::Kind::kTable) {
      tables.push_back(TableReader(pass_, &element, PathOf(key), true));
    } else {
      Record(element.where,
             fmt::format("\"{}\" must hold tables, not {}", key, KindName(element.kind)),
             fmt::format("write {}", title));
    }
  }
  return tables;
}

std::vector<NamedTable> TableReader::NamedTables() {
  pass_->read_[table_].any_key = true;
  std::vector<NamedTable> tables;
  if (pass_->log_ != nullptr) {
    std::string name(kAnyName);
    tables.push_back({name, TableReader(pass_, &Absent(name), PathOf(name), false)});
  }
  for (const Entry& entry : table_->entries) {
    if (entry.value.kind == Value::Kind::kTable) {
      tables.push_back({entry.key, TableReader(pass_, &entry.value, PathOf(entry.key), false)});
      continue;
    }
    Record(entry.where,
           fmt::format("\"{}\" must be a table, [{}], not {}", entry.key, PathOf(entry.key),
                       KindName(entry.value.kind)),
           fmt::format("{} has a table for each name, such as [{}]", title(), PathOf("example")));
  }
  return tables;
}

TableReader TableReader::TopTable(std::string_view key) { return pass_->Root().Table(key); }

std::vector<std::string> TableReader::Names() {
  pass_->read_[table_].any_key = true;
  if (pass_->log_ != nullptr) return {std::string(kAnyName)};
  std::vector<std::string> names;
  names.reserve(table_->entries.size());
  for (const Entry& entry : table_->entries) names.push_back(entry.key);
  return names;
}

}  // namespace meridian::site
